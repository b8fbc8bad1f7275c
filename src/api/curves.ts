import path from 'node:path';
import { MIME_BUNDLE, RestorationError, type Displayable, type MimeBundle } from '../protocol';
import { drawCurves, type CurveDrawing, type CurveDrawingOptions } from '../restoration/report/draw-curves';
import type { CurveSeries, MetricCurve } from '../restoration/report/curve-statistics';
import { writeFileAtomically } from '../restoration/image/files';

export type CurvesOptions = CurveDrawingOptions;

/** Metrics over frames, drawn. The last expression of a cell shows them. */
export class Curves implements Displayable {
  /** @internal */
  constructor(private readonly drawing: CurveDrawing) {}

  get svg(): string {
    return this.drawing.svg;
  }

  /** Means and intervals, one curve a series and metric. */
  get curves(): readonly MetricCurve[] {
    return this.drawing.curves;
  }

  get width(): number {
    return this.drawing.width;
  }

  get height(): number {
    return this.drawing.height;
  }

  /** All means, and the intervals of the last frame, as a table. */
  toString(): string {
    return this.drawing.table;
  }

  /**
   * Writes the drawing.
   *
   * @param file path ending in .svg; one that is there is replaced
   * @throws RestorationError `bad-argument` or `unwritable`
   */
  async save(file: string): Promise<string> {
    if (typeof file !== 'string' || path.extname(file).toLowerCase() !== '.svg') {
      throw new RestorationError('bad-argument', `${String(file)} does not end in .svg.`, 'Curves are saved as SVG.');
    }
    const target = path.resolve(file);
    await writeFileAtomically(target, this.drawing.svg);
    return target;
  }

  async [MIME_BUNDLE](): Promise<MimeBundle> {
    return { 'image/svg+xml': this.drawing.svg, 'text/plain': this.drawing.table };
  }
}

/**
 * Draws metrics over frames as the paper does (arXiv 2512.02273, Figure 2): a panel for each metric, a line for each series,
 * and around it the percentile bootstrap interval of the mean over pictures.
 *
 * @param series up to six; `items` are those of an evaluation's report, or records of runs
 * @throws RestorationError `bad-argument` in one sentence with a remedy
 * @example
 * const uniform = await evaluate('Set14', { task: 'super-resolution' });
 * const described = await evaluate('Set14', { task: 'super-resolution', prompt: 'auto' });
 * curves([{ name: 'uniform', items: uniform.items }, { name: 'described', items: described.items }]);
 */
export function curves(series: readonly CurveSeries[], options: CurvesOptions = {}): Curves {
  return new Curves(drawCurves(series, options));
}
