import { element, setAttributes, setPicture, setText, svgElement } from './dom';
import { marker } from './curves';
import { FramesView, setShape, type FramesEvents, type Mode } from './frames';
import { formatGain } from './numbers';
import { lastPlace, placesOf, type Place } from './places';
import { regionCurves, wholeCurves, type Curve, type Scope } from './curve-data';
import { RegionMeter, type RegionMeasurement } from './region-metrics';
import { describeWork } from './header';
import type { Recut } from './recut';
import type { RunView } from '../../src/protocol';
import type { Labels } from './labels';

export interface RunRowEvents extends FramesEvents {
  /** The reader wants the numbers of this run in the curves. */
  onChoose(): void;
}

/** One run of the strip: its frames in a row, the reference behind them, and above them what tells it from other runs. */
export class RunRow {
  readonly element: HTMLElement;
  readonly frames: FramesView;
  readonly meter = new RegionMeter();
  /** As it came. */
  given: RunView;
  /** With the crops of the region that is looked at. */
  view: RunView;
  places: Place[] = [];
  /** Frames whose crop is not the region itself but a preview enlarged. */
  enlarged: ReadonlySet<number> = new Set();
  measured: ReadonlyMap<number, RegionMeasurement> = new Map();
  private readonly head: HTMLElement;
  private readonly choose: HTMLButtonElement;
  private readonly swatch: SVGSVGElement;
  private readonly gains = element('span', { class: 'muted gains' });
  private readonly reference: { root: HTMLElement; image: HTMLImageElement; window: HTMLElement };

  constructor(
    private readonly labels: Labels,
    view: RunView,
    index: number,
    events: RunRowEvents,
  ) {
    this.given = view;
    this.view = view;
    this.frames = new FramesView(labels, events);
    this.choose = element('button', { type: 'button', class: 'quiet run-name' });
    this.choose.addEventListener('click', () => events.onChoose());
    this.swatch = svgElement(
      'svg',
      { class: `swatch run-${index}`, width: 34, height: 10, 'aria-hidden': 'true' },
      svgElement('line', { class: 'line', x1: 0, y1: 5, x2: 34, y2: 5 }),
      svgElement('svg', { x: 17, y: 5, overflow: 'visible' }, marker(index)),
    );
    this.head = element('div', { class: 'run-head', hidden: true }, this.swatch, this.choose, this.gains);
    const image = element('img', { draggable: 'false' });
    const window = element('span', { class: 'window' }, image);
    this.reference = {
      image,
      window,
      root: element(
        'div',
        { class: 'reference', hidden: true },
        window,
        element('span', { class: 'caption' }, labels.reference),
      ),
    };
    this.element = element(
      'div',
      { class: 'run' },
      this.head,
      element('div', { class: 'run-frames' }, this.frames.element, this.reference.root),
    );
    this.take(view);
  }

  /** What tells this run from others. */
  get name(): string {
    return this.given.label ?? describeWork(this.given);
  }

  /** The place of the last frame, once the run has come to an end. */
  get end(): number | undefined {
    return this.view.state.kind === 'running' ? undefined : lastPlace(this.places);
  }

  /** The next state of the run, as it came. */
  take(view: RunView): void {
    this.given = view;
    this.show({ view, enlarged: new Set(), referenceEnlarged: false });
  }

  /** The same run with the crops of another region. */
  show({ view, enlarged, referenceEnlarged }: Recut): void {
    this.view = view;
    this.places = placesOf(view);
    this.enlarged = referenceEnlarged ? new Set(view.pictures.map(({ index }) => index)) : enlarged;
  }

  /** Measures the crops against the reference's; previews are never measured. */
  async measure(): Promise<void> {
    const { view, enlarged } = this;
    const pictures = view.pictures.filter(({ index }) => !enlarged.has(index));
    const measured = await this.meter.measure({ ...view, pictures });
    if (this.view === view) this.measured = measured;
  }

  curves(scope: Scope): Curve[] {
    return scope === 'whole' ? wholeCurves(this.view, this.places) : regionCurves(this.places, this.measured);
  }

  update(shown: {
    mode: Mode;
    opened: number | undefined;
    /** There are other runs. */
    among: boolean;
    chosen: boolean;
    withReference: boolean;
    scope: Scope;
    describe: (at: number) => string;
  }): void {
    const { mode } = shown;
    this.frames.update(this.view, this.places, mode, shown.describe, shown.opened);
    this.head.hidden = !shown.among;
    setText(this.choose, this.name);
    setAttributes(this.choose, { 'aria-pressed': shown.chosen ? 'true' : 'false' });
    setText(this.gains, shown.among ? this.describeGains(shown.scope) : '');
    setAttributes(this.frames.element, {
      'aria-label': shown.among ? `${this.labels.frames}, ${this.name}` : this.labels.frames,
    });
    this.renderReference(mode, shown.withReference);
  }

  dispose(): void {
    this.element.remove();
  }

  private describeGains(scope: Scope): string {
    const { end } = this;
    if (end === undefined) return this.labels.state(this.given.state, this.given.record.frames.length);
    const gains = this.curves(scope).flatMap(({ key, values }) => {
      const [first, last] = [values[0], values[end]];
      const { name, unit } = this.labels.curves[key];
      if (first === undefined || last === undefined || key === 'change') return [];
      return [`${formatGain(key, last, first)} ${unit === '' ? name : unit}`];
    });
    return gains.join(', ');
  }

  private renderReference(mode: Mode, withReference: boolean): void {
    const { root, image, window } = this.reference;
    const { reference, record } = this.view;
    root.hidden = !withReference;
    // A row without a reference keeps the place, so that columns stay aligned.
    root.style.visibility = reference === undefined ? 'hidden' : '';
    if (reference === undefined) return;
    const crop = mode === 'detail' ? reference.crop : undefined;
    const isAwaited = mode === 'detail' && this.view.cropSheet?.reference === true;
    setPicture(image, crop ?? (isAwaited ? undefined : reference.thumbnail));
    image.alt = this.labels.picture(this.labels.reference, crop !== undefined);
    window.classList.toggle('actual', crop !== undefined);
    setShape(window, crop === undefined ? undefined : record.region, record.frames[0] ?? record.input);
  }
}
