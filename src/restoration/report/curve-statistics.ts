import { RestorationError, metricNumber, type FrameRecord, type Metric } from '../../protocol';
import { bootstrapInterval, finiteMean } from '../../measure';

/** Frames of one picture with their metrics: an item of an evaluation's report, or a run's record. */
export interface MeasuredClip {
  frames: ReadonlyArray<Pick<FrameRecord, 'index' | Metric>>;
}

/** The clips that one method, or one way to prompt it, made of the same pictures. */
export interface CurveSeries {
  name: string;
  items: readonly MeasuredClip[];
}

/** A frame's mean over the pictures, and the interval that it lies in. */
export interface CurvePoint {
  /** 1-based. */
  frame: number;
  mean: number;
  /** Ends of the interval; equal to the mean for a single picture. */
  low: number;
  high: number;
  /** Pictures that took part. */
  count: number;
  /** Pictures whose frame is identical to its reference: their infinite PSNR is left out. Absent when 0. */
  infinite?: number;
}

export interface MetricCurve {
  series: string;
  metric: Metric;
  /** A frame that no picture has a finite value for is left out. */
  points: CurvePoint[];
}

export interface CurveStatistics {
  /** Share of resampled means inside the interval, in (0, 1). */
  confidence: number;
  seed: number;
}

/**
 * Means over pictures for every frame, with percentile bootstrap intervals (Efron 1979). Pictures are drawn, not frames: all
 * frames of a picture share their draws, as they share their difficulty.
 *
 * @throws RestorationError `bad-argument` for a series without pictures, clips of different lengths, or a metric that was
 *   not measured
 */
export function metricCurve(series: CurveSeries, metric: Metric, { confidence, seed }: CurveStatistics): MetricCurve {
  const indices = frameIndices(series);
  const points = indices.flatMap((frame, place): CurvePoint[] => {
    const values = series.items.map(({ frames }) => {
      const value = metricNumber(frames[place]![metric]);
      if (value !== undefined) return value;
      throw new RestorationError(
        'bad-argument',
        `Frame ${frame} of "${series.name}" has no ${metric.toUpperCase()}.`,
        'Measure it, or leave the metric out.',
      );
    });
    const { finite, infinite } = finiteMean(values);
    if (finite === 0) return [];
    // The seed is the same for every frame: with the same pictures the same ones are drawn, and bands do not jitter.
    const { mean, low, high } = bootstrapInterval(
      values.filter((value) => Number.isFinite(value)),
      { seed, confidence },
    );
    return [{ frame, mean, low, high, count: finite, ...(infinite > 0 ? { infinite } : {}) }];
  });
  return { series: series.name, metric, points };
}

/** Indices of the frames, which all pictures of a series share. */
export function frameIndices({ name, items }: CurveSeries): number[] {
  const [first] = items;
  if (first === undefined || first.frames.length === 0) {
    throw new RestorationError(
      'bad-argument',
      `"${name}" has no pictures to draw.`,
      'Give at least one measured clip.',
    );
  }
  const indices = first.frames.map(({ index }) => index);
  const other = items.find(
    ({ frames }) => frames.length !== indices.length || frames.some(({ index }, i) => index !== indices[i]),
  );
  if (other) {
    throw new RestorationError(
      'bad-argument',
      `The clips of "${name}" have ${indices.length} and ${other.frames.length} frames, or other frames.`,
      'Give clips with the same frames.',
    );
  }
  return indices;
}
