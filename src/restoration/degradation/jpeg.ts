import { createPixels, type Pixels } from '../image/pixels';
import { clamped } from './cubic';

/** Quantisation tables of ITU-T T.81, Annex K, row by row. */
const LUMA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const CHROMA = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
];
/** Exact ties of a quantised coefficient go up, whatever the last bit of its sum says. */
const TIE = 1e-6;

/** Orthonormal DCT-II of 8 samples as a matrix, `BASIS[k * 8 + n]`. */
const BASIS = Float64Array.from({ length: 64 }, (_, i) => {
  const k = i >> 3;
  return (k === 0 ? Math.sqrt(1 / 8) : 0.5) * Math.cos(((2 * (i & 7) + 1) * k * Math.PI) / 16);
});

/**
 * What JPEG leaves of a picture: baseline, IJG's scaling of the tables, 4:2:0, chroma averaged over 2x2 pixels and enlarged
 * with a triangle filter, transform in double precision. Encoders differ in their last levels, and samples have to be the
 * same everywhere, so it is defined here instead of being left to one of them.
 *
 * @param quality 1 to 100
 */
export function throughJpeg(source: Pixels, quality: number): Pixels {
  const { width, height } = source;
  const planes = [0, 1, 2].map(() => new Float64Array(width * height));
  const [luma, blue, red] = planes as [Float64Array, Float64Array, Float64Array];
  for (let i = 0; i < width * height; i++) {
    const r = source.data[i * 3]!;
    const g = source.data[i * 3 + 1]!;
    const b = source.data[i * 3 + 2]!;
    luma[i] = level(0.299 * r + 0.587 * g + 0.114 * b);
    blue[i] = level(-0.168736 * r - 0.331264 * g + 0.5 * b + 128);
    red[i] = level(0.5 * r - 0.418688 * g - 0.081312 * b + 128);
  }
  const y = coded({ data: luma, width, height }, tableOf(LUMA, quality));
  const [cb, cr] = [blue, red].map((data) =>
    enlarged(coded(halved({ data, width, height }), tableOf(CHROMA, quality)), width, height),
  ) as [Plane, Plane];
  const result = createPixels(width, height);
  for (let i = 0; i < width * height; i++) {
    const u = cb.data[i]! - 128;
    const v = cr.data[i]! - 128;
    result.data[i * 3] = level(y.data[i]! + 1.402 * v);
    result.data[i * 3 + 1] = level(y.data[i]! - 0.344136 * u - 0.714136 * v);
    result.data[i * 3 + 2] = level(y.data[i]! + 1.772 * u);
  }
  return result;
}

interface Plane {
  data: Float64Array;
  width: number;
  height: number;
}

function level(value: number): number {
  const rounded = Math.floor(value + 0.5 + TIE);
  return rounded < 0 ? 0 : rounded > 255 ? 255 : rounded;
}

function tableOf(base: readonly number[], quality: number): number[] {
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return base.map((step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
}

/** Every block of 8x8 through transform and quantisation; the picture is continued with its border samples. */
function coded({ data, width, height }: Plane, table: readonly number[]): Plane {
  const result = new Float64Array(width * height);
  const block = new Float64Array(64);
  const half = new Float64Array(64);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        const row = clamped(top + (i >> 3), height) * width;
        block[i] = data[row + clamped(left + (i & 7), width)]! - 128;
      }
      transform(block, half, false);
      for (let i = 0; i < 64; i++) block[i] = Math.floor(block[i]! / table[i]! + 0.5 + TIE) * table[i]!;
      transform(block, half, true);
      for (let i = 0; i < 64; i++) {
        const yAt = top + (i >> 3);
        const xAt = left + (i & 7);
        if (yAt < height && xAt < width) result[yAt * width + xAt] = level(block[i]! + 128);
      }
    }
  }
  return { data: result, width, height };
}

/** In place: B X B', or its inverse B' X B. */
function transform(block: Float64Array, half: Float64Array, inverse: boolean): void {
  const b = (k: number, n: number): number => (inverse ? BASIS[n * 8 + k]! : BASIS[k * 8 + n]!);
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < 8; j++) {
      let sum = 0;
      for (let n = 0; n < 8; n++) sum += b(i, n) * block[n * 8 + j]!;
      half[i * 8 + j] = sum;
    }
  }
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < 8; j++) {
      let sum = 0;
      for (let n = 0; n < 8; n++) sum += half[i * 8 + n]! * b(j, n);
      block[i * 8 + j] = sum;
    }
  }
}

function halved({ data, width, height }: Plane): Plane {
  const w = (width + 1) >> 1;
  const h = (height + 1) >> 1;
  const result = new Float64Array(w * h);
  for (let y = 0; y < h; y++) {
    const upper = 2 * y * width;
    const lower = clamped(2 * y + 1, height) * width;
    for (let x = 0; x < w; x++) {
      const left = 2 * x;
      const right = clamped(2 * x + 1, width);
      result[y * w + x] = level(
        (data[upper + left]! + data[upper + right]! + data[lower + left]! + data[lower + right]!) / 4,
      );
    }
  }
  return { data: result, width: w, height: h };
}

/** Twice as large: 3/4 of the nearer and 1/4 of the farther sample along each axis. */
function enlarged({ data, width, height }: Plane, toWidth: number, toHeight: number): Plane {
  const result = new Float64Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const near = (y >> 1) * width;
    const far = clamped((y >> 1) + (y & 1 ? 1 : -1), height) * width;
    for (let x = 0; x < toWidth; x++) {
      const nearX = x >> 1;
      const farX = clamped(nearX + (x & 1 ? 1 : -1), width);
      const value = 9 * data[near + nearX]! + 3 * data[near + farX]! + 3 * data[far + nearX]! + data[far + farX]!;
      result[y * toWidth + x] = value / 16;
    }
  }
  return { data: result, width: toWidth, height: toHeight };
}
