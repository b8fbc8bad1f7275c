import { metricNumber, type RunView } from '../../src/protocol';
import type { RegionMeasurement } from './region-metrics';
import type { Place } from './places';

export type CurveKey = 'psnr' | 'ssim' | 'lpips' | 'change';
export type Scope = 'whole' | 'region';

/** One curve: a value for every place of the strip, `undefined` where a frame has none (yet). */
export interface Curve {
  key: CurveKey;
  scope: Scope;
  values: (number | undefined)[];
  /** Place (0-based) of the best frame. */
  best?: number;
}

/** Least difference between the top and the bottom of a plot, so that noise does not look like progress. */
const LEAST_SPAN: Record<CurveKey, number> = { psnr: 0.5, ssim: 0.01, lpips: 0.01, change: 1 };

/** The curves of the whole picture: PSNR, SSIM and LPIPS where there was a reference, else the change from frame to frame. */
export function wholeCurves(view: RunView, places: Place[]): Curve[] {
  const { record } = view;
  const of = (key: CurveKey): Curve => ({
    key,
    scope: 'whole',
    values: places.map(({ frame }) => (key === 'psnr' ? metricNumber(frame?.psnr) : frame?.[key])),
  });
  if (record.reference === undefined) return [of('change')].filter(hasValues);
  return [of('psnr'), of('ssim'), of('lpips')].filter(hasValues).map((curve) => {
    const index = curve.key === 'change' ? undefined : record.best?.[curve.key];
    const best = index === undefined ? -1 : places.findIndex((place) => place.index === index);
    return best < 0 ? curve : { ...curve, best };
  });
}

/** PSNR and SSIM of the region, from what the view measured itself in the embedded crops. */
export function regionCurves(places: Place[], measured: ReadonlyMap<number, RegionMeasurement>): Curve[] {
  return (['psnr', 'ssim'] as const)
    .map((key): Curve => {
      const values = places.map((place) => measured.get(place.index)?.[key]);
      const best = values.reduce<number | undefined>(
        (top, value, at) => (value !== undefined && (top === undefined || value > (values[top] ?? -1)) ? at : top),
        undefined,
      );
      return { key, scope: 'region', values, best };
    })
    .filter(hasValues);
}

function hasValues(curve: Curve): boolean {
  return curve.values.some((value) => value !== undefined);
}

/** What the bottom and the top of a plot stand for. */
export interface Range {
  bottom: number;
  span: number;
}

/** One range for all curves of a plot, so that runs can be compared by eye. */
export function rangeOf(curves: readonly Curve[]): Range | undefined {
  const values = curves.flatMap((curve) => curve.values);
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const [first] = curves;
  if (finite.length === 0 || first === undefined) return undefined;
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const missing = Math.max(0, LEAST_SPAN[first.key] - (high - low)) / 2;
  const infinite = values.includes(Number.POSITIVE_INFINITY);
  const bottom = low - missing;
  return { bottom, span: (high + missing - bottom) * (infinite ? 1.25 : 1) };
}

/** Heights of the points: 0 = bottom, 1 = top of the plot. An infinite value stands at the top, above all finite ones. */
export function heights(curve: Curve, range: Range | undefined): (number | undefined)[] {
  return curve.values.map((value) => {
    if (value === undefined) return undefined;
    if (range === undefined || !Number.isFinite(value)) return 1;
    // Halves first: the difference of two huge numbers out of a hostile record would overflow.
    return Math.min(1, Math.max(0, (value / 2 - range.bottom / 2) / (range.span / 2)));
  });
}
