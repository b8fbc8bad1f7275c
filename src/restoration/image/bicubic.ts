import { replicate, type AlphaPlane } from './alpha';
import { createPixels, createPixels16, isSixteenBit, maximumSample, type AnyPixels, type Pixels } from './pixels';

/** Keys' cubic convolution kernel with a = -0.5, as MATLAB's imresize has it. */
function cubic(x: number): number {
  const a = Math.abs(x);
  if (a <= 1) return 1.5 * a * a * a - 2.5 * a * a + 1;
  if (a <= 2) return -0.5 * a * a * a + 2.5 * a * a - 4 * a + 2;
  return 0;
}

interface Taps {
  /** Taps of one output sample. */
  count: number;
  /** Source index of every tap, `length * count`. */
  index: Int32Array;
  weight: Float64Array;
}

/**
 * Contributions of source samples to each output sample. When shrinking, the kernel is widened by 1/scale (antialias);
 * indices beyond the border are mirrored, the border sample repeated.
 */
function contributions(inLength: number, outLength: number, scale: number): Taps {
  const shrink = Math.min(scale, 1);
  const width = 4 / shrink;
  const count = Math.ceil(width) + 2;
  const index = new Int32Array(outLength * count);
  const weight = new Float64Array(outLength * count);
  for (let out = 0; out < outLength; out++) {
    // 1-based centres as in imresize, so that rounding falls the same way.
    const centre = (out + 1) / scale + 0.5 * (1 - 1 / scale);
    const left = Math.floor(centre - width / 2);
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      const value = shrink * cubic(shrink * (centre - (left + tap)));
      weight[out * count + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < count; tap++) {
      const at = out * count + tap;
      weight[at] = (weight[at] as number) / sum;
      // Period 2N of the mirrored signal 1..N,N..1 (1-based), shifted to 0-based.
      let mirrored = (left + tap - 1) % (2 * inLength);
      if (mirrored < 0) mirrored += 2 * inLength;
      index[at] = mirrored < inLength ? mirrored : 2 * inLength - 1 - mirrored;
    }
  }
  return { count, index, weight };
}

function toSample(value: number, maximum: number): number {
  const rounded = Math.floor(value + 0.5);
  return rounded < 0 ? 0 : rounded > maximum ? maximum : rounded;
}

function emptyLike(source: AnyPixels, width: number, height: number): AnyPixels {
  return isSixteenBit(source) ? createPixels16(width, height) : createPixels(width, height);
}

function resizeRows(source: AnyPixels, outHeight: number, scale: number): AnyPixels {
  const { width, height } = source;
  if (outHeight === height) return source;
  const taps = contributions(height, outHeight, scale);
  const result = emptyLike(source, width, outHeight);
  const maximum = maximumSample(source);
  const stride = width * 3;
  const line = new Float64Array(stride);
  for (let out = 0; out < outHeight; out++) {
    line.fill(0);
    for (let tap = 0; tap < taps.count; tap++) {
      const w = taps.weight[out * taps.count + tap] as number;
      if (w === 0) continue;
      const from = (taps.index[out * taps.count + tap] as number) * stride;
      for (let i = 0; i < stride; i++) line[i] = (line[i] as number) + w * (source.data[from + i] as number);
    }
    for (let i = 0; i < stride; i++) result.data[out * stride + i] = toSample(line[i] as number, maximum);
  }
  return result;
}

function resizeColumns(source: AnyPixels, outWidth: number, scale: number): AnyPixels {
  const { width, height } = source;
  if (outWidth === width) return source;
  const taps = contributions(width, outWidth, scale);
  const result = emptyLike(source, outWidth, height);
  const maximum = maximumSample(source);
  for (let row = 0; row < height; row++) {
    const base = row * width * 3;
    for (let out = 0; out < outWidth; out++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let tap = 0; tap < taps.count; tap++) {
        const w = taps.weight[out * taps.count + tap] as number;
        const at = base + (taps.index[out * taps.count + tap] as number) * 3;
        r += w * (source.data[at] as number);
        g += w * (source.data[at + 1] as number);
        b += w * (source.data[at + 2] as number);
      }
      const to = (row * outWidth + out) * 3;
      result.data[to] = toSample(r, maximum);
      result.data[to + 1] = toSample(g, maximum);
      result.data[to + 2] = toSample(b, maximum);
    }
  }
  return result;
}

/**
 * MATLAB's `imresize(picture, [height width], 'bicubic')`: antialiased where an axis shrinks, the axis that shrinks most
 * first (rows on a tie), rounded to the picture's depth (8 or 16 bits) after each of the two passes.
 *
 * @returns a picture of the same depth; the picture itself when it has the size already
 * @throws RangeError when a side is not a whole number of at least 1
 */
export function resizeBicubic(source: Pixels, width: number, height: number): Pixels;
export function resizeBicubic(source: AnyPixels, width: number, height: number): AnyPixels;
export function resizeBicubic(source: AnyPixels, width: number, height: number): AnyPixels {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1)
      throw new RangeError(`a side has to be a whole number above 0, not ${side}`);
  }
  const x = width / source.width;
  const y = height / source.height;
  return x < y
    ? resizeRows(resizeColumns(source, width, x), height, y)
    : resizeColumns(resizeRows(source, height, y), width, x);
}

/** The same for the opacity of a picture, which goes through as a grey one. */
export function resizeAlpha(alpha: AlphaPlane, width: number, height: number): AlphaPlane {
  const { data } = resizeBicubic(replicate(alpha), width, height);
  return { data: data.filter((_, i) => i % 3 === 0), width, height };
}

/**
 * Sides of a picture scaled by a factor, rounded up as imresize does.
 *
 * @throws RangeError when the factor is not a positive number
 */
export function scaledSize(size: { width: number; height: number }, factor: number): { width: number; height: number } {
  if (!(factor > 0) || !Number.isFinite(factor)) throw new RangeError(`a factor has to be above 0, not ${factor}`);
  // A tolerance keeps ceil(240 * (1/3)) at 80 where the product is 80.00000000000001.
  const side = (length: number): number => Math.max(1, Math.ceil(length * factor - 1e-9));
  return { width: side(size.width), height: side(size.height) };
}
