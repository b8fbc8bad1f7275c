import { createPixels, type Pixels } from './pixels';

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

function toByte(value: number): number {
  const rounded = Math.floor(value + 0.5);
  return rounded < 0 ? 0 : rounded > 255 ? 255 : rounded;
}

function resizeRows(source: Pixels, outHeight: number, scale: number): Pixels {
  const { width, height } = source;
  const taps = contributions(height, outHeight, scale);
  const result = createPixels(width, outHeight);
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
    for (let i = 0; i < stride; i++) result.data[out * stride + i] = toByte(line[i] as number);
  }
  return result;
}

function resizeColumns(source: Pixels, outWidth: number, scale: number): Pixels {
  const { width, height } = source;
  const taps = contributions(width, outWidth, scale);
  const result = createPixels(outWidth, height);
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
      result.data[to] = toByte(r);
      result.data[to + 1] = toByte(g);
      result.data[to + 2] = toByte(b);
    }
  }
  return result;
}

/**
 * MATLAB's `imresize(picture, scale, 'bicubic')` on 8-bit data: antialiased when shrinking, rounded to 8 bits after each
 * of the two passes, rows first (the order that imresize takes for equal scales). Output sides are ceil(side * scale).
 *
 * @param scale output side / input side, > 0; 4 enlarges a low-resolution picture for the network
 */
export function resizeBicubic(source: Pixels, scale: number): Pixels {
  if (!(scale > 0) || !Number.isFinite(scale)) throw new RangeError(`scale has to be a positive number, not ${scale}`);
  if (scale === 1) return { data: source.data.slice(), width: source.width, height: source.height };
  // A tolerance keeps ceil(240 * (1/3)) at 80 where the product is 80.00000000000001.
  const outHeight = Math.max(1, Math.ceil(source.height * scale - 1e-9));
  const outWidth = Math.max(1, Math.ceil(source.width * scale - 1e-9));
  return resizeColumns(resizeRows(source, outHeight, scale), outWidth, scale);
}
