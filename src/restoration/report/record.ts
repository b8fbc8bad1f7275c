import { metricNumber, type FrameRecord, type RunRecord } from '../../protocol';
import type { Better } from '../../measure';

/** Metrics that a frame is judged by, in the order in which they are shown. */
export const JUDGED = ['psnr', 'ssim', 'lpips'] as const;
export type Judged = (typeof JUDGED)[number];

/** Which direction of a metric is an improvement. */
export const BETTER: Record<Judged, Better> = { psnr: 'higher', ssim: 'higher', lpips: 'lower' };

/** A frame's metric for arithmetic (infinity as the number); undefined where it was not measured. */
export function metricOf(frame: Pick<FrameRecord, Judged>, metric: Judged): number | undefined {
  return metricNumber(frame[metric]);
}

/** Place (0-based) of the best value; of equal ones the last, as the last frame is the headline. Undefined values are passed over. */
export function bestPlace(values: ReadonlyArray<number | undefined>, better: Better): number | undefined {
  let best: number | undefined;
  values.forEach((value, place) => {
    if (value === undefined) return;
    const champion = best === undefined ? undefined : values[best];
    if (champion === undefined || (better === 'higher' ? value >= champion : value <= champion)) best = place;
  });
  return best;
}

/**
 * Index (1-based, as in the frames) of the best frame by each metric; undefined when PSNR and SSIM were not measured.
 * LPIPS is left out where it is missing.
 */
export function bestFrames(frames: readonly FrameRecord[]): RunRecord['best'] {
  const indexOf = (metric: Judged): number | undefined => {
    const place = bestPlace(
      frames.map((frame) => metricOf(frame, metric)),
      BETTER[metric],
    );
    return place === undefined ? undefined : frames[place]!.index;
  };
  const psnr = indexOf('psnr');
  const ssim = indexOf('ssim');
  const lpips = indexOf('lpips');
  if (psnr === undefined || ssim === undefined) return undefined;
  return { psnr, ssim, ...(lpips === undefined ? {} : { lpips }) };
}

/**
 * How much better or worse (signed as the metric itself) the last frame is than the first; undefined where one of them
 * lacks the metric. Two infinite values differ by 0.
 */
export function gainOf(frames: readonly FrameRecord[], metric: Judged): number | undefined {
  const first = frames[0] && metricOf(frames[0], metric);
  const last = frames.length > 1 ? metricOf(frames[frames.length - 1]!, metric) : undefined;
  if (first === undefined || last === undefined) return undefined;
  return first === last ? 0 : last - first;
}
