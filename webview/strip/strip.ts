import { isRunView, suggestedName, type FrameRecord, type Region, type RunView } from '../../src/protocol';
import { Bitmaps } from './bitmaps';
import { CompareView } from './compare';
import { CurvesView } from './curves';
import type { Curve, Scope } from './curve-data';
import { element, setAttributes, setText } from './dom';
import { FactsView } from './facts';
import { drawFigure } from './figure';
import type { Mode } from './frames';
import { FullFrames, type LoadFrame } from './full-frames';
import { HeaderView } from './header';
import { ENGLISH, type Labels } from './labels';
import type { MenuItem } from './menu';
import { baseName, formatValue } from './numbers';
import { OverviewView } from './overview';
import { isComparison, lastPlace } from './places';
import { ProgressView } from './progress';
import { recut, startRegion } from './recut';
import { isPacked, unpackCrops, unpackThumbnails, withKnown } from './unpack';
import { Visibility } from './visibility';
import { fittedRegion, isInside, sameRegion } from './region';
import { RunRow } from './run-row';
import { adoptStyles } from './styles';
import { TableView, tableOfRuns } from './table';
import { csvTable, markdownTable, textDataUrl } from './tables';
import css from './strip.css';

export type { Labels } from './labels';
export { ENGLISH } from './labels';

export interface StripOptions {
  /**
   * Gives a full frame `<sha256>.<ext>` as `data:image/(png|jpeg|webp);base64,...`, or undefined when it is gone. Without it the
   * large view shows the previews, and the region cannot be looked at elsewhere in full detail.
   */
  loadFrame?: LoadFrame;
  /** Save the given frame of the given run; without it there is no such choice. */
  onSave?: (frame: FrameRecord, run: RunView) => void;
  /**
   * Save what the view has made: the crops with their numbers as PNG, the table as Markdown or CSV. `dataUrl` passes `isMadeFile`,
   * `suggestedName` is a file name without a folder. Without it there are no such choices.
   */
  onSaveMade?: (dataUrl: string, suggestedName: string) => void;
  /** Put a text on the clipboard; resolves to whether it worked. Without it nothing can be copied as text. */
  onCopy?: (text: string) => Promise<boolean>;
  /** Put a PNG (a data URL) on the clipboard; resolves to whether it worked. */
  onCopyPicture?: (dataUrl: string) => Promise<boolean>;
  /** Stop the run that is shown as working; without it there is no such button. */
  onStop?: () => void;
  /** The reader has moved or resized the region; undefined = back to the one of the run. */
  onRegion?: (region: Region | undefined) => void;
  labels?: Partial<Labels>;
  /** `below`: the comparison opens under the strip at a click and closes with Escape. `above`: it always stands above. */
  comparison?: 'below' | 'above';
  /** Nonce for a `<style>` element, where constructed style sheets are missing. */
  nonce?: string;
}

export interface Strip {
  /**
   * Shows a run (and its `others`, a row each), or its next state; what the reader has opened, chosen and zoomed stays. Anything
   * else becomes one sentence.
   */
  update(view: unknown): void;
  /** Looks at a region as if the reader had moved it there, without telling of it; undefined = the one of the run. */
  lookAt(region: Region | undefined): void;
  /** The frame that stands in the large view, else the last one of the first run; undefined as long as there is none. */
  chosenFrame(): FrameRecord | undefined;
  dispose(): void;
}

/**
 * A frame strip in `container`. Everything it shows is treated as untrusted: text stays text, pictures are embedded ones only. It
 * needs no kernel and no extension: what it cannot load or save, it does not offer.
 */
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
  private readonly curves: CurvesView;
  private readonly table = new TableView();
  private readonly previews: HTMLElement;
  private readonly announcement = element('p', { class: 'hidden-visually', role: 'status' });
  private readonly warnings = element('ul', { class: 'warnings muted' });
  private readonly record = element('pre', { class: 'record', tabindex: 0, hidden: true });
  private readonly timeline: HTMLElement;
  private readonly fullFrames: FullFrames;
  private readonly bitmaps: Bitmaps;
  private readonly visibility: Visibility;
  private compare: CompareView | undefined;

  private view: RunView | undefined;
  /** The runs in order; the first one is the view's own. */
  private rows: RunRow[] = [];
  private mode: Mode = 'detail';
  private scope: Scope = 'whole';
  /** The run whose numbers stand at the curves. */
  private chosen = 0;
  private lookedAt: number | undefined;
  private isTableShown = false;
  private isRecordShown = false;
  /** The region that the reader has chosen. */
  private region: Region | undefined;
  /** The region that was found for a run without one. */
  private found: { of: RunView; region: Region | undefined } | undefined;
  private isStale = false;
  private isRefreshing = false;
  private isDisposed = false;

  constructor(
    container: HTMLElement,
    private readonly options: StripOptions,
  ) {
    this.labels = { ...ENGLISH, ...options.labels };
    const { labels } = this;
    this.fullFrames = new FullFrames(options.loadFrame);
    this.bitmaps = new Bitmaps(this.fullFrames);
    const shadow = this.host.attachShadow({ mode: 'open' });
    adoptStyles(shadow, css, options.nonce);
    this.header = new HeaderView(labels, {
      onMode: (mode) => this.change(() => (this.mode = mode)),
      onTable: () => this.change(() => (this.isTableShown = !this.isTableShown)),
      onRecord: () => this.change(() => (this.isRecordShown = !this.isRecordShown)),
      onStop: options.onStop,
      saves: () => this.saves(),
      copies: () => this.copies(),
    });
    this.progress = new ProgressView(labels);
    this.overview = new OverviewView(labels, (region) => this.setRegion(region));
    this.facts = new FactsView(labels, (scope) => this.change(() => (this.scope = scope)));
    this.curves = new CurvesView(labels);
    this.previews = element('p', { class: 'muted previews', role: 'status', hidden: true }, labels.regionPreviews);
    this.timeline = element('div', { class: 'timeline' }, this.curves.element);
    this.content = element(
      'div',
      { class: 'content' },
      this.header.element,
      this.progress.element,
      element('div', { class: 'look' }, this.overview.element, this.facts.element),
      this.previews,
      element('div', { class: 'scroller' }, this.timeline),
      this.table.element,
      this.warnings,
      this.record,
      this.announcement,
    );
    this.root = element('article', { class: 'strip' }, this.refusal, this.content);
    this.root.addEventListener('keydown', keepControlKeys);
    shadow.append(this.root);
    container.append(this.host);
    this.visibility = new Visibility(this.host);
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
    const views = [view, ...(view.others ?? [])];
    while (this.rows.length > views.length) this.rows.pop()?.dispose();
    views.forEach((one, index) => {
      const row = this.rows[index];
      if (row === undefined) this.addRow(one, index);
      else row.take(withKnown(one, row.given));
    });
    this.chosen = Math.min(this.chosen, this.rows.length - 1);
    this.refresh();
    this.render();
  }

  lookAt(region: Region | undefined): void {
    if (sameRegion(this.region, region)) return;
    this.region = region;
    this.refresh();
    this.render();
  }

  chosenFrame(): FrameRecord | undefined {
    return this.chosenPlace()?.frame;
  }

  dispose(): void {
    this.isDisposed = true;
    this.visibility.dispose();
    this.compare?.dispose();
    this.bitmaps.dispose();
    this.host.remove();
  }

  private chosenPlace(): { run: RunView; frame: FrameRecord } | undefined {
    const opened = this.compare?.opened;
    const row = this.rows[opened?.run ?? 0];
    const frame = row?.places[opened?.at ?? lastPlace(row.places) ?? -1]?.frame;
    return row && frame && { run: row.given, frame };
  }

  private addRow(view: RunView, index: number): void {
    const row = new RunRow(this.labels, view, index, {
      onLook: (at) => this.look(at),
      onOpen: (at) => this.open(index, at),
      onChoose: () => this.change(() => (this.chosen = index)),
    });
    this.rows.push(row);
    this.curves.element.before(row.element);
  }

  private change(act: () => void): void {
    act();
    this.render();
  }

  private setRegion(region: Region | undefined): void {
    this.region = region;
    this.mode = 'detail';
    this.options.onRegion?.(region);
    this.refresh();
    this.render();
  }

  /** The region that is looked at: the reader's, else the run's, else the one found for it. */
  private wantedRegion(): Region | undefined {
    const [row] = this.rows;
    if (row === undefined) return undefined;
    const size = row.given.record.frames.at(-1);
    if (this.region !== undefined && size !== undefined) return fittedRegion(this.region, size);
    return row.given.record.region ?? (this.found?.of === row.given ? this.found.region : undefined);
  }

  /**
   * Cuts and measures until what is shown is what is wanted. One pass at a time: a region that is dragged is cut as often as there
   * is time for, and never waits for all places it was at.
   */
  private refresh(): void {
    this.isStale = true;
    // Until the region is measured as well, what a reader of the page finds here is not the whole.
    setAttributes(this.root, { 'aria-busy': 'true' });
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    void this.refreshAll().finally(() => {
      this.isRefreshing = false;
      if (this.isDisposed) return;
      setAttributes(this.root, { 'aria-busy': undefined });
      this.render();
    });
  }

  private async refreshAll(): Promise<void> {
    while (this.isStale && !this.isDisposed && this.view !== undefined) {
      await this.visibility.near;
      if (this.isDisposed) return;
      this.isStale = false;
      const [first] = this.rows;
      if (first === undefined) return;
      await this.unpackAll();
      await this.findRegion(first.given);
      const region = this.wantedRegion();
      for (const row of this.rows) {
        const { given } = row;
        const size = given.record.frames.at(-1);
        if (region === undefined || size === undefined || given.state.kind === 'running') continue;
        // A run of another size keeps its own region.
        if (!isInside(region, size) && row !== first) continue;
        const cancelled = (): boolean => this.isDisposed || row.given !== given;
        const cut = await recut(given, region, this.bitmaps, cancelled);
        if (cut !== undefined && !cancelled()) row.show(cut);
      }
      if (this.isDisposed) return;
      this.render();
      for (const row of this.rows) if (!this.isStale) await row.measure();
    }
  }

  /** Works out the pictures of saved runs: the crops of all rows first, which are what is looked at. */
  private async unpackAll(): Promise<void> {
    for (const step of [unpackCrops, unpackThumbnails]) {
      for (const row of this.rows) {
        const { given } = row;
        if (!isPacked(given)) continue;
        const cancelled = (): boolean => this.isDisposed || row.given !== given;
        const unpacked = await step(given, cancelled);
        if (unpacked === undefined || cancelled()) continue;
        row.take(unpacked);
      }
      if (!this.isDisposed && step === unpackCrops) this.render();
    }
  }

  /** Looks for the region of a finished run that names none. */
  private async findRegion(view: RunView): Promise<void> {
    if (view.record.region !== undefined || view.state.kind === 'running' || this.found?.of === view) return;
    const gone = (): boolean => this.isDisposed || this.rows[0]?.given !== view;
    const region = await startRegion(view, this.bitmaps, gone);
    if (!gone()) this.found = { of: view, region };
  }

  private render(): void {
    const { view, rows } = this;
    const [first] = rows;
    if (view === undefined || first === undefined) return;
    const { record } = first.given;
    const running = rows.some(({ given }) => given.state.kind === 'running');
    const hasDetail = rows.some(
      ({ view }) => view.cropSheet !== undefined || view.pictures.some(({ crop }) => crop !== undefined),
    );
    // A run that starts has no crops yet: the switch stays where the reader will want it.
    const mode: Mode = hasDetail || running ? this.mode : 'fit';
    const scope = this.shownScope();
    const title = isComparison(first.given)
      ? this.labels.comparison(record.frames.length)
      : this.labels.strip(this.labels.tasks[record.task], baseName(record.input.file));
    setAttributes(this.root, { 'aria-label': title });
    this.header.update(first.given, {
      mode,
      hasDetail: hasDetail || running,
      table: this.isTableShown,
      record: this.isRecordShown,
      runs: rows.map(({ given }) => given),
    });
    const unfinished = rows.find(({ given }) => given.state.kind === 'running') ?? first;
    this.progress.update(unfinished.given.state, unfinished.given.record.frames.length);
    this.renderLook(scope);
    this.setColumns(mode);
    const { opened } = this.compare ?? {};
    const withReference = rows.some((row) => row.view.reference !== undefined);
    rows.forEach((row, index) => {
      const whole = row.curves('whole');
      row.update({
        mode,
        opened: opened?.run === index ? opened.at : undefined,
        among: rows.length > 1,
        chosen: index === this.chosen,
        withReference,
        scope,
        describe: (at) => this.describe(at, whole),
      });
    });
    this.curves.update(
      rows.map((row) => ({ curves: row.curves(scope), places: row.places, last: row.end, name: row.name })),
      this.chosen,
    );
    this.table.update(this.tableRows(), this.isTableShown, title);
    const isPreview = mode === 'detail' && rows.some((row) => row.enlarged.size > 0);
    if (this.previews.hidden === isPreview) this.previews.hidden = !isPreview;
    const warnings = rows.flatMap((row) => row.given.record.warnings ?? []);
    this.warnings.hidden = warnings.length === 0;
    this.warnings.replaceChildren(...[...new Set(warnings)].map((text) => element('li', {}, text)));
    this.record.hidden = !this.isRecordShown;
    setText(this.record, this.isRecordShown ? this.recordText() : '');
    if (this.compare !== undefined) {
      const isEmpty = rows.every(({ places }) => lastPlace(places) === undefined);
      this.compare.element.hidden = isEmpty;
      if (!isEmpty) this.compare.update(rows);
    }
  }

  /** The record with the region that is looked at, so that it says how to see the same again. */
  private recordText(): string {
    const records = this.rows.map((row) => row.view.record);
    return JSON.stringify(records.length === 1 ? records[0] : records, null, 2);
  }

  private shownScope(): Scope {
    return this.rows.some((row) => row.curves('region').length > 0) ? this.scope : 'whole';
  }

  private renderLook(scope: Scope): void {
    const row = this.rows[this.chosen] ?? this.rows[0];
    if (row === undefined) return;
    const { places, view } = row;
    const last = lastPlace(places);
    const at = this.lookedAt !== undefined && places[this.lookedAt]?.frame !== undefined ? this.lookedAt : last;
    const place = at === undefined ? undefined : places[at];
    const region = view.record.region === undefined ? undefined : (this.wantedRegion() ?? view.record.region);
    this.overview.update(place, region, place?.frame ?? view.record.input, view.state.kind !== 'running');
    const shown = region === undefined ? view.record : { ...view.record, region };
    this.facts.update(shown, places, {
      at,
      last: row.end,
      scope,
      whole: row.curves('whole'),
      region: row.curves('region'),
    });
    if (this.region !== undefined && region !== undefined) {
      setText(this.announcement, this.labels.regionBox(region.width, region.height, region.x, region.y));
    }
  }

  private setColumns(mode: Mode): void {
    const [first] = this.rows;
    if (first === undefined) return;
    const { region, frames } = first.view.record;
    const [frame] = frames;
    // No wider than what a column shows at its own size, so that the frames stand side by side.
    const natural =
      mode === 'detail' && region !== undefined
        ? region.width
        : Math.min(256, frame === undefined ? 256 : (256 * frame.width) / Math.max(frame.width, frame.height));
    const width = Math.min(360, Math.max(72, Math.round(natural) + 4));
    const count = Math.max(1, ...this.rows.map(({ places }) => places.length));
    const withReference = this.rows.some((row) => row.view.reference !== undefined);
    this.timeline.classList.toggle('with-reference', withReference);
    this.timeline.style.setProperty('--count', String(count));
    this.timeline.style.setProperty('--column', `${width}px`);
    this.timeline.style.setProperty('--shares', withReference ? `${count}fr` : '1fr');
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
    if (this.view !== undefined) this.renderLook(this.shownScope());
  }

  private open(run: number, at: number): void {
    const compare = this.compare ?? this.addCompare();
    if (this.view !== undefined) compare.update(this.rows);
    this.chosen = run;
    compare.open({ run, at });
    if (this.options.comparison !== 'above') compare.focus();
  }

  private addCompare(): CompareView {
    const above = this.options.comparison === 'above';
    const compare = new CompareView(
      this.labels,
      { onWalk: () => this.follow(), onClose: () => this.closeCompare(true) },
      { frames: this.fullFrames, bitmaps: this.bitmaps, closable: !above },
    );
    this.compare = compare;
    if (above) this.content.prepend(compare.element);
    else this.table.element.before(compare.element);
    return compare;
  }

  /** The large view has walked on: overview, facts and curves speak of the run that it shows. */
  private follow(): void {
    this.chosen = this.compare?.opened?.run ?? this.chosen;
    this.render();
  }

  private closeCompare(backToFrame: boolean): void {
    const opened = this.compare?.opened;
    this.compare?.dispose();
    this.compare = undefined;
    this.render();
    const row = this.rows[opened?.run ?? 0];
    if (backToFrame) row?.frames.focus(opened?.at ?? row.places.length - 1);
  }

  private tableRows(): string[][] {
    return tableOfRuns(
      this.rows.map((row) => ({
        name: row.name,
        places: row.places,
        curves: [...row.curves('whole'), ...row.curves('region')],
        last: row.end,
      })),
      this.labels,
    );
  }

  private saves(): MenuItem[] {
    const { labels, options } = this;
    const chosen = this.chosenPlace();
    const [first] = this.rows;
    if (chosen === undefined || first === undefined) return [];
    const { onSave, onSaveMade } = options;
    const input = first.given.record.input.file;
    const items: MenuItem[] = [];
    if (onSave !== undefined) {
      const name = this.rows.length > 1 ? chosen.run.label : undefined;
      items.push({ text: labels.saveFrame(chosen.frame.index, name), act: () => onSave(chosen.frame, chosen.run) });
    }
    if (onSaveMade !== undefined) {
      const table = (type: 'text/markdown' | 'text/csv', text: string, ending: string): void =>
        onSaveMade(textDataUrl(type, text), suggestedName(input, ending));
      items.push(
        {
          text: labels.saveFigure,
          act: () =>
            void this.figure().then((png) => png !== undefined && onSaveMade(png, suggestedName(input, 'crops.png'))),
        },
        { text: labels.saveMarkdown, act: () => table('text/markdown', markdownTable(this.tableRows()), 'frames.md') },
        { text: labels.saveCsv, act: () => table('text/csv', csvTable(this.tableRows()), 'frames.csv') },
      );
    }
    return items;
  }

  private copies(): MenuItem[] {
    const { labels, options } = this;
    const { onCopy, onCopyPicture } = options;
    if (this.chosenPlace() === undefined) return [];
    const confirm = (copied: Promise<boolean>): void =>
      void copied.then((worked) => {
        if (worked) this.header.confirmCopy();
      });
    const items: MenuItem[] = [];
    if (onCopy !== undefined) {
      const tabs = (): string =>
        this.tableRows()
          .map((row) => row.join('\t').trimEnd())
          .join('\n');
      items.push(
        { text: labels.copyTable, act: () => confirm(onCopy(tabs())) },
        { text: labels.copyMarkdown, act: () => confirm(onCopy(markdownTable(this.tableRows()))) },
        { text: labels.copyRecord, act: () => confirm(onCopy(this.recordText())) },
      );
    }
    if (onCopyPicture !== undefined) {
      const copy = async (): Promise<boolean> => {
        const png = await this.figure();
        return png !== undefined && onCopyPicture(png);
      };
      items.push({ text: labels.copyFigure, act: () => confirm(copy()) });
    }
    return items;
  }

  /** The crops with their numbers as a PNG, as they are shown. */
  private figure(): Promise<string | undefined> {
    const { labels, rows, mode } = this;
    const [first] = rows;
    if (first === undefined) return Promise.resolve(undefined);
    const scope = this.shownScope();
    const { record } = first.view;
    const { region, protocol } = record;
    const isRegion = mode === 'detail' && region !== undefined;
    const footer = [
      baseName(record.input.file),
      ...(isRegion ? [`${labels.region} ${labels.regionFacts(region.width, region.height, region.x, region.y)}`] : []),
      ...(protocol === undefined
        ? []
        : [`${labels.protocols[protocol.name](protocol.scale)}, ${labels.scopes[scope]}`]),
      ...(rows.some((row) => row.enlarged.size > 0) ? [labels.regionPreviews] : []),
    ];
    return drawFigure(
      {
        title: [labels.tasks[record.task], record.prompt.text, rows.length > 1 ? '' : first.name]
          .filter((part) => part !== '')
          .join(' · '),
        footer: footer.join(' · '),
        rows: rows.map((row) => ({
          name: row.name,
          places: isRegion
            ? row.places
            : row.places.map((place) => ({
                ...place,
                picture: place.picture && { ...place.picture, crop: undefined },
              })),
          curves: row.curves(scope),
          reference: isRegion
            ? (row.view.reference?.crop ?? row.view.reference?.thumbnail)
            : row.view.reference?.thumbnail,
        })),
      },
      labels,
    );
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
  const isScrolled =
    target instanceof HTMLSelectElement ||
    target instanceof HTMLPreElement ||
    (target instanceof HTMLElement && target.classList.contains('numbers'));
  if (isButton || (isScrolled && /^(Arrow|Page|Home|End|Enter| )/.test(key))) event.stopPropagation();
}
