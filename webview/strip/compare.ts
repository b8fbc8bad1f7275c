import { pixelAt, type Bitmaps, type Source } from './bitmaps';
import { absoluteDifference, flipDifference, type Difference } from './difference';
import { element, setAttributes, setPicture, setText, takeKey } from './dom';
import type { FullFrames } from './full-frames';
import { around, centred, fitted, middleOf, nextScale, zoomed, type Point, type Size, type Viewport } from './viewport';
import { lastPlace, placeName, type Place } from './places';
import { sourceOfFrame, sourceOfReference } from './recut';
import type { RunView } from '../../src/protocol';
import type { Labels } from './labels';

export interface CompareEvents {
  /** Another frame stands on the right. */
  onWalk(): void;
  onClose(): void;
}

/** A run as far as the comparison needs it. */
export interface ComparedRun {
  view: RunView;
  places: Place[];
  /** Distinguishes it from the others. */
  name: string;
}

/** A frame: the place in the list of runs, and the place in the row of frames. */
export interface FramePlace {
  run: number;
  at: number;
}

/** How two frames are looked at. */
export const COMPARISONS = ['slider', 'side', 'blink', 'difference', 'flip'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** The place of the reference in the choice of frames: it has no column. */
const REFERENCE = 'reference';
type Choice = FramePlace | typeof REFERENCE;

interface Side {
  choice: Choice;
  /** The reader has chosen it; else the side follows the first or the last frame. */
  chosen: boolean;
  layer: HTMLElement;
  image: HTMLImageElement;
  /** Marks the pixel under the pointer in both pictures. */
  cross: HTMLElement;
  name: HTMLElement;
  select: HTMLSelectElement;
  shows: 'loading' | 'preview' | 'full';
  /** What was last asked for: answers to anything else come too late. */
  wanted?: { key: string; file: string; preview: string | undefined };
  /** What has been answered last; as `wanted` when nothing is on its way. */
  settled?: Side['wanted'];
}

const PAN_STEP = 64;
const SLIDER_STEP = 2;
const MOST_HEIGHT = 560;
/** Time between two pictures of a blink and of a play, in milliseconds: below the three flashes a second that harm. */
const BLINK = 700;
const PLAY = 350;
const GAINS = [1, 4, 16];

/**
 * Two frames, compared in one of five ways. Zoom and pan move both; the arrow keys change the right one and leave everything
 * else where it is.
 */
export class CompareView {
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly handle: HTMLElement;
  private readonly map = element('div', { class: 'layer map', role: 'img', hidden: true });
  private readonly zoomText = element('output', { class: 'zoom-text' });
  private readonly note = element('p', { class: 'note-line', role: 'status' });
  private readonly readout = element('p', { class: 'readout muted', 'aria-live': 'off' });
  private readonly modes = new Map<Comparison, HTMLButtonElement>();
  private readonly play: HTMLButtonElement;
  private readonly gain: HTMLSelectElement;
  private readonly left: Side;
  private readonly right: Side;
  private readonly observer: ResizeObserver;
  private readonly frames: FullFrames;
  private readonly bitmaps: Bitmaps;
  private runs: ComparedRun[] = [];
  private picture: Size = { width: 1, height: 1 };
  /** What one picture has for itself: the stage, or half of it. */
  private room: Size = { width: 1, height: 1 };
  private viewport: Viewport = { scale: 1, x: 0, y: 0 };
  private isFitted = true;
  /** What the reader has put into the middle: it stays there when the stage changes its size. */
  private middle: Point = { x: 0, y: 0 };
  /** Position of the dividing line, 0 to 100. */
  private divider = 50;
  private mode: Comparison = 'slider';
  private difference: Difference | undefined;
  /** Counts the maps that were asked for: an older one stops. */
  private asked = 0;
  /** What the map that is shown or being made was asked for. */
  private mapped = '';
  private pointed: { x: number; y: number } | undefined;
  private playing: ReturnType<typeof setTimeout> | undefined;
  private blinking: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly labels: Labels,
    private readonly events: CompareEvents,
    options: { frames: FullFrames; bitmaps: Bitmaps; closable: boolean },
  ) {
    this.frames = options.frames;
    this.bitmaps = options.bitmaps;
    this.left = this.createSide('left', labels.left);
    this.right = this.createSide('right', labels.right);
    this.handle = element(
      'div',
      {
        class: 'divider',
        role: 'slider',
        tabindex: 0,
        'aria-label': labels.slider,
        'aria-valuemin': 0,
        'aria-valuemax': 100,
      },
      element('span', { class: 'grip' }),
    );
    this.stage = element(
      'div',
      { class: 'stage', role: 'group', tabindex: 0, 'aria-label': `${labels.compare}. ${labels.compareHint}` },
      this.left.layer,
      this.right.layer,
      this.map,
      this.left.name,
      this.right.name,
      this.handle,
    );
    const button = (text: string, label: string, act: () => void): HTMLButtonElement => {
      const made = element('button', { type: 'button', class: 'quiet', 'aria-label': label, title: label }, text);
      made.addEventListener('click', act);
      return made;
    };
    for (const mode of COMPARISONS) {
      const made = element('button', { type: 'button', class: 'quiet' }, labels.comparisons[mode]);
      made.addEventListener('click', () => {
        // The pressed button of a blink that does not run by itself flips the pictures by hand.
        if (mode === 'blink' && this.mode === 'blink') this.flip();
        else this.setMode(mode);
      });
      this.modes.set(mode, made);
    }
    this.gain = element(
      'select',
      { class: 'choice', 'aria-label': labels.gainOfDifference },
      ...GAINS.map((gain) => element('option', { value: String(gain) }, `× ${gain}`)),
    );
    this.gain.value = '4';
    this.gain.addEventListener('change', () => this.showMap());
    this.play = button('▶', labels.play, () => this.togglePlay());
    setAttributes(this.play, { 'aria-pressed': 'false' });
    const zoom = element(
      'div',
      { class: 'zoom' },
      button('−', labels.zoomOut, () => this.step(-1)),
      this.zoomText,
      button('+', labels.zoomIn, () => this.step(1)),
      button(labels.zoomFit, labels.zoomFit, () => this.fit()),
      button(labels.zoomActual, labels.zoomActual, () => this.zoomTo(1)),
    );
    if (options.closable) zoom.append(button('✕', labels.close, () => events.onClose()));
    const bar = element(
      'div',
      { class: 'bar' },
      element('span', { class: 'switch', role: 'group', 'aria-label': labels.compare }, ...this.modes.values()),
      this.gain,
      element(
        'div',
        { class: 'pair' },
        this.left.select,
        element('span', { class: 'muted' }, labels.against),
        this.right.select,
        this.play,
      ),
      zoom,
    );
    this.element = element(
      'section',
      { class: 'compare', 'aria-label': labels.compare },
      bar,
      this.stage,
      // Below the picture, so that it does not move when they come and go.
      element('div', { class: 'below' }, this.readout, this.note),
    );
    this.element.addEventListener('keydown', (event) => this.onKey(event, options.closable));
    this.handle.addEventListener('keydown', (event) => this.onSliderKey(event));
    this.dragDivider();
    this.dragPicture();
    this.stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(this.element);
    this.setMode('slider');
  }

  /** The frame on the right; undefined while the reference stands there. */
  get opened(): FramePlace | undefined {
    return this.right.choice === REFERENCE ? undefined : this.right.choice;
  }

  /** Shows the frames of `runs`; what is chosen, the zoom and the line stay. */
  update(runs: ComparedRun[]): void {
    const first = this.runs.length === 0;
    this.runs = runs;
    const [run] = runs;
    if (run === undefined) return;
    const last = lastPlace(run.places);
    const size = run.places[last ?? 0]?.frame ?? run.view.record.input;
    const resized = size.width !== this.picture.width || size.height !== this.picture.height;
    this.picture = { width: size.width, height: size.height };
    for (const side of [this.left, this.right]) {
      if (!side.chosen || !this.isThere(side.choice)) {
        side.choice = { run: 0, at: side === this.left ? 0 : (last ?? 0) };
      }
      this.fillChoices(side);
      void this.showSide(side);
    }
    if (first || resized) this.isFitted = true;
    this.layOut();
  }

  /** Puts a frame on the right. */
  open(place: FramePlace): void {
    if (!this.isThere(place)) return;
    this.right.choice = place;
    this.right.chosen = true;
    void this.showSide(this.right);
    this.describeDivider();
    this.events.onWalk();
  }

  focus(): void {
    this.stage.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'nearest' });
  }

  dispose(): void {
    this.asked++;
    this.stopPlaying();
    clearInterval(this.blinking);
    this.observer.disconnect();
    this.element.remove();
  }

  private createSide(kind: 'left' | 'right', label: string): Side {
    const image = element('img', { draggable: 'false', alt: '' });
    const select = element('select', { class: 'choice', 'aria-label': label });
    const cross = element('span', { class: 'cross', hidden: true });
    const side: Side = {
      choice: { run: 0, at: 0 },
      chosen: false,
      layer: element('div', { class: `layer ${kind}` }, image, cross),
      image,
      cross,
      name: element('span', { class: `name ${kind}`, 'aria-hidden': 'true' }),
      select,
      shows: 'loading',
    };
    select.addEventListener('change', () => {
      const chosen = choiceOf(select.value);
      if (!this.isThere(chosen)) return;
      if (kind === 'right' && chosen !== REFERENCE) this.open(chosen);
      else {
        side.choice = chosen;
        side.chosen = true;
        void this.showSide(side);
        this.describeDivider();
        if (kind === 'right') this.events.onWalk();
      }
    });
    return side;
  }

  private placeOf(choice: FramePlace): Place | undefined {
    return this.runs[choice.run]?.places[choice.at];
  }

  private isThere(choice: Choice): boolean {
    if (choice === REFERENCE) return this.runs[0]?.view.reference !== undefined;
    return this.placeOf(choice)?.frame !== undefined;
  }

  private nameOf(choice: Choice): string {
    if (choice === REFERENCE) return this.labels.reference;
    const place = this.placeOf(choice);
    if (place === undefined) return '';
    const name = placeName(place, this.labels);
    return this.runs.length > 1 ? `${this.runs[choice.run]?.name ?? ''} · ${name}` : name;
  }

  private fillChoices(side: Side): void {
    const choices: Choice[] = this.runs.flatMap(({ places }, run) => places.map((_, at) => ({ run, at })));
    choices.push(REFERENCE);
    const there = choices.filter((choice) => this.isThere(choice));
    const names = there.map((choice) => this.nameOf(choice)).join('\n');
    if (side.select.dataset.names !== names) {
      side.select.dataset.names = names;
      side.select.replaceChildren(
        ...there.map((choice) => element('option', { value: keyOf(choice) }, this.nameOf(choice))),
      );
    }
    side.select.value = keyOf(side.choice);
  }

  /** Where the full picture of a choice may come from. */
  private sourceOf(choice: Choice): Source | undefined {
    if (choice === REFERENCE) return this.runs[0] && sourceOfReference(this.runs[0].view);
    const run = this.runs[choice.run];
    const place = run?.places[choice.at];
    return run && place && sourceOfFrame(run.view, place.index);
  }

  /** The full frame as soon as it is there; its preview before, unless the full one comes at once. */
  private async showSide(side: Side): Promise<void> {
    const { choice } = side;
    const place = choice === REFERENCE ? undefined : this.placeOf(choice);
    const preview = choice === REFERENCE ? this.runs[0]?.view.reference?.thumbnail : place?.picture?.thumbnail;
    const file = (choice === REFERENCE ? this.runs[0]?.view.reference?.file : place?.frame?.file) ?? '';
    const key = keyOf(choice);
    side.select.value = key;
    setText(side.name, this.nameOf(choice));
    if (side.wanted?.key === key && side.wanted.file === file && side.wanted.preview === preview) return;
    const wanted = { key, file, preview };
    side.wanted = wanted;
    setAttributes(this.element, { 'aria-busy': 'true' });
    const full = this.frames.get(file).then(async (dataUrl) => {
      if (dataUrl !== undefined && (await sizeOf(dataUrl)) !== undefined) return dataUrl;
      // An embedded picture may be the whole frame.
      const size = preview === undefined ? undefined : await sizeOf(preview);
      return size?.width === this.picture.width && size.height === this.picture.height ? preview : undefined;
    });
    if (!side.image.hasAttribute('src')) this.put(side, preview, 'loading');
    // A walk over frames that are in memory must not flash their previews.
    const quick = await Promise.race([full.then((dataUrl) => ({ dataUrl })), patience()]);
    if (side.wanted !== wanted) return;
    if (quick === undefined) this.put(side, preview, 'loading');
    const dataUrl = await full;
    if (side.wanted !== wanted) return;
    if (dataUrl === undefined) this.put(side, preview, 'preview');
    else this.put(side, dataUrl, 'full');
    side.settled = wanted;
    this.showMap();
    this.tellBusy();
  }

  private tellBusy(): void {
    const busy = [this.left, this.right].some((one) => one.wanted !== one.settled);
    setAttributes(this.element, { 'aria-busy': busy ? 'true' : undefined });
  }

  private put(side: Side, dataUrl: string | undefined, shows: Side['shows']): void {
    setPicture(side.image, dataUrl);
    side.shows = shows;
    side.layer.classList.toggle('preview', shows !== 'full');
    this.tell();
    void this.showPixel();
  }

  /** The one sentence about what is seen. */
  private tell(): void {
    const shown = [this.left.shows, this.right.shows];
    const isMap = this.mode === 'difference' || this.mode === 'flip';
    const text = shown.includes('preview')
      ? isMap
        ? this.labels.mapNeedsFrames
        : this.labels.previewOnly
      : shown.includes('loading')
        ? this.labels.loading
        : isMap && this.difference === undefined
          ? this.labels.comparing
          : this.mode === 'flip' && this.difference?.mean !== undefined
            ? this.labels.flipMean(this.difference.mean)
            : '';
    setText(this.note, text);
  }

  private setMode(mode: Comparison): void {
    this.mode = mode;
    for (const [name, button] of this.modes)
      setAttributes(button, { 'aria-pressed': name === mode ? 'true' : 'false' });
    setAttributes(this.stage, { 'data-mode': mode });
    this.handle.hidden = mode !== 'slider';
    this.gain.hidden = mode !== 'difference';
    this.map.hidden = mode !== 'difference' && mode !== 'flip';
    clearInterval(this.blinking);
    this.blinking = undefined;
    this.stage.classList.remove('flipped');
    if (mode === 'blink' && !prefersStill()) this.blinking = setInterval(() => this.flip(), BLINK);
    this.showMap();
    this.layOut();
  }

  private flip(): void {
    this.stage.classList.toggle('flipped');
  }

  /** Makes the map that the mode wants, from the full frames; nothing is done twice. */
  private showMap(): void {
    if (this.mode !== 'difference' && this.mode !== 'flip') {
      this.asked++;
      this.mapped = '';
      this.difference = undefined;
      this.map.replaceChildren();
      this.tell();
      return;
    }
    const { mode } = this;
    const ready = [this.left, this.right].every((side) => side.wanted === side.settled && side.shows === 'full');
    const wanted = ready
      ? JSON.stringify([mode, mode === 'difference' ? this.gain.value : '', this.left.settled, this.right.settled])
      : '';
    if (wanted === this.mapped) return this.tell();
    this.mapped = wanted;
    this.difference = undefined;
    const ask = ++this.asked;
    const cancelled = (): boolean => ask !== this.asked;
    this.tell();
    if (!ready) {
      this.map.replaceChildren();
      return;
    }
    setAttributes(this.map, { 'aria-busy': 'true' });
    void this.makeMap(mode, cancelled)
      .catch(() => undefined)
      .then((made) => {
        if (cancelled()) return;
        this.difference = made;
        setAttributes(this.map, {
          'aria-busy': undefined,
          'aria-label': `${this.labels.comparisons[mode]}: ${this.nameOf(this.left.choice)} – ${this.nameOf(this.right.choice)}`,
        });
        this.map.replaceChildren(...(made === undefined ? [] : [made.canvas]));
        if (made === undefined) setText(this.note, this.labels.mapNeedsFrames);
        else this.tell();
        this.place();
        void this.showPixel();
      });
  }

  private async makeMap(mode: 'difference' | 'flip', cancelled: () => boolean): Promise<Difference | undefined> {
    const bitmapOf = async (side: Side): Promise<ImageBitmap | undefined> => {
      const source = this.sourceOf(side.choice);
      return source && this.bitmaps.get(source);
    };
    const [a, b] = await Promise.all([bitmapOf(this.left), bitmapOf(this.right)]);
    if (a === undefined || b === undefined || a.width !== b.width || a.height !== b.height) return undefined;
    if (mode === 'difference') return absoluteDifference(a, b, Number(this.gain.value), cancelled);
    return flipDifference(a, b, cancelled, (share) => setText(this.note, this.labels.comparingShare(share)));
  }

  private layOut(): void {
    const width = this.stage.clientWidth;
    if (width === 0) return;
    const columns = this.mode === 'side' ? 2 : 1;
    const across = Math.floor(width / columns);
    const aspect = this.picture.height / this.picture.width;
    const natural = fitted(this.picture, { width: across, height: MOST_HEIGHT }).scale * this.picture.height;
    const wanted = Math.min(MOST_HEIGHT, Math.max(180, Math.min(across * aspect, natural)));
    this.stage.style.height = `${Math.round(wanted)}px`;
    this.room = { width: across, height: this.stage.clientHeight };
    this.viewport = this.isFitted
      ? fitted(this.picture, this.room)
      : around(this.middle, this.viewport.scale, this.picture, this.room);
    this.place();
  }

  /** Puts pictures, line and numbers where the state says. */
  private place(): void {
    const { scale, x, y } = this.viewport;
    const put = (target: HTMLElement): void => {
      target.style.width = `${this.picture.width * scale}px`;
      target.style.height = `${this.picture.height * scale}px`;
      target.style.transform = `translate(${x}px, ${y}px)`;
    };
    for (const side of [this.left, this.right]) {
      put(side.image);
      side.layer.classList.toggle('sharp', scale > 1);
    }
    const canvas = this.map.firstElementChild;
    if (canvas instanceof HTMLElement) put(canvas);
    this.map.classList.toggle('sharp', scale > 1);
    this.right.layer.style.clipPath = this.mode === 'slider' ? `inset(0 0 0 ${this.divider}%)` : '';
    this.stage.style.setProperty('--inset', `${Math.max(0, x)}px`);
    this.handle.style.left = `${this.divider}%`;
    this.stage.classList.toggle('movable', scale > fitted(this.picture, this.room).scale);
    setText(this.zoomText, `${Math.round(scale * 100)} %`);
    this.describeDivider();
    void this.showPixel();
  }

  private describeDivider(): void {
    const percent = Math.round(this.divider);
    const value = this.labels.sliderValue(this.nameOf(this.left.choice), this.nameOf(this.right.choice), percent);
    setAttributes(this.handle, { 'aria-valuenow': percent, 'aria-valuetext': value });
  }

  /** The pixel under the pointer, in both pictures, or nothing where there is none. */
  private async showPixel(): Promise<void> {
    const { pointed } = this;
    const { scale, x, y } = this.viewport;
    const column = pointed && Math.floor((pointed.x - x) / scale);
    const row = pointed && Math.floor((pointed.y - y) / scale);
    const inside =
      column !== undefined &&
      row !== undefined &&
      column >= 0 &&
      row >= 0 &&
      column < this.picture.width &&
      row < this.picture.height;
    for (const { cross } of [this.left, this.right]) {
      cross.hidden = !inside || this.mode !== 'side';
      if (pointed !== undefined) cross.style.transform = `translate(${pointed.x}px, ${pointed.y}px)`;
    }
    if (!inside) return setText(this.readout, '');
    const parts = [this.labels.pixel(column, row)];
    for (const side of [this.left, this.right]) {
      if (side.shows !== 'full') continue;
      const source = this.sourceOf(side.choice);
      const bitmap = source && (await this.bitmaps.get(source));
      if (bitmap !== undefined) parts.push(`${this.nameOf(side.choice)}: ${pixelAt(bitmap, column, row).join(' ')}`);
    }
    const flip = this.difference?.flip;
    if (flip !== undefined) parts.push(`FLIP ${(flip.data[row * flip.width + column] ?? 0).toFixed(3)}`);
    // The pointer may have moved on while a frame was decoded.
    if (this.pointed === pointed) setText(this.readout, parts.join('   '));
  }

  private fit(): void {
    this.isFitted = true;
    this.layOut();
  }

  private zoomTo(scale: number, x = this.room.width / 2, y = this.room.height / 2): void {
    this.viewport = centred(zoomed(this.viewport, scale, x, y), this.picture, this.room);
    this.isFitted = false;
    this.middle = middleOf(this.viewport, this.room);
    this.place();
  }

  private step(direction: 1 | -1, x?: number, y?: number): void {
    const fit = fitted(this.picture, this.room).scale;
    this.zoomTo(nextScale(this.viewport.scale, direction, fit), x, y);
    // Zoomed out to the whole picture it stays whole; 100 % stays 100 %, also where that is the whole picture just now.
    this.isFitted = this.viewport.scale === fit;
  }

  private pan(dx: number, dy: number): void {
    const moved = { ...this.viewport, x: this.viewport.x + dx, y: this.viewport.y + dy };
    this.viewport = centred(moved, this.picture, this.room);
    this.isFitted = false;
    this.middle = middleOf(this.viewport, this.room);
    this.place();
  }

  private setDivider(percent: number): void {
    this.divider = Math.min(100, Math.max(0, percent));
    this.place();
  }

  /** The next frame of the run on the right, over those that are missing. True when there was one. */
  private walk(direction: 1 | -1): boolean {
    const { run, at: from } = this.opened ?? { run: 0, at: this.runs[0]?.places.length ?? 0 };
    const count = this.runs[run]?.places.length ?? 0;
    for (let at = from + direction; at >= 0 && at < count; at += direction) {
      if (!this.isThere({ run, at })) continue;
      this.open({ run, at });
      return true;
    }
    return false;
  }

  /** The same frame of the run above or below. */
  private changeRun(direction: 1 | -1): void {
    const { run, at } = this.opened ?? { run: 0, at: 0 };
    const next = this.runs[run + direction];
    if (next === undefined) return;
    this.open({ run: run + direction, at: Math.min(at, lastPlace(next.places) ?? 0) });
  }

  /** Plays the frames of the run on the right, once, from the beginning when it stands at the end. */
  private togglePlay(): void {
    if (this.playing !== undefined) return this.stopPlaying();
    const { run, at } = this.opened ?? { run: 0, at: Number.POSITIVE_INFINITY };
    const last = lastPlace(this.runs[run]?.places ?? []) ?? 0;
    // Who asked for less motion gets one frame a press.
    if (prefersStill()) {
      if (!this.walk(1)) this.open({ run, at: 0 });
      return;
    }
    if (at >= last) this.open({ run, at: 0 });
    const next = (): void => {
      this.playing = setTimeout(() => {
        // A frame that is still being loaded is waited for.
        if (this.right.wanted !== this.right.settled) return next();
        if (this.walk(1)) next();
        else this.stopPlaying();
      }, PLAY);
    };
    next();
    setText(this.play, '❚❚');
    setAttributes(this.play, { 'aria-pressed': 'true' });
  }

  private stopPlaying(): void {
    clearTimeout(this.playing);
    this.playing = undefined;
    setText(this.play, '▶');
    setAttributes(this.play, { 'aria-pressed': 'false' });
  }

  private onKey(event: KeyboardEvent, closable: boolean): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape' && closable) {
      takeKey(event);
      this.events.onClose();
      return;
    }
    if (event.target !== this.stage) return;
    const run = this.opened?.run ?? 0;
    const places = this.runs[run]?.places ?? [];
    const first = places.findIndex((_, at) => this.isThere({ run, at }));
    const last = lastPlace(places);
    const actions: Record<string, () => void> = event.shiftKey
      ? {
          ArrowLeft: () => this.pan(PAN_STEP, 0),
          ArrowRight: () => this.pan(-PAN_STEP, 0),
          ArrowUp: () => this.pan(0, PAN_STEP),
          ArrowDown: () => this.pan(0, -PAN_STEP),
          '+': () => this.step(1),
        }
      : {
          ArrowLeft: () => void this.walk(-1),
          ArrowRight: () => void this.walk(1),
          ArrowUp: () => this.changeRun(-1),
          ArrowDown: () => this.changeRun(1),
          Home: () => this.open({ run, at: first }),
          End: () => last !== undefined && this.open({ run, at: last }),
          ' ': () => this.togglePlay(),
          b: () => (this.mode === 'blink' ? this.flip() : this.setMode('blink')),
          '+': () => this.step(1),
          '=': () => this.step(1),
          '-': () => this.step(-1),
          '0': () => this.fit(),
          '1': () => this.zoomTo(1),
        };
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined) return;
    takeKey(event);
    action();
  }

  private onSliderKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const targets: Record<string, number> = {
      ArrowLeft: this.divider - SLIDER_STEP,
      ArrowDown: this.divider - SLIDER_STEP,
      ArrowRight: this.divider + SLIDER_STEP,
      ArrowUp: this.divider + SLIDER_STEP,
      PageDown: this.divider - 10,
      PageUp: this.divider + 10,
      Home: 0,
      End: 100,
    };
    const target = Object.hasOwn(targets, event.key) ? targets[event.key] : undefined;
    if (target === undefined) return;
    takeKey(event);
    this.setDivider(target);
  }

  /** Where an event lies in the picture's room: in the left half or the right half of the stage alike. */
  private positionOf(event: MouseEvent): { x: number; y: number } {
    const box = this.stage.getBoundingClientRect();
    const x = event.clientX - box.left;
    return { x: this.mode === 'side' && x >= this.room.width ? x - this.room.width : x, y: event.clientY - box.top };
  }

  /** The wheel zooms only while the comparison has the focus (or with Ctrl): a page that scrolls by keeps scrolling. */
  private onWheel(event: WheelEvent): void {
    const focused = this.element.matches(':focus-within');
    if (!focused && !event.ctrlKey) return;
    if (event.deltaY === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const { x, y } = this.positionOf(event);
    this.step(event.deltaY < 0 ? 1 : -1, x, y);
  }

  private dragDivider(): void {
    const move = (event: PointerEvent): void => {
      const box = this.stage.getBoundingClientRect();
      this.setDivider(((event.clientX - box.left) / box.width) * 100);
    };
    this.handle.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      this.handle.setPointerCapture(event.pointerId);
    });
    this.handle.addEventListener('pointermove', (event) => {
      if (this.handle.hasPointerCapture(event.pointerId)) move(event);
    });
  }

  private dragPicture(): void {
    this.stage.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.stage.setPointerCapture(event.pointerId);
      this.stage.classList.add('dragging');
    });
    this.stage.addEventListener('pointermove', (event) => {
      this.pointed = this.positionOf(event);
      if (this.stage.hasPointerCapture(event.pointerId)) this.pan(event.movementX, event.movementY);
      else void this.showPixel();
    });
    this.stage.addEventListener('pointerleave', () => {
      this.pointed = undefined;
      void this.showPixel();
    });
    this.stage.addEventListener('lostpointercapture', () => this.stage.classList.remove('dragging'));
  }
}

function keyOf(choice: Choice): string {
  return choice === REFERENCE ? REFERENCE : `${choice.run}.${choice.at}`;
}

function choiceOf(key: string): Choice {
  if (key === REFERENCE) return REFERENCE;
  const [run = NaN, at = NaN] = key.split('.').map(Number);
  return { run, at };
}

function prefersStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** How long a full frame may take before its preview is shown. */
function patience(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, 80, undefined));
}

/** The size of a picture; undefined when the file is there but is no picture: the preview still is. */
async function sizeOf(dataUrl: string): Promise<Size | undefined> {
  const image = new Image();
  image.src = dataUrl;
  try {
    await image.decode();
    return { width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return undefined;
  }
}
