import { RestorationError } from '../protocol';

/** A mean over pictures that keeps infinities (identical pictures) apart, so that one of them does not hide the rest. */
export interface FiniteMean {
  /** Mean of the finite values; undefined when there is none. */
  mean: number | undefined;
  finite: number;
  infinite: number;
}

/** Arithmetic mean; undefined for an empty list. */
export function mean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean of the finite `values`, and how many were finite and infinite. */
export function finiteMean(values: readonly number[]): FiniteMean {
  const finite = values.filter((value) => Number.isFinite(value));
  return { mean: mean(finite), finite: finite.length, infinite: values.length - finite.length };
}

/** Whether a larger (PSNR, SSIM) or a smaller (LPIPS, FLIP) value is better. */
export type Better = 'higher' | 'lower';

/** True when `curve` never gets worse from one value to the next by more than `tolerance`. */
export function isMonotone(curve: readonly number[], better: Better, tolerance: number): boolean {
  return curve.every((value, i) => {
    if (i === 0) return true;
    const before = curve[i - 1]!;
    return better === 'higher' ? value >= before - tolerance : value <= before + tolerance;
  });
}

/** Share, in [0, 1], of the curves that are monotone (see `isMonotone`); undefined for an empty list. */
export function monotoneShare(
  curves: ReadonlyArray<readonly number[]>,
  better: Better,
  tolerance: number,
): number | undefined {
  return mean(curves.map((curve) => (isMonotone(curve, better, tolerance) ? 1 : 0)));
}

/**
 * Uniform numbers in [0, 1) that depend on `seed` only: the same on every machine. Mulberry32 (Tommy Ettinger, public
 * domain), enough for resampling, not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Interval {
  mean: number;
  low: number;
  high: number;
}

export interface BootstrapOptions {
  /** Seed of the resampling. */
  seed: number;
  /** Share of resampled means inside the interval. */
  confidence?: number;
  resamples?: number;
  /** One label a value: values with the same label (frames of one video) are drawn together, as they are not independent. */
  groups?: readonly string[];
}

/**
 * Percentile bootstrap interval of the mean (Efron 1979). Give paired differences to compare two methods on the same
 * pictures.
 *
 * @throws RestorationError `bad-argument` for no values, a value that is not finite, or labels of another length.
 */
export function bootstrapInterval(values: readonly number[], options: BootstrapOptions): Interval {
  const { seed, confidence = 0.95, resamples = 2000, groups } = options;
  if (values.length === 0 || !values.every((value) => Number.isFinite(value))) {
    throw new RestorationError(
      'bad-argument',
      `An interval needs finite values, but ${values.length === 0 ? 'none' : 'infinite or missing ones'} came.`,
      'Leave identical pictures out and count them apart.',
    );
  }
  if (groups && groups.length !== values.length) {
    throw new RestorationError(
      'bad-argument',
      `${values.length} values need as many group labels, but ${groups.length} came.`,
      'Pass one label a value.',
    );
  }
  const clusters = new Map<string, { sum: number; count: number }>();
  values.forEach((value, i) => {
    const label = groups ? groups[i]! : String(i);
    const cluster = clusters.get(label) ?? { sum: 0, count: 0 };
    cluster.sum += value;
    cluster.count += 1;
    clusters.set(label, cluster);
  });
  const drawn = [...clusters.values()];
  const random = seededRandom(seed);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < drawn.length; i++) {
      const cluster = drawn[Math.floor(random() * drawn.length)]!;
      sum += cluster.sum;
      count += cluster.count;
    }
    means[resample] = sum / count;
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  return { mean: mean(values)!, low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** Linear interpolation between the order statistics of a sorted list (the usual "type 7"). */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}
