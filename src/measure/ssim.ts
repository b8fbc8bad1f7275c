import { RestorationError } from '../protocol';
import type { Plane } from './plane';

/**
 * SSIM of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
 * similarity" (2004), as BasicSR computes it: 11x11 Gaussian of sigma 1.5, windows that lie wholly inside, population
 * variances, per channel, then the mean. scikit-image gives the same mean with gaussian_weights=True, sigma=1.5,
 * use_sample_covariance=False, data_range=255.
 *
 * The Gaussian is separable: eleven rows are combined to one, which then is filtered along itself. The kernel is
 * symmetric, so samples are paired before they are weighted. Only those few rows exist at any time.
 */
export const WINDOW = 11;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;
const SIGMA = 1.5;

/** Half of the normalised kernel, from the outermost weight to the middle one. */
const [W0, W1, W2, W3, W4, W5] = halfKernel();

function halfKernel(): [number, number, number, number, number, number] {
  const radius = (WINDOW - 1) / 2;
  const weight = (distance: number): number => Math.exp(-(distance * distance) / (2 * SIGMA * SIGMA));
  let sum = weight(0);
  for (let distance = 1; distance <= radius; distance++) sum += 2 * weight(distance);
  return [weight(5) / sum, weight(4) / sum, weight(3) / sum, weight(2) / sum, weight(1) / sum, weight(0) / sum];
}

type Samples = Uint8Array | Float64Array;

/** Gives, for a window's first row `y`, an array and the place in it where its eleven rows stand without a gap. */
interface RowWindow {
  samples: Samples;
  offsetOf(y: number): number;
}

/**
 * Rows of `plane` for windows asked in rising order. 8-bit samples are read where they are; converted rows go to a ring
 * that holds every row twice, eleven rows apart, so that each window is one stretch of memory.
 */
function rowWindow(plane: Plane): RowWindow {
  const length = plane.width * plane.channels;
  if (plane.samples) return { samples: plane.samples, offsetOf: (y) => y * length };
  const ring = new Float64Array(2 * WINDOW * length);
  let next = 0;
  return {
    samples: ring,
    offsetOf: (y) => {
      for (; next < y + WINDOW; next++) {
        const slot = (next % WINDOW) * length;
        plane.readRow(next, ring, slot);
        ring.copyWithin(slot + WINDOW * length, slot, slot + length);
      }
      return (y % WINDOW) * length;
    },
  };
}

/** The Gaussian along a row: eleven samples of one channel that start at `i`, `step` samples apart. */
function filterAlong(row: Float64Array, i: number, step: number): number {
  return (
    W0 * (row[i]! + row[i + 10 * step]!) +
    W1 * (row[i + step]! + row[i + 9 * step]!) +
    W2 * (row[i + 2 * step]! + row[i + 8 * step]!) +
    W3 * (row[i + 3 * step]! + row[i + 7 * step]!) +
    W4 * (row[i + 4 * step]! + row[i + 6 * step]!) +
    W5 * row[i + 5 * step]!
  );
}

interface PairRows {
  sum: Float64Array;
  difference: Float64Array;
  sumSquared: Float64Array;
  differenceSquared: Float64Array;
}

/**
 * The Gaussian down eleven rows of s = a + b, d = a - b, s^2 and d^2. These four carry the same information as
 * a, b, a^2, b^2 and ab, with one filter less.
 */
function filterPairDown(a: Samples, aStart: number, b: Samples, bStart: number, length: number, out: PairRows): void {
  const { sum, difference, sumSquared, differenceSquared } = out;
  const n1 = length;
  const n2 = 2 * length;
  const n3 = 3 * length;
  const n4 = 4 * length;
  const n5 = 5 * length;
  const n6 = 6 * length;
  const n7 = 7 * length;
  const n8 = 8 * length;
  const n9 = 9 * length;
  const n10 = 10 * length;
  for (let i = 0, j = aStart, k = bStart; i < length; i++, j++, k++) {
    // Upper and lower sample of each symmetric pair of rows, from the outermost pair to the middle row.
    let p = a[j]!;
    let q = b[k]!;
    let s1 = p + q;
    let d1 = p - q;
    p = a[j + n10]!;
    q = b[k + n10]!;
    let s2 = p + q;
    let d2 = p - q;
    let s = W0 * (s1 + s2);
    let d = W0 * (d1 + d2);
    let ss = W0 * (s1 * s1 + s2 * s2);
    let dd = W0 * (d1 * d1 + d2 * d2);

    p = a[j + n1]!;
    q = b[k + n1]!;
    s1 = p + q;
    d1 = p - q;
    p = a[j + n9]!;
    q = b[k + n9]!;
    s2 = p + q;
    d2 = p - q;
    s += W1 * (s1 + s2);
    d += W1 * (d1 + d2);
    ss += W1 * (s1 * s1 + s2 * s2);
    dd += W1 * (d1 * d1 + d2 * d2);

    p = a[j + n2]!;
    q = b[k + n2]!;
    s1 = p + q;
    d1 = p - q;
    p = a[j + n8]!;
    q = b[k + n8]!;
    s2 = p + q;
    d2 = p - q;
    s += W2 * (s1 + s2);
    d += W2 * (d1 + d2);
    ss += W2 * (s1 * s1 + s2 * s2);
    dd += W2 * (d1 * d1 + d2 * d2);

    p = a[j + n3]!;
    q = b[k + n3]!;
    s1 = p + q;
    d1 = p - q;
    p = a[j + n7]!;
    q = b[k + n7]!;
    s2 = p + q;
    d2 = p - q;
    s += W3 * (s1 + s2);
    d += W3 * (d1 + d2);
    ss += W3 * (s1 * s1 + s2 * s2);
    dd += W3 * (d1 * d1 + d2 * d2);

    p = a[j + n4]!;
    q = b[k + n4]!;
    s1 = p + q;
    d1 = p - q;
    p = a[j + n6]!;
    q = b[k + n6]!;
    s2 = p + q;
    d2 = p - q;
    s += W4 * (s1 + s2);
    d += W4 * (d1 + d2);
    ss += W4 * (s1 * s1 + s2 * s2);
    dd += W4 * (d1 * d1 + d2 * d2);

    p = a[j + n5]!;
    q = b[k + n5]!;
    s1 = p + q;
    d1 = p - q;
    sum[i] = s + W5 * s1;
    difference[i] = d + W5 * d1;
    sumSquared[i] = ss + W5 * (s1 * s1);
    differenceSquared[i] = dd + W5 * (d1 * d1);
  }
}

/** SSIM of one window from the filtered s, d, s^2 and d^2 (see `filterPairDown`). */
function similarity(meanSum: number, meanDifference: number, sumSquared: number, differenceSquared: number): number {
  const s = meanSum * meanSum;
  const d = meanDifference * meanDifference;
  const varianceSum = sumSquared - s;
  const varianceDifference = differenceSquared - d;
  // With mu_a mu_b = (s - d) / 4, mu_a^2 + mu_b^2 = (s + d) / 2, and the same for the (co)variances.
  return (
    (((s - d) / 2 + C1) * ((varianceSum - varianceDifference) / 2 + C2)) /
    (((s + d) / 2 + C1) * ((varianceSum + varianceDifference) / 2 + C2))
  );
}

/** Sum of the SSIM map over one row of windows, all channels. */
function sumOfPairRow(rows: PairRows, length: number, channels: number): number {
  const { sum, difference, sumSquared, differenceSquared } = rows;
  const end = length - (WINDOW - 1) * channels;
  let total = 0;
  for (let i = 0; i < end; i++) {
    total += similarity(
      filterAlong(sum, i, channels),
      filterAlong(difference, i, channels),
      filterAlong(sumSquared, i, channels),
      filterAlong(differenceSquared, i, channels),
    );
  }
  return total;
}

/** Writes the SSIM of one row of windows, the mean of the channels for each window, to `out` from `offset`. */
function mapOfPairRow(rows: PairRows, length: number, channels: number, out: Float32Array, offset: number): void {
  const { sum, difference, sumSquared, differenceSquared } = rows;
  const windows = length / channels - (WINDOW - 1);
  for (let window = 0; window < windows; window++) {
    let total = 0;
    for (let i = window * channels; i < (window + 1) * channels; i++) {
      total += similarity(
        filterAlong(sum, i, channels),
        filterAlong(difference, i, channels),
        filterAlong(sumSquared, i, channels),
        filterAlong(differenceSquared, i, channels),
      );
    }
    out[offset + window] = total / channels;
  }
}

interface FrameRows {
  first: Float64Array;
  squared: Float64Array;
  product: Float64Array;
}

/** The Gaussian down eleven rows of a, a^2 and ab: what is missing when mean and variance of b are known. */
function filterFrameDown(a: Samples, aStart: number, b: Samples, bStart: number, length: number, out: FrameRows): void {
  const { first, squared, product } = out;
  const n1 = length;
  const n2 = 2 * length;
  const n3 = 3 * length;
  const n4 = 4 * length;
  const n5 = 5 * length;
  const n6 = 6 * length;
  const n7 = 7 * length;
  const n8 = 8 * length;
  const n9 = 9 * length;
  const n10 = 10 * length;
  for (let i = 0, j = aStart, k = bStart; i < length; i++, j++, k++) {
    let p = a[j]!;
    let q = a[j + n10]!;
    let f = W0 * (p + q);
    let ff = W0 * (p * p + q * q);
    let fg = W0 * (p * b[k]! + q * b[k + n10]!);

    p = a[j + n1]!;
    q = a[j + n9]!;
    f += W1 * (p + q);
    ff += W1 * (p * p + q * q);
    fg += W1 * (p * b[k + n1]! + q * b[k + n9]!);

    p = a[j + n2]!;
    q = a[j + n8]!;
    f += W2 * (p + q);
    ff += W2 * (p * p + q * q);
    fg += W2 * (p * b[k + n2]! + q * b[k + n8]!);

    p = a[j + n3]!;
    q = a[j + n7]!;
    f += W3 * (p + q);
    ff += W3 * (p * p + q * q);
    fg += W3 * (p * b[k + n3]! + q * b[k + n7]!);

    p = a[j + n4]!;
    q = a[j + n6]!;
    f += W4 * (p + q);
    ff += W4 * (p * p + q * q);
    fg += W4 * (p * b[k + n4]! + q * b[k + n6]!);

    p = a[j + n5]!;
    first[i] = f + W5 * p;
    squared[i] = ff + W5 * (p * p);
    product[i] = fg + W5 * (p * b[k + n5]!);
  }
}

/** Filtered means and variances of a reference, one value a window and channel, row after row. */
export interface SsimStatistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Sum of the SSIM map over one row of windows, against known statistics that start at `offset`. */
function sumOfFrameRow(
  rows: FrameRows,
  statistics: SsimStatistics,
  offset: number,
  length: number,
  channels: number,
): number {
  const { first, squared, product } = rows;
  const { mean, variance } = statistics;
  const end = length - (WINDOW - 1) * channels;
  let total = 0;
  for (let i = 0; i < end; i++) {
    const meanA = filterAlong(first, i, channels);
    const meanB = mean[offset + i]!;
    const means = meanA * meanB;
    const squares = meanA * meanA + meanB * meanB;
    const varianceA = filterAlong(squared, i, channels) - meanA * meanA;
    const covariance = filterAlong(product, i, channels) - means;
    total += ((2 * means + C1) * (2 * covariance + C2)) / ((squares + C1) * (varianceA + variance[offset + i]! + C2));
  }
  return total;
}

/**
 * Refuses a plane that holds no window.
 *
 * @throws RestorationError `bad-argument`.
 */
export function assertMeasurable(plane: Plane): void {
  if (plane.width >= WINDOW && plane.height >= WINDOW) return;
  throw new RestorationError(
    'bad-argument',
    `SSIM needs at least ${WINDOW}x${WINDOW} measured pixels, but ${plane.width}x${plane.height} are left.`,
    'Measure a larger picture, or use a smaller scale so that less of the border is cropped.',
  );
}

/** Windows of a plane over all channels. */
export function windowCount(plane: Plane): number {
  return (plane.width - WINDOW + 1) * (plane.height - WINDOW + 1) * plane.channels;
}

/**
 * Mean SSIM of two planes with the same sides and channels, in [-1, 1]; exactly 1 for identical planes.
 *
 * @throws RestorationError `bad-argument` for a plane smaller than 11x11.
 */
export function ssim(a: Plane, b: Plane): number {
  let total = 0;
  eachPairRow(a, b, (rows, length) => {
    total += sumOfPairRow(rows, length, a.channels);
  });
  return total / windowCount(a);
}

/**
 * SSIM of every 11x11 window, the mean of the channels for each: `(width - 10) * (height - 10)` values, row after row.
 * The first one belongs to the window whose middle is at (5, 5). Their mean is `ssim`.
 *
 * @throws RestorationError `bad-argument` for a plane smaller than 11x11.
 */
export function ssimWindows(a: Plane, b: Plane): Float32Array {
  assertMeasurable(a);
  const out = new Float32Array(windowCount(a) / a.channels);
  let offset = 0;
  eachPairRow(a, b, (rows, length) => {
    mapOfPairRow(rows, length, a.channels, out, offset);
    offset += a.width - WINDOW + 1;
  });
  return out;
}

/** Calls `visit` with the filtered rows of every row of windows, from top to bottom. */
function eachPairRow(a: Plane, b: Plane, visit: (rows: PairRows, length: number) => void): void {
  assertMeasurable(a);
  const length = a.width * a.channels;
  const rows: PairRows = {
    sum: new Float64Array(length),
    difference: new Float64Array(length),
    sumSquared: new Float64Array(length),
    differenceSquared: new Float64Array(length),
  };
  const rowsOfA = rowWindow(a);
  const rowsOfB = rowWindow(b);
  for (let y = 0; y + WINDOW <= a.height; y++) {
    filterPairDown(rowsOfA.samples, rowsOfA.offsetOf(y), rowsOfB.samples, rowsOfB.offsetOf(y), length, rows);
    visit(rows, length);
  }
}

/**
 * Means and variances of every window of a reference, for `ssimAgainst`.
 *
 * @throws RestorationError `bad-argument` for a plane smaller than 11x11.
 */
export function ssimStatistics(reference: Plane): SsimStatistics {
  assertMeasurable(reference);
  const length = reference.width * reference.channels;
  const end = length - (WINDOW - 1) * reference.channels;
  const count = windowCount(reference);
  const statistics = { mean: new Float64Array(count), variance: new Float64Array(count) };
  const rows = frameRows(length);
  const window = rowWindow(reference);
  for (let y = 0, offset = 0; y + WINDOW <= reference.height; y++, offset += end) {
    const start = window.offsetOf(y);
    filterFrameDown(window.samples, start, window.samples, start, length, rows);
    for (let i = 0; i < end; i++) {
      const mean = filterAlong(rows.first, i, reference.channels);
      statistics.mean[offset + i] = mean;
      statistics.variance[offset + i] = filterAlong(rows.squared, i, reference.channels) - mean * mean;
    }
  }
  return statistics;
}

function frameRows(length: number): FrameRows {
  return { first: new Float64Array(length), squared: new Float64Array(length), product: new Float64Array(length) };
}

/** As `ssim(frame, reference)`, with the reference's `statistics` already known: about a third faster. */
export function ssimAgainst(frame: Plane, reference: Plane, statistics: SsimStatistics): number {
  const length = frame.width * frame.channels;
  const end = length - (WINDOW - 1) * frame.channels;
  const rows = frameRows(length);
  const rowsOfFrame = rowWindow(frame);
  const rowsOfReference = rowWindow(reference);
  let total = 0;
  for (let y = 0, offset = 0; y + WINDOW <= frame.height; y++, offset += end) {
    filterFrameDown(
      rowsOfFrame.samples,
      rowsOfFrame.offsetOf(y),
      rowsOfReference.samples,
      rowsOfReference.offsetOf(y),
      length,
      rows,
    );
    total += sumOfFrameRow(rows, statistics, offset, length, frame.channels);
  }
  return total / windowCount(frame);
}
