import { element, setAttributes, setText, svgElement } from './dom';
import { heights, rangeOf, type Curve, type Range } from './curve-data';
import { formatGain, formatValue } from './numbers';
import { placeName, type Place } from './places';
import type { Labels } from './labels';

/** Height of a plot in pixels: room for a number above the highest point and for "best" below the lowest. */
const HEIGHT = 60;
const TOP = 22;
const BOTTOM = 14;

/** The curves of one run, in the order of the runs. */
export interface PlottedRun {
  curves: Curve[];
  places: Place[];
  /** Place of the last frame of a run that has ended. */
  last: number | undefined;
  name: string;
}

/**
 * The aligned curves. Runs lie over each other, each with a dash, a marker and a colour of its own; the numbers are those of the
 * run that is looked at. Every plot is as wide as the row of frames and positions are percentages of it, so that a point stands
 * under the centre of its frame at any width, without measuring.
 */
export class CurvesView {
  readonly element = element('div', { class: 'curves' });
  private readonly plots = new Map<string, { root: HTMLElement; caption: HTMLElement; drawing: SVGSVGElement }>();

  constructor(private readonly labels: Labels) {}

  /** `chosen` is the run whose numbers are written. */
  update(runs: PlottedRun[], chosen: number): void {
    const keys = [...new Set(runs.flatMap(({ curves }) => curves.map((curve) => curve.key)))];
    for (const [key, plot] of this.plots) {
      if ((keys as string[]).includes(key)) continue;
      plot.root.remove();
      this.plots.delete(key);
    }
    this.element.classList.toggle('overlaid', runs.length > 1);
    const count = Math.max(1, ...runs.map(({ places }) => places.length));
    for (const key of keys) {
      const plot = this.plotOf(key);
      this.element.append(plot.root);
      const { name, unit, better, spoken } = this.labels.curves[key];
      setText(plot.caption, [name, better].filter((part) => part !== '').join(' '));
      if (unit !== '') plot.caption.append(element('span', { class: 'unit' }, ` ${unit}`));
      const drawn = runs.flatMap((run, index) => {
        const curve = run.curves.find((one) => one.key === key);
        return curve === undefined ? [] : [{ run, index, curve }];
      });
      const range = rangeOf(drawn.map(({ curve }) => curve));
      const summaries = drawn.map(({ run, curve }) => {
        const summary = this.summary(curve, run.places, run.last);
        return runs.length === 1 || summary === '' ? summary : `${run.name} ${summary}`.trim();
      });
      setAttributes(plot.drawing, {
        'aria-label': [spoken, summaries.filter((text) => text !== '').join('; ')]
          .filter((text) => text !== '')
          .join(': '),
      });
      // What is looked at is drawn last, over the others.
      drawn.sort((x, y) => Number(x.index === chosen) - Number(y.index === chosen));
      plot.drawing.replaceChildren(
        ...drawn.map(({ run, index, curve }) =>
          svgElement(
            'g',
            {
              class: `series run-${index}${index === chosen ? ' chosen' : ''}`,
              role: 'group',
              'aria-label': runs.length === 1 ? spoken : run.name,
            },
            ...this.draw(curve, run, range, { count, index: runs.length === 1 ? undefined : index }),
          ),
        ),
      );
    }
  }

  /** Marks the column that the pointer or the focus is on. */
  highlight(at: number | undefined): void {
    for (const { drawing } of this.plots.values()) {
      for (const point of drawing.querySelectorAll('.point')) {
        point.classList.toggle('current', point.getAttribute('data-at') === String(at));
      }
    }
  }

  private plotOf(key: Curve['key']): { root: HTMLElement; caption: HTMLElement; drawing: SVGSVGElement } {
    const known = this.plots.get(key);
    if (known !== undefined) return known;
    const caption = element('p', { class: 'curve-name' });
    const drawing = svgElement('svg', { class: 'plot', role: 'group', height: HEIGHT, width: '100%' });
    const root = element('div', { class: `curve ${key}` }, caption, drawing);
    const plot = { root, caption, drawing };
    this.plots.set(key, plot);
    return plot;
  }

  private summary(curve: Curve, places: Place[], last: number | undefined): string {
    const { unit } = this.labels.curves[curve.key];
    const first = curve.values[0];
    const end = last === undefined ? undefined : curve.values[last];
    const lastPlace = last === undefined ? undefined : places[last];
    if (first === undefined || end === undefined || lastPlace === undefined) return '';
    const values = [first, end].map((value) => [formatValue(curve.key, value), unit].join(' ').trim());
    return `${values.join(' – ')} (${placeName(lastPlace, this.labels)})`;
  }

  /** `index` is the run's place among several. */
  private draw(
    curve: Curve,
    { places, last, name }: PlottedRun,
    range: Range | undefined,
    { count, index }: { count: number; index: number | undefined },
  ): SVGElement[] {
    const x = (at: number): string => `${((at + 0.5) / count) * 100}%`;
    const tops = heights(curve, range).map((height) =>
      height === undefined ? undefined : TOP + (1 - height) * (HEIGHT - TOP - BOTTOM),
    );
    const lines: SVGElement[] = [];
    let before: number | undefined;
    tops.forEach((y, at) => {
      if (y === undefined) return;
      const from = before === undefined ? undefined : tops[before];
      if (before !== undefined && from !== undefined) {
        lines.push(svgElement('line', { class: 'line', x1: x(before), y1: from, x2: x(at), y2: y }));
      }
      before = at;
    });
    const points = tops.flatMap((y, at) => {
      const place = places[at];
      const value = curve.values[at];
      if (y === undefined || place === undefined || value === undefined) return [];
      return [this.point(curve, { place, at, value, x: x(at), y, isLast: at === last, run: index, name })];
    });
    return [...lines, ...points];
  }

  private point(
    curve: Curve,
    {
      place,
      at,
      value,
      x,
      y,
      isLast,
      run,
      name,
    }: {
      place: Place;
      at: number;
      value: number;
      x: string;
      y: number;
      isLast: boolean;
      run: number | undefined;
      name: string;
    },
  ): SVGElement {
    const isBest = curve.best === at;
    const told = this.describe(curve, place, value, isLast, isBest);
    const description = run === undefined ? told : `${name}, ${told}`;
    // A nested drawing carries the percentage, so that the marker inside can be drawn around its own origin.
    const group = svgElement(
      'g',
      {
        class: ['point', isLast ? 'last' : '', isBest ? 'best' : ''].filter((part) => part !== '').join(' '),
        'data-at': at,
        role: 'img',
        'aria-label': description,
      },
      svgElement('title', {}, description),
      svgElement('line', { class: 'guide', x1: x, x2: x, y1: 0, y2: HEIGHT }),
      svgElement(
        'svg',
        { class: 'anchor', x, y, overflow: 'visible', width: 1, height: 1 },
        svgElement('rect', { class: 'target', x: -14, y: -TOP, width: 28, height: TOP + BOTTOM }),
        run === undefined ? marker(MARKERS[curve.key]) : marker(run),
      ),
      svgElement('text', { class: 'value', x, y: y - 8 }, formatValue(curve.key, value)),
    );
    if (isBest && !isLast) group.append(svgElement('text', { class: 'note', x, y: y + 13 }, this.labels.best));
    return group;
  }

  private describe(curve: Curve, place: Place, value: number, isLast: boolean, isBest: boolean): string {
    const { name, unit } = this.labels.curves[curve.key];
    const first = curve.values[0];
    const parts = [`${this.labels.frame(place.index)}: ${name} ${formatValue(curve.key, value)} ${unit}`.trim()];
    if (curve.key !== 'change' && first !== undefined && place.role !== 'input') {
      parts.push(
        `${formatGain(curve.key, value, first)} ${unit}`.trim() + ` ${this.labels.over(this.labels.frame(1))}`,
      );
    }
    if (isLast) parts.push(this.labels.last);
    if (isBest) parts.push(this.labels.best);
    return parts.join(', ');
  }
}

const MARKERS: Record<Curve['key'], number> = { psnr: 0, ssim: 1, lpips: 2, change: 3 };

/** A shape of its own for every curve, or for every run: colour alone tells some readers nothing. */
export function marker(shape: number): SVGElement {
  switch (shape % 4) {
    case 0:
      return svgElement('circle', { class: 'marker', cx: 0, cy: 0, r: 3.5 });
    case 1:
      return svgElement('rect', { class: 'marker', x: -3.25, y: -3.25, width: 6.5, height: 6.5 });
    case 2:
      return svgElement('path', { class: 'marker', d: 'M0 -4.6 L4.6 0 L0 4.6 L-4.6 0 Z' });
    default:
      return svgElement('path', { class: 'marker', d: 'M0 -4.4 L4.4 3.4 L-4.4 3.4 Z' });
  }
}
