import { element, setAttributes } from './dom';
import { baseName, formatGain, formatValue } from './numbers';
import type { RunRecord } from '../../src/protocol';
import type { Curve, Scope } from './curve-data';
import type { Labels } from './labels';
import type { Place } from './places';

/** Input, reference, protocol and what one frame gained, whole picture and region beside each other. */
export class FactsView {
  readonly element = element('dl', { class: 'facts' });
  private readonly whole: HTMLButtonElement;
  private readonly region: HTMLButtonElement;
  private readonly scopes: HTMLElement;

  constructor(
    private readonly labels: Labels,
    onScope: (scope: Scope) => void,
  ) {
    const button = (scope: Scope): HTMLButtonElement => {
      const made = element('button', { type: 'button', class: 'quiet' }, labels.scopes[scope]);
      made.addEventListener('click', () => onScope(scope));
      return made;
    };
    this.whole = button('whole');
    this.region = button('region');
    this.scopes = element(
      'span',
      { class: 'switch', role: 'group', 'aria-label': labels.protocol },
      this.whole,
      this.region,
    );
  }

  /** `at` is the place that the gains belong to, `last` that of a run's last frame. */
  update(
    record: RunRecord,
    places: Place[],
    shown: { at: number | undefined; last: number | undefined; scope: Scope; whole: Curve[]; region: Curve[] },
  ): void {
    const { input, reference, protocol } = record;
    const size = (side: { width: number; height: number }): string => `${side.width}×${side.height}`;
    const end = record.frames.at(-1);
    const grown = end !== undefined && (end.width !== input.width || end.height !== input.height);
    const compares = places.some(({ frame }) => frame?.name !== undefined);
    const rows: HTMLElement[][] = [
      compares
        ? this.row(this.labels.sizeOfPictures, [size(input)])
        : this.row(this.labels.input, [baseName(input.file)], grown ? `${size(input)} → ${size(end)}` : size(input)),
    ];
    if (reference !== undefined) rows.push(this.row(this.labels.reference, [baseName(reference.file)]));
    if (record.region !== undefined) {
      const { width, height, x, y } = record.region;
      rows.push(this.row(this.labels.region, [this.labels.regionFacts(width, height, x, y)]));
    }
    if (protocol !== undefined) {
      const name = this.labels.protocols[protocol.name](protocol.scale);
      const scopes =
        shown.region.length > 0 ? [this.scopes] : [element('span', { class: 'muted' }, this.labels.scopes.whole)];
      rows.push(this.row(this.labels.protocol, [name, ...scopes]));
      setAttributes(this.whole, { 'aria-pressed': shown.scope === 'whole' ? 'true' : 'false' });
      setAttributes(this.region, { 'aria-pressed': shown.scope === 'region' ? 'true' : 'false' });
    }
    if (record.diffusion !== undefined) {
      const { roundTripPsnr } = record.diffusion;
      const ceiling =
        roundTripPsnr === undefined ? '' : this.labels.ceiling(formatValue('psnr', Number(roundTripPsnr)));
      rows.push(this.row(this.labels.diffusion, [this.labels.diffusionFacts(record.diffusion)], ceiling));
    }
    const at = shown.at;
    const place = at === undefined ? undefined : places[at];
    if (at !== undefined && place !== undefined && reference !== undefined) {
      const name = place.frame?.name ?? (at === shown.last ? this.labels.lastFrame : this.labels.frame(place.index));
      for (const [label, curves] of [
        [name, shown.whole],
        [this.labels.inRegion, shown.region],
      ] as const) {
        const gains = this.gains(curves, at);
        if (gains.length > 0) rows.push(this.row(label, gains));
      }
    }
    const root = this.element.getRootNode();
    const focused = root instanceof ShadowRoot ? root.activeElement : null;
    this.element.replaceChildren(...rows.flat());
    // Moving the switch into its new row takes the focus from the button that was pressed.
    if (focused instanceof HTMLElement && this.scopes.contains(focused)) focused.focus();
    if (reference === undefined) {
      this.element.append(
        element(
          'div',
          { class: 'plain' },
          shown.whole.length > 0 || record.frames.length === 0 ? this.labels.noReference : this.labels.noNumbers,
        ),
      );
    }
  }

  private row(label: string, values: (string | Node)[], quiet = ''): HTMLElement[] {
    const value = element('dd', {});
    values.forEach((part, at) => value.append(...(at === 0 ? [part] : [' ', part])));
    if (quiet !== '') value.append(' ', element('span', { class: 'muted' }, quiet));
    return [element('dt', {}, label), value];
  }

  private gains(curves: Curve[], at: number): Node[] {
    return curves.flatMap((curve) => {
      const value = curve.values[at];
      const first = curve.values[0];
      if (value === undefined || first === undefined || curve.key === 'change') return [];
      const { name, unit } = this.labels.curves[curve.key];
      const text = at === 0 ? formatValue(curve.key, value) : formatGain(curve.key, value, first);
      // "+7.91 dB" needs no name, the others do.
      return [element('span', { class: 'gain' }, `${text} ${unit === '' ? name : unit}`)];
    });
  }
}
