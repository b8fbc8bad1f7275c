import type { Better } from '../../measure';
import { letter } from './lettering';
import { bestPlace } from './record';

/** One curve of the strip: a value a column, in words and in colour. */
export interface Curve {
  name: string;
  /** Small words under the name. */
  explanation: string;
  values: ReadonlyArray<number | undefined>;
  format: (value: number) => string;
  /** Undefined where no direction is better. */
  better?: Better;
  /** Least difference between the top and the bottom of the plot, so that noise does not look like progress. */
  leastSpan: number;
  colour: string;
  /** SVG dash pattern; curves must not be told apart by colour alone. */
  dashes?: string;
}

/** Where a band stands: its top, the x of its name, and the x of each column's middle. */
export interface BandPlace {
  top: number;
  nameX: number;
  columns: readonly number[];
}

export const BAND_HEIGHT = 70;
/** Distance of the plot's highest and lowest point from the band's top. */
const PLOT_TOP = 30;
const PLOT_BOTTOM = 58;
const NUMBER_ABOVE = 9;
const INK = '#1f2328';
const QUIET = '#656d76';
const GROUND = '#ffffff';

/** Heights of the values between 0 (bottom) and 1 (top). Infinite values stand at the top, above all finite ones. */
export function heightsOf(values: ReadonlyArray<number | undefined>, leastSpan: number): Array<number | undefined> {
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const low = finite.length > 0 ? Math.min(...finite) : 0;
  const high = finite.length > 0 ? Math.max(...finite) : 0;
  const missing = Math.max(0, leastSpan - (high - low)) / 2;
  const bottom = low - missing;
  const span = (high + missing - bottom) * (finite.length < values.length ? 1.25 : 1);
  return values.map((value) => {
    if (value === undefined) return undefined;
    return Number.isFinite(value) ? (value - bottom) / span : value > 0 ? 1 : 0;
  });
}

/** SVG of one curve with its name at the left and its number over every point. */
export function drawBand(curve: Curve, { top, nameX, columns }: BandPlace): string {
  const heights = heightsOf(curve.values, curve.leastSpan);
  const points = columns.flatMap((x, column) => {
    const height = heights[column];
    const value = curve.values[column];
    if (height === undefined || value === undefined) return [];
    return [{ column, x, y: top + PLOT_BOTTOM - height * (PLOT_BOTTOM - PLOT_TOP), value }];
  });
  const best = curve.better ? bestPlace(curve.values, curve.better) : undefined;
  const dashes = curve.dashes ? ` stroke-dasharray="${curve.dashes}"` : '';
  const line = points.map(({ x, y }) => `${x},${y.toFixed(2)}`).join(' ');
  const parts = [
    letter(curve.name, nameX, top + PLOT_TOP + 9, { size: 13, weight: 'semibold', fill: curve.colour }),
    letter(curve.explanation, nameX, top + PLOT_TOP + 25, { size: 10.5, fill: QUIET }),
    `<polyline points="${line}" fill="none" stroke="${curve.colour}" stroke-width="1.5"${dashes}/>`,
  ];
  for (const { column, x, y, value } of points) {
    const last = column === columns.length - 1;
    const marked = last || column === best;
    parts.push(
      `<circle cx="${x}" cy="${y.toFixed(2)}" r="${last ? 4.5 : 3}" fill="${marked ? curve.colour : GROUND}" stroke="${curve.colour}" stroke-width="1.5"/>`,
      letter(curve.format(value), x, y - NUMBER_ABOVE, {
        size: last ? 12.5 : 12,
        weight: marked ? 'semibold' : 'regular',
        fill: marked ? INK : QUIET,
        anchor: 'middle',
      }),
    );
    if (column === best && !last) {
      parts.push(letter('best', x, y + 16, { size: 10.5, fill: curve.colour, anchor: 'middle' }));
    }
  }
  return parts.join('');
}
