import type { Plane } from './plane';

/** The largest 8-bit value; also used for Y, whose own peak is 235, as BasicSR does. */
const PEAK = 255;

/** Sum of squared differences of two 8-bit sample rows: exact, the sum stays below 2^53 for any picture in memory. */
function squaredDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}

/**
 * Mean squared error over all pixels and channels together, in squared 8-bit levels. Both planes have the same sides
 * and channels.
 */
export function meanSquaredError(a: Plane, b: Plane): number {
  const length = a.width * a.channels;
  const count = length * a.height;
  if (a.samples && b.samples) return squaredDifference(a.samples, b.samples) / count;
  const rowA = new Float64Array(length);
  const rowB = new Float64Array(length);
  let sum = 0;
  for (let y = 0; y < a.height; y++) {
    a.readRow(y, rowA, 0);
    b.readRow(y, rowB, 0);
    let rowSum = 0;
    for (let i = 0; i < length; i++) {
      const difference = rowA[i]! - rowB[i]!;
      rowSum += difference * difference;
    }
    sum += rowSum;
  }
  return sum / count;
}

/** PSNR in dB of a mean squared error in squared 8-bit levels: 10 log10(255^2 / MSE), Infinity for 0. */
export function psnrOfError(error: number): number {
  return error === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((PEAK * PEAK) / error);
}

/** Peak signal-to-noise ratio in dB, as BasicSR; Infinity for identical planes. */
export function psnr(a: Plane, b: Plane): number {
  return psnrOfError(meanSquaredError(a, b));
}
