import { RestorationError, METRICS, type Metric } from '../../protocol';
import { frameIndices, metricCurve, type CurveSeries, type MetricCurve } from './curve-statistics';
import { fitText, letter, widthOf } from './lettering';

export interface CurveDrawingOptions {
  /** Stands above the drawing; nothing unless said otherwise. */
  title?: string;
  /** One panel each, in this order; PSNR, SSIM and LPIPS unless said otherwise. */
  metrics?: readonly Metric[];
  /** Share of the bootstrap means inside a band, between 0 and 1; 0.95 unless said otherwise. */
  confidence?: number;
  /** Seed of the resampling; 0 unless said otherwise. */
  seed?: number;
}

export interface CurveDrawing {
  svg: string;
  width: number;
  height: number;
  curves: MetricCurve[];
  /** Every mean, and the interval of the last frame, as aligned text. */
  table: string;
}

const NAMES: Record<Metric, { title: string; arrow: '↑' | '↓'; digits: number; leastSpan: number }> = {
  psnr: { title: 'PSNR/dB', arrow: '↑', digits: 2, leastSpan: 0.5 },
  ssim: { title: 'SSIM', arrow: '↑', digits: 4, leastSpan: 0.02 },
  lpips: { title: 'LPIPS', arrow: '↓', digits: 4, leastSpan: 0.02 },
  flip: { title: 'FLIP', arrow: '↓', digits: 4, leastSpan: 0.02 },
};

/** Each at least 4.5:1 against white, and told apart by dashes and markers as well. */
const STROKES = [
  { colour: '#0b62a4', dashes: '', marker: 'circle' },
  { colour: '#b04a00', dashes: '7 3', marker: 'square' },
  { colour: '#00745a', dashes: '2 3', marker: 'diamond' },
  { colour: '#9a2b6b', dashes: '9 3 2 3', marker: 'triangle' },
  { colour: '#57606a', dashes: '1 2', marker: 'cross' },
  { colour: '#7a5c00', dashes: '13 4', marker: 'ring' },
] as const;
type Stroke = (typeof STROKES)[number];

const INK = '#1f2328';
const QUIET = '#57606a';
const GRID = '#e3e6ea';
const GROUND = '#ffffff';

const MARGIN = 14;
const GAP = 22;
const TITLE_HEIGHT = 28;
const LEGEND_HEIGHT = 26;
const PLOT_WIDTH = 246;
const PLOT_HEIGHT = 180;
/** Room at the left of a plot for its numbers, above it for its name, below it for the frames. */
const AXIS_WIDTH = 50;
const NAME_HEIGHT = 24;
const FRAMES_HEIGHT = 40;
const SAMPLE_WIDTH = 34;

/**
 * Metrics over frames as an SVG: a panel a metric, a line a series with its confidence band. Text is outlines, so that the
 * drawing looks the same everywhere; a title says the same for those who cannot see it.
 *
 * @throws RestorationError `bad-argument` for no series, more than six, two of one name, or what `metricCurve` refuses
 */
export function drawCurves(series: readonly CurveSeries[], options: CurveDrawingOptions = {}): CurveDrawing {
  const { title, metrics = ['psnr', 'ssim', 'lpips'], confidence = 0.95, seed = 0 } = options;
  check(series, metrics, confidence);
  const curves = metrics.map((metric) => series.map((one) => metricCurve(one, metric, { confidence, seed })));
  const frames = [...new Set(series.flatMap(frameIndices))].sort((a, b) => a - b);

  const top = MARGIN + (title === undefined ? 0 : TITLE_HEIGHT);
  const panelWidth = AXIS_WIDTH + PLOT_WIDTH;
  const width = 2 * MARGIN + metrics.length * panelWidth + (metrics.length - 1) * GAP;
  const legend = drawLegend(series, width - 2 * MARGIN, top);
  const plotTop = top + legend.height + NAME_HEIGHT;
  const height = plotTop + PLOT_HEIGHT + FRAMES_HEIGHT + MARGIN;
  const parts = [
    `<rect width="${width}" height="${height}" fill="${GROUND}"/>`,
    title === undefined
      ? ''
      : letter(fitText(title, width - 2 * MARGIN, TITLE_STYLE), MARGIN, MARGIN + 16, TITLE_STYLE),
    legend.svg,
    ...metrics.map((metric, i) =>
      drawPanel(metric, curves[i]!, frames, MARGIN + i * (panelWidth + GAP) + AXIS_WIDTH, plotTop),
    ),
  ];
  const spoken = escapeXml(describe(title, curves.flat()));
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`;
  return {
    svg: `${open}<title>${spoken}</title>${parts.join('')}</svg>\n`,
    width,
    height,
    curves: curves.flat(),
    table: tableOf(curves, confidence),
  };
}

const TITLE_STYLE = { size: 15, weight: 'semibold', fill: INK } as const;
const NAME_STYLE = { size: 13, weight: 'semibold', fill: INK } as const;
const SMALL_STYLE = { size: 11.5, fill: QUIET } as const;
const LEGEND_STYLE = { size: 12.5, fill: INK } as const;

function check(series: readonly CurveSeries[], metrics: readonly Metric[], confidence: number): void {
  const wrong = (problem: string, remedy: string): RestorationError =>
    new RestorationError('bad-argument', problem, remedy);
  const given: unknown = series;
  if (!Array.isArray(given) || given.length === 0 || given.length > STROKES.length) {
    throw wrong(
      `Curves need 1 to ${STROKES.length} series, not ${Array.isArray(given) ? given.length : typeof given}.`,
      "Call curves([{ name: 'uniform', items: report.items }]).",
    );
  }
  const names = series.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw wrong(`Two series are called "${twice}".`, 'Give each a name of its own.');
  const unknown = metrics.find((metric) => !METRICS.includes(metric));
  if (metrics.length === 0 || unknown !== undefined) {
    throw wrong(
      unknown === undefined ? 'There is no metric to draw.' : `There is no metric "${String(unknown)}".`,
      `Choose from ${METRICS.join(', ')}.`,
    );
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw wrong(`A confidence lies between 0 and 1, not at ${confidence}.`, 'Leave it out for 0.95.');
  }
}

function drawLegend(series: readonly CurveSeries[], room: number, top: number): { svg: string; height: number } {
  let x = MARGIN;
  let y = top;
  const parts: string[] = [];
  for (const [i, { name }] of series.entries()) {
    const text = fitText(name, room - SAMPLE_WIDTH - 8, LEGEND_STYLE);
    const length = SAMPLE_WIDTH + 8 + widthOf(text, LEGEND_STYLE);
    if (x > MARGIN && x + length > MARGIN + room) {
      x = MARGIN;
      y += LEGEND_HEIGHT;
    }
    const stroke = STROKES[i]!;
    const middle = y + 12;
    parts.push(
      lineOf([`${x},${middle}`, `${x + SAMPLE_WIDTH},${middle}`], stroke),
      markerOf(x + SAMPLE_WIDTH / 2, middle, stroke),
      letter(text, x + SAMPLE_WIDTH + 8, middle + 4.5, LEGEND_STYLE),
    );
    x += length + 24;
  }
  return { svg: parts.join(''), height: y - top + LEGEND_HEIGHT };
}

function drawPanel(
  metric: Metric,
  curves: readonly MetricCurve[],
  frames: readonly number[],
  left: number,
  top: number,
): string {
  const { title, arrow, leastSpan } = NAMES[metric];
  const points = curves.flatMap((curve) => curve.points);
  const scale = axis(
    points.flatMap(({ low, high }) => [low, high]),
    leastSpan,
  );
  const first = frames[0]!;
  const span = Math.max(1, frames.at(-1)! - first);
  const x = (frame: number): number => round(left + ((frame - first) / span) * PLOT_WIDTH);
  const y = (value: number): number => round(top + (1 - (value - scale.low) / (scale.high - scale.low)) * PLOT_HEIGHT);
  const parts = [letter(`${title} ${arrow}`, left, top - 9, NAME_STYLE)];
  for (const tick of scale.ticks) {
    parts.push(
      `<line x1="${left}" x2="${left + PLOT_WIDTH}" y1="${y(tick)}" y2="${y(tick)}" stroke="${GRID}"/>`,
      letter(tick.toFixed(scale.digits), left - 8, y(tick) + 4, { ...SMALL_STYLE, anchor: 'end' }),
    );
  }
  for (const frame of labelled(frames)) {
    parts.push(letter(String(frame), x(frame), top + PLOT_HEIGHT + 17, { ...SMALL_STYLE, anchor: 'middle' }));
  }
  parts.push(letter('frame', left + PLOT_WIDTH / 2, top + PLOT_HEIGHT + 33, { ...SMALL_STYLE, anchor: 'middle' }));
  for (const [i, curve] of curves.entries()) parts.push(bandOf(curve, STROKES[i]!, x, y));
  // Lines over all bands, and the first series over the others.
  for (const [i, curve] of [...curves.entries()].reverse()) {
    const stroke = STROKES[i]!;
    parts.push(
      lineOf(
        curve.points.map(({ frame, mean }) => `${x(frame)},${y(mean)}`),
        stroke,
      ),
      ...curve.points.map(({ frame, mean }) => markerOf(x(frame), y(mean), stroke)),
    );
  }
  return parts.join('');
}

/** At most nine frames get a number, the first and the last among them. */
function labelled(frames: readonly number[]): number[] {
  const most = 9;
  if (frames.length <= most) return [...frames];
  return Array.from({ length: most }, (_, i) => frames[Math.round((i * (frames.length - 1)) / (most - 1))]!);
}

function bandOf(
  { points }: MetricCurve,
  { colour }: Stroke,
  x: (frame: number) => number,
  y: (value: number) => number,
): string {
  if (points.every(({ low, high }) => low === high)) return '';
  const there = points.map(({ frame, high }) => `${x(frame)},${y(high)}`);
  const back = points.map(({ frame, low }) => `${x(frame)},${y(low)}`).reverse();
  return `<polygon points="${[...there, ...back].join(' ')}" fill="${colour}" fill-opacity="0.1"/>`;
}

function lineOf(points: readonly string[], { colour, dashes }: Stroke): string {
  const pattern = dashes === '' ? '' : ` stroke-dasharray="${dashes}"`;
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.8"${pattern}/>`;
}

function markerOf(x: number, y: number, { colour, marker }: Stroke): string {
  const edge = `stroke="${colour}" stroke-width="1.5"`;
  switch (marker) {
    case 'circle':
      return `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`;
    case 'ring':
      return `<circle cx="${x}" cy="${y}" r="3" fill="${GROUND}" ${edge}/>`;
    case 'square':
      return `<path d="M${x - 3} ${y - 3}h6v6h-6z" fill="${GROUND}" ${edge}/>`;
    case 'diamond':
      return `<path d="M${x} ${y - 4}l4 4l-4 4l-4 -4z" fill="${GROUND}" ${edge}/>`;
    case 'triangle':
      return `<path d="M${x} ${y - 4}l4 7h-8z" fill="${GROUND}" ${edge}/>`;
    case 'cross':
      return `<path d="M${x - 3} ${y - 3}l6 6M${x - 3} ${y + 3}l6 -6" fill="none" ${edge}/>`;
  }
}

/** Ends of an axis around `values`, and its ticks at round numbers (Heckbert's "nice numbers", Graphics Gems 1990). */
export function axis(
  values: readonly number[],
  leastSpan: number,
): { low: number; high: number; ticks: number[]; digits: number } {
  const least = values.length > 0 ? Math.min(...values) : 0;
  const most = values.length > 0 ? Math.max(...values) : 0;
  const missing = Math.max(0, leastSpan - (most - least)) / 2;
  const span = most - least + 2 * missing;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor((least - missing) / step);
  const last = Math.ceil((most + missing) / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  // As many digits as tell the ticks apart: 2.5 needs one more than 2.
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step / power === 2.5 ? 1 : 0));
  return { low: first * step, high: last * step, ticks, digits };
}

function tableOf(curves: ReadonlyArray<readonly MetricCurve[]>, confidence: number): string {
  const percent = `${Number((100 * confidence).toFixed(1))} %`;
  return curves
    .map((panel) => {
      const { title, arrow, digits } = NAMES[panel[0]!.metric];
      const frames = [...new Set(panel.flatMap(({ points }) => points.map(({ frame }) => frame)))].sort(
        (a, b) => a - b,
      );
      const rows = panel.map(({ series, points }) => {
        const last = points.at(-1);
        return [
          series,
          ...frames.map((frame) => points.find((point) => point.frame === frame)?.mean.toFixed(digits) ?? '-'),
          last ? `${last.low.toFixed(digits)} to ${last.high.toFixed(digits)}` : '-',
        ];
      });
      return align([[`${title} ${arrow}`, ...frames.map(String), `${percent}, last frame`], ...rows]);
    })
    .join('\n\n');
}

/** Columns by their widest cell: the first to the left, numbers to the right. */
function align(rows: ReadonlyArray<readonly string[]>): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => [...row[column]!].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function describe(title: string | undefined, curves: readonly MetricCurve[]): string {
  const sentences = curves.flatMap(({ series, metric, points }) => {
    const [first] = points;
    const last = points.at(-1);
    if (!first || !last) return [];
    const { title: name, digits } = NAMES[metric];
    return [`${name}, ${series}: ${first.mean.toFixed(digits)} to ${last.mean.toFixed(digits)}.`];
  });
  return [...(title === undefined ? [] : [`${title}.`]), ...sentences].join(' ');
}

function escapeXml(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
