import { isRunView, type FrameRecord, type RunView } from '../../src/protocol';
import { CompareView } from './compare';
import { CurvesView } from './curves';
import { regionCurves, wholeCurves, type Curve, type Scope } from './curve-data';
import { element, setAttributes, setPicture, setText } from './dom';
import { FactsView } from './facts';
import { FramesView, setShape, type Mode } from './frames';
import type { LoadFrame } from './full-frames';
import { HeaderView } from './header';
import { ENGLISH, type Labels } from './labels';
import { baseName, formatValue } from './numbers';
import { OverviewView } from './overview';
import { lastPlace, placesOf, type Place } from './places';
import { ProgressView } from './progress';
import { RegionMeter, type RegionMeasurement } from './region-metrics';
import { adoptStyles } from './styles';
import { TableView, tableRows } from './table';
import css from './strip.css';

export type { Labels } from './labels';
export { ENGLISH } from './labels';

export interface StripOptions {
  /**
   * Gives a full frame `<sha256>.<ext>` as `data:image/(png|jpeg|webp);base64,...`, or undefined when it is gone. Without it the
   * large view shows the previews.
   */
  loadFrame?: LoadFrame;
  /** Save the given frame; without it there is no such button. */
  onSave?: (frame: FrameRecord) => void;
  /** Put the numbers (a table with tabs) on the clipboard; resolves to whether it worked. Without it there is no such button. */
  onCopy?: (text: string) => Promise<boolean>;
  labels?: Partial<Labels>;
  /** `below`: the comparison opens under the strip at a click and closes with Escape. `above`: it always stands above. */
  comparison?: 'below' | 'above';
  /** Nonce for a `<style>` element, where constructed style sheets are missing. */
  nonce?: string;
}

export interface Strip {
  /** Shows a run, or its next state; what the reader has opened, chosen and zoomed stays. Anything else becomes one sentence. */
  update(view: unknown): void;
  /** The frame that stands in the large view, else the last one; undefined as long as there is none. */
  chosenFrame(): FrameRecord | undefined;
  dispose(): void;
}

/** A frame strip in `container`. Everything it shows is treated as untrusted: text stays text, pictures are embedded ones only. */
export function createStrip(container: HTMLElement, options: StripOptions = {}): Strip {
  return new StripView(container, options);
}

class StripView implements Strip {
  private readonly host = element('div', { class: 'progressive-restoration-strip' });
  private readonly labels: Labels;
  private readonly root: HTMLElement;
  private readonly refusal = element('p', { class: 'refusal', hidden: true });
  private readonly content: HTMLElement;
  private readonly header: HeaderView;
  private readonly progress: ProgressView;
  private readonly overview: OverviewView;
  private readonly facts: FactsView;
  private readonly frames: FramesView;
  private readonly curves: CurvesView;
  private readonly table = new TableView();
  private readonly warnings = element('ul', { class: 'warnings muted' });
  private readonly record = element('pre', { class: 'record', tabindex: 0, hidden: true });
  private readonly reference: { root: HTMLElement; image: HTMLImageElement; window: HTMLElement };
  private readonly timeline: HTMLElement;
  private readonly meter = new RegionMeter();
  private compare: CompareView | undefined;

  private view: RunView | undefined;
  private places: Place[] = [];
  private measured: ReadonlyMap<number, RegionMeasurement> = new Map();
  private mode: Mode = 'detail';
  private scope: Scope = 'whole';
  private lookedAt: number | undefined;
  private isTableShown = false;
  private isRecordShown = false;

  constructor(
    container: HTMLElement,
    private readonly options: StripOptions,
  ) {
    this.labels = { ...ENGLISH, ...options.labels };
    const { labels } = this;
    const shadow = this.host.attachShadow({ mode: 'open' });
    adoptStyles(shadow, css, options.nonce);
    this.header = new HeaderView(labels, {
      onMode: (mode) => this.change(() => (this.mode = mode)),
      onTable: () => this.change(() => (this.isTableShown = !this.isTableShown)),
      onRecord: () => this.change(() => (this.isRecordShown = !this.isRecordShown)),
      onSave:
        options.onSave &&
        (() => {
          const frame = this.chosenFrame();
          if (frame !== undefined) options.onSave?.(frame);
        }),
      onCopy: options.onCopy && (() => void this.copy()),
    });
    this.progress = new ProgressView(labels);
    this.overview = new OverviewView(labels);
    this.facts = new FactsView(labels, (scope) => this.change(() => (this.scope = scope)));
    this.frames = new FramesView(labels, {
      onLook: (at) => this.look(at),
      onOpen: (at) => this.open(at),
    });
    this.curves = new CurvesView(labels);
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
    this.timeline = element(
      'div',
      { class: 'timeline' },
      element('div', { class: 'columns' }, this.frames.element, this.curves.element),
      this.reference.root,
    );
    this.content = element(
      'div',
      { class: 'content' },
      this.header.element,
      this.progress.element,
      element('div', { class: 'look' }, this.overview.element, this.facts.element),
      element('div', { class: 'scroller' }, this.timeline),
      this.table.element,
      this.warnings,
      this.record,
    );
    this.root = element('article', { class: 'strip' }, this.refusal, this.content);
    this.root.addEventListener('keydown', keepControlKeys);
    shadow.append(this.root);
    container.append(this.host);
    if (options.comparison === 'above') this.addCompare();
  }

  update(view: unknown): void {
    const known = isRunView(view);
    this.refusal.hidden = known;
    this.content.hidden = !known;
    if (!known) {
      setText(this.refusal, this.labels.notARun);
      this.view = undefined;
      setAttributes(this.root, { 'aria-busy': undefined });
      if (this.options.comparison !== 'above') this.closeCompare(false);
      return;
    }
    this.view = view;
    this.places = placesOf(view);
    // Until the region is measured as well, what a reader of the page finds here is not the whole.
    setAttributes(this.root, { 'aria-busy': 'true' });
    this.render();
    void this.meter.measure(view).then((measured) => {
      if (this.view !== view) return;
      this.measured = measured;
      setAttributes(this.root, { 'aria-busy': undefined });
      this.render();
    });
  }

  chosenFrame(): FrameRecord | undefined {
    return this.places[this.compare?.opened ?? lastPlace(this.places) ?? -1]?.frame;
  }

  dispose(): void {
    this.compare?.dispose();
    this.host.remove();
  }

  private change(act: () => void): void {
    act();
    this.render();
  }

  private render(): void {
    const { view, places } = this;
    if (view === undefined) return;
    const { record } = view;
    const last = lastPlace(places);
    const whole = wholeCurves(view, places);
    const region = regionCurves(places, this.measured);
    const hasDetail = record.region !== undefined && view.pictures.some((picture) => picture.crop !== undefined);
    // A run that starts has no crops yet: the switch stays where the reader will want it.
    const mode: Mode = hasDetail || view.state.kind === 'running' ? this.mode : 'fit';
    const scope: Scope = region.length > 0 ? this.scope : 'whole';
    setAttributes(this.root, {
      'aria-label': this.labels.strip(this.labels.tasks[record.task], baseName(record.input.file)),
    });
    this.header.update(view, {
      mode,
      hasDetail: hasDetail || view.state.kind === 'running',
      table: this.isTableShown,
      record: this.isRecordShown,
      hasFrames: last !== undefined,
    });
    this.progress.update(view.state, record.frames.length);
    this.renderLook(whole, region, last, scope);
    this.setColumns(view, mode);
    this.frames.update(view, places, mode, (at) => this.describe(at, whole), this.compare?.opened);
    this.renderReference(view, mode);
    // While it works no frame is the last one yet.
    const end = view.state.kind === 'running' ? undefined : last;
    this.curves.update(scope === 'region' ? region : whole, places, end);
    this.table.update(
      tableRows(places, [...whole, ...region], end, this.labels),
      this.isTableShown,
      this.labels.strip(this.labels.tasks[record.task], baseName(record.input.file)),
    );
    const warnings = record.warnings ?? [];
    this.warnings.hidden = warnings.length === 0;
    this.warnings.replaceChildren(...warnings.map((text) => element('li', {}, text)));
    this.record.hidden = !this.isRecordShown;
    setText(this.record, this.isRecordShown ? JSON.stringify(record, null, 2) : '');
    if (this.compare !== undefined) {
      this.compare.element.hidden = last === undefined;
      if (last !== undefined) this.compare.update(view, places);
    }
  }

  private renderLook(whole: Curve[], region: Curve[], last: number | undefined, scope: Scope): void {
    const { view, places } = this;
    if (view === undefined) return;
    const at = this.lookedAt !== undefined && places[this.lookedAt]?.frame !== undefined ? this.lookedAt : last;
    const place = at === undefined ? undefined : places[at];
    const size = place?.frame ?? view.record.input;
    this.overview.update(place, view.record.region, size);
    const end = view.state.kind === 'running' ? undefined : last;
    this.facts.update(view.record, places, { at, last: end, scope, whole, region });
  }

  private setColumns(view: RunView, mode: Mode): void {
    const { region, frames } = view.record;
    const first = frames[0];
    // No wider than what a column shows at its own size, so that the frames stand side by side.
    const natural =
      mode === 'detail' && region !== undefined
        ? region.width
        : Math.min(256, first === undefined ? 256 : (256 * first.width) / Math.max(first.width, first.height));
    const width = Math.min(360, Math.max(72, Math.round(natural) + 4));
    this.timeline.style.setProperty('--count', String(Math.max(1, this.places.length)));
    this.timeline.style.setProperty('--column', `${width}px`);
  }

  private renderReference(view: RunView, mode: Mode): void {
    const { root, image, window } = this.reference;
    const { reference } = view;
    root.hidden = reference === undefined;
    this.timeline.classList.toggle('with-reference', reference !== undefined);
    if (reference === undefined) return;
    const crop = mode === 'detail' ? reference.crop : undefined;
    setPicture(image, crop ?? reference.thumbnail);
    image.alt = this.labels.picture(this.labels.reference, crop !== undefined);
    window.classList.toggle('actual', crop !== undefined);
    const { record } = view;
    setShape(window, crop === undefined ? undefined : record.region, record.frames[0] ?? record.input);
  }

  /** A frame's numbers in words: alternative text of its picture and name of its button. */
  private describe(at: number, curves: Curve[]): string {
    const parts = curves.flatMap((curve) => {
      const value = curve.values[at];
      const { name, unit } = this.labels.curves[curve.key];
      return value === undefined ? [] : [`${name} ${formatValue(curve.key, value)} ${unit}`.trim()];
    });
    return parts.join(', ');
  }

  private look(at: number | undefined): void {
    if (this.lookedAt === at) return;
    this.lookedAt = at;
    this.curves.highlight(at);
    if (this.view === undefined) return;
    const region = regionCurves(this.places, this.measured);
    const scope: Scope = region.length > 0 ? this.scope : 'whole';
    this.renderLook(wholeCurves(this.view, this.places), region, lastPlace(this.places), scope);
  }

  private open(at: number): void {
    const compare = this.compare ?? this.addCompare();
    if (this.view !== undefined) compare.update(this.view, this.places);
    compare.open(at);
    if (this.options.comparison !== 'above') compare.focus();
  }

  private addCompare(): CompareView {
    const above = this.options.comparison === 'above';
    const compare = new CompareView(
      this.labels,
      { onWalk: () => this.render(), onClose: () => this.closeCompare(true) },
      { loadFrame: this.options.loadFrame, closable: !above },
    );
    this.compare = compare;
    if (above) this.content.prepend(compare.element);
    else this.table.element.before(compare.element);
    return compare;
  }

  private closeCompare(backToFrame: boolean): void {
    const opened = this.compare?.opened;
    this.compare?.dispose();
    this.compare = undefined;
    this.render();
    if (backToFrame) this.frames.focus(opened ?? this.places.length - 1);
  }

  private async copy(): Promise<void> {
    const { view } = this;
    if (view === undefined || this.options.onCopy === undefined) return;
    const curves = [...wholeCurves(view, this.places), ...regionCurves(this.places, this.measured)];
    const end = view.state.kind === 'running' ? undefined : lastPlace(this.places);
    const rows = tableRows(this.places, curves, end, this.labels);
    if (await this.options.onCopy(rows.map((row) => row.join('\t').trimEnd()).join('\n'))) this.header.confirmCopy();
  }
}

/**
 * Keys that a button, a choice or a scrolled text needs stay here: a notebook forwards what reaches its window to the editor, where Enter
 * edits the cell and the arrow keys select another one.
 */
function keepControlKeys(event: KeyboardEvent): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { target, key } = event;
  const isButton = target instanceof HTMLButtonElement && (key === 'Enter' || key === ' ');
  const isScrolled = target instanceof HTMLSelectElement || target instanceof HTMLPreElement;
  if (isButton || (isScrolled && /^(Arrow|Page|Home|End|Enter| )/.test(key))) event.stopPropagation();
}
