import {
  metricValue,
  type AdapterField,
  type Device,
  type ConcreteDevice,
  type FrameRecord,
  type MetricProtocol,
  type MetricValue,
  type RunRecord,
  type Task,
} from '../../protocol';
import { finiteMean, mean, monotoneShare } from '../../measure';
import { BETTER, JUDGED, bestPlace, metricOf, type Judged } from '../report/record';

/** Steps back that are too small to count against monotony. */
export const TOLERANCE: Record<Judged, number> = { psnr: 0.01, ssim: 0.0005, lpips: 0.0005 };

export interface FrameMetrics {
  /** 1-based. */
  index: number;
  psnr?: MetricValue;
  ssim?: number;
  lpips?: number;
  flip?: number;
}

/** Means over the pictures. */
export interface FrameMeans extends FrameMetrics {
  /** Pictures whose frame is identical to its reference; their infinite PSNR is not part of the mean. Left out when 0. */
  infinite?: number;
}

/** What `evaluate --json` prints: scripts rely on these names. */
export interface EvaluationReport {
  task: Task;
  protocol: MetricProtocol;
  /** `uniform`, or the scene prompt that all pictures were given. */
  prompts: string;
  model: { id: string; sha256?: string; adapter?: AdapterField };
  device: { requested: Device; used?: ConcreteDevice };
  /** Pictures that were measured. */
  count: number;
  frames: FrameMeans[];
  /** Shares of the pictures whose curve never gets worse by more than the tolerance. */
  monotone: Partial<Record<Judged, number>>;
  /** Index of the frame with the best mean: an oracle beside the headline, the last frame. */
  best: Partial<Record<Judged, number>>;
  secondsPerPicture?: number;
  peakMemoryMiB?: number;
  items: Array<{ name: string; frames: FrameMetrics[] }>;
  failures: Array<{ name: string; error: string }>;
}

/** What restoring and measuring one picture gave. */
export interface ItemResult {
  frames: ReadonlyArray<Pick<FrameRecord, 'index' | 'psnr' | 'ssim' | 'lpips' | 'flip'>>;
  /** Wall clock of this picture. */
  seconds: number;
  model: RunRecord['model'];
  device: RunRecord['device'];
  /** Peak memory, so far, of the process that did it. */
  peakMemoryMiB?: number;
}

/** What is known before the first picture. */
export interface EvaluationSubject {
  task: Task;
  protocol: MetricProtocol;
  prompts: string;
  /** As asked for; what really ran comes with the results. */
  model: string;
  device: Device;
}

export interface EvaluatedItem {
  name: string;
  result: ItemResult;
}

/** Puts the report together; with no items only what was asked for and the failures stand in it. */
export function composeReport(
  subject: EvaluationSubject,
  items: readonly EvaluatedItem[],
  failures: EvaluationReport['failures'],
): EvaluationReport {
  const { task, protocol, prompts } = subject;
  const results = items.map(({ result }) => result);
  const last = results.at(-1);
  const frames = meansOf(results);
  const seconds = mean(results.map((result) => result.seconds));
  const peaks = results.flatMap(({ peakMemoryMiB }) => peakMemoryMiB ?? []);
  return {
    task,
    protocol,
    prompts,
    model: last?.model ?? { id: subject.model },
    device: last?.device ?? { requested: subject.device },
    count: items.length,
    frames,
    monotone: byMetric((metric) => monotoneOf(results, metric)),
    best: byMetric((metric) => {
      const place = bestPlace(
        frames.map((frame) => metricOf(frame, metric)),
        BETTER[metric],
      );
      return place === undefined ? undefined : frames[place]!.index;
    }),
    ...(seconds === undefined ? {} : { secondsPerPicture: seconds }),
    ...(peaks.length === 0 ? {} : { peakMemoryMiB: Math.max(...peaks) }),
    items: items.map(({ name, result }) => ({ name, frames: result.frames.map(metricsOnly) })),
    failures,
  };
}

function metricsOnly({ index, psnr, ssim, lpips, flip }: FrameMetrics): FrameMetrics {
  return {
    index,
    ...(psnr === undefined ? {} : { psnr }),
    ...(ssim === undefined ? {} : { ssim }),
    ...(lpips === undefined ? {} : { lpips }),
    ...(flip === undefined ? {} : { flip }),
  };
}

/** Means of every frame over the pictures that have it. */
function meansOf(results: readonly ItemResult[]): FrameMeans[] {
  const indices = [...new Set(results.flatMap(({ frames }) => frames.map(({ index }) => index)))].sort((a, b) => a - b);
  return indices.map((index) => {
    const frames = results.flatMap((result) => result.frames.find((frame) => frame.index === index) ?? []);
    const values = frames.flatMap((frame) => metricOf(frame, 'psnr') ?? []);
    const psnr = finiteMean(values);
    const meanOf = (metric: 'ssim' | 'lpips' | 'flip'): number | undefined =>
      mean(frames.flatMap((frame) => frame[metric] ?? []));
    return {
      ...metricsOnly({
        index,
        // All pictures identical to their references: there is no finite mean, and infinity is the truth.
        psnr: psnr.mean ?? (psnr.infinite > 0 ? metricValue(Number.POSITIVE_INFINITY) : undefined),
        ssim: meanOf('ssim'),
        lpips: meanOf('lpips'),
        flip: meanOf('flip'),
      }),
      ...(psnr.infinite > 0 ? { infinite: psnr.infinite } : {}),
    };
  });
}

/** Share of monotone curves among the pictures whose every frame has the metric. */
function monotoneOf(results: readonly ItemResult[], metric: Judged): number | undefined {
  const curves = results
    .map(({ frames }) => frames.map((frame) => metricOf(frame, metric)))
    .filter((curve): curve is number[] => curve.length > 0 && curve.every((value) => value !== undefined));
  return monotoneShare(curves, BETTER[metric], TOLERANCE[metric]);
}

function byMetric(valueOf: (metric: Judged) => number | undefined): Partial<Record<Judged, number>> {
  const entries = JUDGED.map((metric) => [metric, valueOf(metric)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
