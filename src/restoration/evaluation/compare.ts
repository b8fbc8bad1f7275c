import { metricNumber, metricValue, type MetricProtocol, type MetricValue } from '../../protocol';
import { bootstrapInterval, finiteMean, mean, type Better } from '../../measure';
import type { FrameMeans, FrameMetrics } from './report';
import type { ClipRule } from './clips';

/** What result folders are compared by, in the order of tables. */
export const COMPARED = ['psnr', 'ssim', 'lpips', 'flip'] as const;
export type Compared = (typeof COMPARED)[number];

export const COMPARED_BETTER: Record<Compared, Better> = {
  psnr: 'higher',
  ssim: 'higher',
  lpips: 'lower',
  flip: 'lower',
};

/** Share of resampled means inside an interval. */
export const CONFIDENCE = 0.95;
/** Resamples of a bootstrap. Adjusted tails lie further out, so that more are drawn than for one interval. */
export const RESAMPLES = 5000;
/**
 * Fewest independent units (pictures, or clips) from which a difference is called one. Below six, not even a difference
 * with the same sign everywhere reaches the five per cent level of a two-sided sign test (2 / 2^5 = 0.06).
 */
export const LEAST_UNITS = 6;

/** Figures of one picture of a result folder. */
export type PictureMetrics = Omit<FrameMetrics, 'index'>;

/** One result folder: means over the pictures that all folders have, and every picture that it has. */
export interface FolderReport extends Partial<Record<'ssim' | 'lpips' | 'flip', number>> {
  /** Label of the method. */
  name: string;
  folder: string;
  /** Pictures that the means are taken over: those measured in every folder. */
  count: number;
  psnr?: MetricValue;
  /** Pictures identical to their reference; their infinite PSNR is not part of the mean. Left out when 0. */
  infinite?: number;
  /** The same means as an evaluation of one frame, for programs that read both kinds of report. */
  frames: FrameMeans[];
  items: Array<{ name: string; frames: FrameMetrics[] }>;
  failures: Array<{ name: string; error: string }>;
  /** References without a picture here. */
  missing: string[];
  /** Pictures without a reference. */
  unmatched: string[];
}

/** The difference of two folders on the same pictures: `a` minus `b`. */
export interface PairedDifference {
  a: string;
  b: string;
  metric: Compared;
  /** Pictures with a finite value in both. */
  count: number;
  /** Independent units that were resampled: clips, or pictures where no two come from one clip. */
  units: number;
  /** Pictures left out because one of the values is infinite. Left out when 0. */
  infinite?: number;
  /** Mean of the differences. */
  mean: number;
  /** Bootstrap interval of the mean; left out where there is one unit only. */
  low?: number;
  high?: number;
  confidence: number;
  /** The wider interval that holds for all pairs of folders together (Bonferroni); left out for two folders. */
  adjusted?: { low: number; high: number; confidence: number };
  /** The folder that is better beyond what chance explains; null when this is not decided. */
  better: string | null;
  /** The same in a sentence. */
  statement: string;
}

/** What `evaluate --results --json` prints: scripts rely on these names. */
export interface ComparisonReport {
  protocol: MetricProtocol;
  /** Border that `sr` crops. */
  scale?: number;
  reference: string;
  /** Pictures that were measured in every folder. */
  count: number;
  /** Independent units among them, and the rule that found them. */
  clips: { count: number; rule: string };
  statistics: { method: string; resamples: number; confidence: number; seed: number; comparisons: number };
  results: FolderReport[];
  differences: PairedDifference[];
  secondsPerPicture?: number;
  /** What a reader should know before trusting the numbers. */
  warnings: string[];
}

/** What was measured in one folder. */
export interface MeasuredFolder {
  name: string;
  folder: string;
  /** By reference name, in the order of the references. */
  metrics: ReadonlyMap<string, PictureMetrics>;
  failures: Array<{ name: string; error: string }>;
  missing: string[];
  unmatched: string[];
}

export interface ComparisonSubject {
  protocol: MetricProtocol;
  scale: number;
  reference: string;
  clips: ClipRule;
  seed: number;
  warnings: readonly string[];
  secondsPerPicture?: number;
}

/** Puts the report together: means, and the difference of every two folders. */
export function composeComparison(subject: ComparisonSubject, folders: readonly MeasuredFolder[]): ComparisonReport {
  const { protocol, scale, reference, clips, seed, secondsPerPicture } = subject;
  const common = [...(folders[0]?.metrics.keys() ?? [])].filter((name) =>
    folders.every(({ metrics }) => metrics.has(name)),
  );
  const units = new Set(common.map((name) => clips.clipOf(name))).size;
  const comparisons = (folders.length * (folders.length - 1)) / 2;
  const warnings = [...subject.warnings];
  const most = Math.max(0, ...folders.map(({ metrics }) => metrics.size));
  if (folders.length > 1 && common.length < most) {
    warnings.push(
      `Means and differences are those of the ${common.length} pictures that all folders have; one folder alone has up to ${most}.`,
    );
  }
  return {
    protocol,
    ...(protocol === 'sr' ? { scale } : {}),
    reference,
    count: common.length,
    clips: { count: units, rule: clips.description },
    statistics: {
      method: 'percentile bootstrap of the mean paired difference, resampled by clip',
      resamples: RESAMPLES,
      confidence: CONFIDENCE,
      seed,
      comparisons,
    },
    results: folders.map((folder) => folderReport(folder, common)),
    differences: pairsOf(folders).flatMap(([a, b]) =>
      COMPARED.flatMap((metric) => differenceOf(a, b, metric, common, clips, seed, comparisons) ?? []),
    ),
    ...(secondsPerPicture === undefined ? {} : { secondsPerPicture }),
    warnings,
  };
}

function folderReport(folder: MeasuredFolder, common: readonly string[]): FolderReport {
  const rows = common.map((name) => folder.metrics.get(name)!);
  const values = rows.flatMap(({ psnr }) => metricNumber(psnr) ?? []);
  const finite = finiteMean(values);
  const meanOf = (metric: 'ssim' | 'lpips' | 'flip'): number | undefined => {
    const present = rows.flatMap((row) => row[metric] ?? []);
    // A mean over fewer pictures than the others would pass for one over all.
    return present.length === rows.length ? mean(present) : undefined;
  };
  const psnr = finite.mean ?? (finite.infinite > 0 ? metricValue(Number.POSITIVE_INFINITY) : undefined);
  const means = withoutUndefined({ psnr, ssim: meanOf('ssim'), lpips: meanOf('lpips'), flip: meanOf('flip') });
  const infinite = finite.infinite > 0 ? { infinite: finite.infinite } : {};
  return {
    name: folder.name,
    folder: folder.folder,
    count: common.length,
    ...means,
    ...infinite,
    frames: rows.length === 0 ? [] : [{ index: 1, ...means, ...infinite }],
    items: [...folder.metrics].map(([name, metrics]) => ({
      name,
      frames: [{ index: 1, ...withoutUndefined(metrics) }],
    })),
    failures: folder.failures,
    missing: folder.missing,
    unmatched: folder.unmatched,
  };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}

function pairsOf<T>(list: readonly T[]): Array<[T, T]> {
  return list.flatMap((a, i) => list.slice(i + 1).map((b): [T, T] => [a, b]));
}

function differenceOf(
  a: MeasuredFolder,
  b: MeasuredFolder,
  metric: Compared,
  common: readonly string[],
  clips: ClipRule,
  seed: number,
  comparisons: number,
): PairedDifference | undefined {
  const values: number[] = [];
  const groups: string[] = [];
  let infinite = 0;
  for (const name of common) {
    const one = metricNumber(a.metrics.get(name)![metric]);
    const two = metricNumber(b.metrics.get(name)![metric]);
    if (one === undefined || two === undefined) continue;
    if (Number.isFinite(one) && Number.isFinite(two)) {
      values.push(one - two);
      groups.push(clips.clipOf(name));
    } else infinite++;
  }
  const middle = mean(values);
  if (middle === undefined) return undefined;
  const units = new Set(groups).size;
  const base = {
    a: a.name,
    b: b.name,
    metric,
    count: values.length,
    units,
    ...(infinite > 0 ? { infinite } : {}),
    mean: middle,
  };
  if (units < 2) {
    const only = groups.length > 1 ? 'All pictures come from one clip' : 'There is one picture only';
    const statement = `${wording(base)}. ${only}: whether this holds for others cannot be said.`;
    return { ...base, confidence: CONFIDENCE, better: null, statement };
  }
  const options = { seed, resamples: RESAMPLES, groups };
  const { low, high } = bootstrapInterval(values, { ...options, confidence: CONFIDENCE });
  const adjustedConfidence = 1 - (1 - CONFIDENCE) / comparisons;
  const adjusted =
    comparisons > 1 ? bootstrapInterval(values, { ...options, confidence: adjustedConfidence }) : undefined;
  const decisive = adjusted ?? { low, high };
  const enough = units >= LEAST_UNITS;
  const excludesZero = decisive.low > 0 || decisive.high < 0;
  const better =
    enough && excludesZero ? (decisive.low > 0 === (COMPARED_BETTER[metric] === 'higher') ? a.name : b.name) : null;
  return {
    ...base,
    low,
    high,
    confidence: CONFIDENCE,
    ...(adjusted ? { adjusted: { low: adjusted.low, high: adjusted.high, confidence: adjustedConfidence } } : {}),
    better,
    statement: statementOf(base, { low, high }, { enough, excludesZero, better, comparisons }),
  };
}

type Base = Pick<PairedDifference, 'a' | 'b' | 'metric' | 'count' | 'units' | 'mean'>;

export const COMPARED_NAMES: Record<Compared, string> = { psnr: 'PSNR', ssim: 'SSIM', lpips: 'LPIPS', flip: 'FLIP' };

/** Digits after the point; a difference of means is shown with one more than the means. */
export const COMPARED_DIGITS: Record<Compared, number> = { psnr: 2, ssim: 4, lpips: 4, flip: 4 };

export function signed(value: number, metric: Compared): string {
  const text = Math.abs(value).toFixed(COMPARED_DIGITS[metric] + 1);
  return Number(text) === 0 ? text : `${value > 0 ? '+' : '-'}${text}`;
}

function wording({ a, b, metric, mean: difference }: Base): string {
  const unit = metric === 'psnr' ? ' dB' : '';
  return `${COMPARED_NAMES[metric]} of ${a} minus ${b}: ${signed(difference, metric)}${unit} on average`;
}

function statementOf(
  base: Base,
  { low, high }: { low: number; high: number },
  verdict: { enough: boolean; excludesZero: boolean; better: string | null; comparisons: number },
): string {
  const { metric, count, units } = base;
  const over = units === count ? `${count} pictures` : `${count} pictures in ${units} clips`;
  const interval = `${CONFIDENCE * 100} % interval ${signed(low, metric)} to ${signed(high, metric)}, ${over}`;
  const adjusted = verdict.comparisons > 1 ? `, also after adjusting for ${verdict.comparisons} comparisons` : '';
  let conclusion: string;
  if (!verdict.enough)
    conclusion = `Too few independent ${units === count ? 'pictures' : 'clips'} (${units}) to decide.`;
  else if (verdict.better !== null) {
    conclusion = `On pictures like these, ${verdict.better} is better by ${COMPARED_NAMES[metric]}${adjusted}.`;
  } else if (low > 0 || high < 0) {
    conclusion = `Not decided: the interval holds 0 once it is adjusted for ${verdict.comparisons} comparisons.`;
  } else conclusion = 'Not decided: the interval holds 0.';
  return `${wording(base)} (${interval}). ${conclusion}`;
}
