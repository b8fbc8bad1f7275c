import { element, setAttributes } from './dom';
import { formatGain, formatValue } from './numbers';
import { placeName, type Place } from './places';
import type { Curve } from './curve-data';
import type { Labels } from './labels';

/** The rows of the table as text: header first, then a row a frame; also what is copied. */
export function tableRows(places: Place[], curves: Curve[], last: number | undefined, labels: Labels): string[][] {
  const head = [labels.frames, labels.severity];
  for (const curve of curves) {
    const { name, unit, better } = labels.curves[curve.key];
    const scope = curve.scope === 'region' ? ` (${labels.scopes.region})` : '';
    head.push(`${name}${scope} ${better} ${unit}`.replace(/\s+/g, ' ').trim());
    if (curve.key !== 'change') head.push(labels.gain);
  }
  head.push('');
  const body = places
    .map((place, at) => ({ place, at }))
    .filter(({ place }) => place.frame !== undefined)
    .map(({ place, at }) => {
      // Pictures that are compared have no severity, and none of them is where a restoration ended.
      const compared = place.frame?.name !== undefined;
      const row = [placeName(place, labels), compared ? '' : (place.frame?.severity ?? 0).toFixed(3)];
      const marks: string[] = at === last && !compared ? [labels.last] : [];
      for (const curve of curves) {
        const value = curve.values[at];
        const first = curve.values[0];
        row.push(value === undefined ? '' : formatValue(curve.key, value));
        if (curve.key !== 'change') {
          row.push(value === undefined || first === undefined || at === 0 ? '' : formatGain(curve.key, value, first));
        }
        if (curve.best === at && curve.scope === 'whole') marks.push(`${labels.best} ${labels.curves[curve.key].name}`);
      }
      row.push(marks.join(', '));
      return row;
    });
  return [head, ...body];
}

/** What the table needs of one run. */
export interface TabledRun {
  name: string;
  places: Place[];
  curves: Curve[];
  last: number | undefined;
}

/** The rows of all runs: those of one run as they are, those of several with the run's name in front. */
export function tableOfRuns(runs: TabledRun[], labels: Labels): string[][] {
  const kinds = new Map(runs.flatMap(({ curves }) => curves.map((curve) => [`${curve.scope} ${curve.key}`, curve])));
  const [, ...more] = runs;
  const tables = runs.map((run) => {
    // Every run has the same columns, also for what only another one was measured by.
    const curves = [...kinds.values()].map(
      ({ key, scope }) =>
        run.curves.find((curve) => curve.key === key && curve.scope === scope) ?? { key, scope, values: [] },
    );
    const rows = tableRows(run.places, curves, run.last, labels);
    return more.length === 0 ? rows : rows.map((row, at) => [at === 0 ? labels.run : run.name, ...row]);
  });
  return tables.flatMap((rows, at) => (at === 0 ? rows : rows.slice(1)));
}

/** The numbers of the curves as a table: always there for a screen reader, for everyone at a click. */
export class TableView {
  readonly element = element('div', { class: 'numbers hidden-visually' });

  update(rows: string[][], shown: boolean, caption: string): void {
    this.element.classList.toggle('hidden-visually', !shown);
    // A wide table scrolls: with the keyboard as well.
    setAttributes(this.element, {
      tabindex: shown ? 0 : undefined,
      role: shown ? 'group' : undefined,
      'aria-label': shown ? caption : undefined,
    });
    const [head = [], ...body] = rows;
    this.element.replaceChildren(
      element(
        'table',
        {},
        element('caption', { class: 'hidden-visually' }, caption),
        element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
        element(
          'tbody',
          {},
          ...body.map(([name = '', ...cells]) =>
            element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((text) => element('td', {}, text))),
          ),
        ),
      ),
    );
  }
}
