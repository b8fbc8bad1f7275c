import { element, setAttributes, setText, svgElement } from './dom';
import { heights, type Curve } from './curve-data';
import { formatGain, formatValue } from './numbers';
import { placeName, type Place } from './places';
import type { Labels } from './labels';

/** Height of a plot in pixels: room for a number above the highest point and for "best" below the lowest. */
const HEIGHT = 60;
const TOP = 22;
const BOTTOM = 14;

/**
 * The aligned curves. Every plot is as wide as the row of frames and positions are percentages of it, so that a point stands
 * under the centre of its frame at any width, without measuring.
 */
export class CurvesView {
  readonly element = element('div', { class: 'curves' });
  private readonly plots = new Map<string, { root: HTMLElement; caption: HTMLElement; drawing: SVGSVGElement }>();

  constructor(private readonly labels: Labels) {}

  update(curves: Curve[], places: Place[], last: number | undefined): void {
    const wanted = new Set(curves.map((curve) => curve.key as string));
    for (const [key, plot] of this.plots) {
      if (wanted.has(key)) continue;
      plot.root.remove();
      this.plots.delete(key);
    }
    for (const curve of curves) {
      const plot = this.plotOf(curve);
      this.element.append(plot.root);
      const { name, unit, better } = this.labels.curves[curve.key];
      setText(plot.caption, [name, better].filter((part) => part !== '').join(' '));
      if (unit !== '') plot.caption.append(element('span', { class: 'unit' }, ` ${unit}`));
      setAttributes(plot.drawing, { 'aria-label': this.summary(curve, places, last) });
      plot.drawing.replaceChildren(...this.draw(curve, places, last));
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

  private plotOf(curve: Curve): { root: HTMLElement; caption: HTMLElement; drawing: SVGSVGElement } {
    const known = this.plots.get(curve.key);
    if (known !== undefined) return known;
    const caption = element('p', { class: 'curve-name' });
    const drawing = svgElement('svg', { class: 'plot', role: 'group', height: HEIGHT, width: '100%' });
    const root = element('div', { class: `curve ${curve.key}` }, caption, drawing);
    const plot = { root, caption, drawing };
    this.plots.set(curve.key, plot);
    return plot;
  }

  private summary(curve: Curve, places: Place[], last: number | undefined): string {
    const { spoken, unit } = this.labels.curves[curve.key];
    const first = curve.values[0];
    const end = last === undefined ? undefined : curve.values[last];
    const lastPlace = last === undefined ? undefined : places[last];
    if (first === undefined || end === undefined || lastPlace === undefined) return spoken;
    const values = [first, end].map((value) => [formatValue(curve.key, value), unit].join(' ').trim());
    return `${spoken}: ${values.join(' – ')} (${placeName(lastPlace, this.labels)})`;
  }

  private draw(curve: Curve, places: Place[], last: number | undefined): SVGElement[] {
    const count = places.length;
    const x = (at: number): string => `${((at + 0.5) / count) * 100}%`;
    const tops = heights(curve).map((height) =>
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
      return [this.point(curve, { place, at, value, x: x(at), y, isLast: at === last })];
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
    }: { place: Place; at: number; value: number; x: string; y: number; isLast: boolean },
  ): SVGElement {
    const isBest = curve.best === at;
    const description = this.describe(curve, place, value, isLast, isBest);
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
        marker(curve),
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

/** A shape of its own for every curve, since colour alone tells some readers nothing. */
function marker(curve: Curve): SVGElement {
  switch (curve.key) {
    case 'psnr':
      return svgElement('circle', { class: 'marker', cx: 0, cy: 0, r: 3.5 });
    case 'ssim':
      return svgElement('rect', { class: 'marker', x: -3.25, y: -3.25, width: 6.5, height: 6.5 });
    case 'lpips':
      return svgElement('path', { class: 'marker', d: 'M0 -4.6 L4.6 0 L0 4.6 L-4.6 0 Z' });
    case 'change':
      return svgElement('path', { class: 'marker', d: 'M0 -4.4 L4.4 3.4 L-4.4 3.4 Z' });
  }
}
