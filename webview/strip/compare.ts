import { element, setAttributes, setPicture, setText, takeKey } from './dom';
import { FullFrames, type LoadFrame } from './full-frames';
import { centred, fitted, nextScale, zoomed, type Size, type Viewport } from './viewport';
import { lastPlace, placeName, type Place } from './places';
import type { RunView } from '../../src/protocol';
import type { Labels } from './labels';

export interface CompareEvents {
  /** Another frame stands on the right. */
  onWalk(at: number): void;
  onClose(): void;
}

/** The place of the reference in the choice of frames: it has no column. */
const REFERENCE = 'reference';
type Choice = number | typeof REFERENCE;

interface Side {
  choice: Choice;
  /** The reader has chosen it; else the side follows the first or the last frame. */
  chosen: boolean;
  layer: HTMLElement;
  image: HTMLImageElement;
  name: HTMLElement;
  select: HTMLSelectElement;
  shows: 'loading' | 'preview' | 'full';
  /** What was last asked for: answers to anything else come too late. */
  wanted?: { file: string; preview: string | undefined };
  /** What has been answered last; as `wanted` when nothing is on its way. */
  settled?: Side['wanted'];
}

const PAN_STEP = 64;
const SLIDER_STEP = 2;

/**
 * Two frames over each other with a dividing line. Zoom and pan move both; the arrow keys change the right one and leave
 * everything else where it is.
 */
export class CompareView {
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly handle: HTMLElement;
  private readonly zoomText = element('output', { class: 'zoom-text' });
  private readonly note = element('p', { class: 'note-line', role: 'status' });
  private readonly left: Side;
  private readonly right: Side;
  private readonly frames: FullFrames;
  private readonly observer: ResizeObserver;
  private places: Place[] = [];
  private view: RunView | undefined;
  private picture: Size = { width: 1, height: 1 };
  private room: Size = { width: 1, height: 1 };
  private viewport: Viewport = { scale: 1, x: 0, y: 0 };
  private isFitted = true;
  /** Position of the dividing line, 0 to 100. */
  private divider = 50;

  constructor(
    private readonly labels: Labels,
    private readonly events: CompareEvents,
    options: { loadFrame?: LoadFrame; closable: boolean },
  ) {
    this.frames = new FullFrames(options.loadFrame);
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
      this.left.name,
      this.right.name,
      this.handle,
    );
    const button = (text: string, label: string, act: () => void): HTMLButtonElement => {
      const made = element('button', { type: 'button', class: 'quiet', 'aria-label': label, title: label }, text);
      made.addEventListener('click', act);
      return made;
    };
    const bar = element(
      'div',
      { class: 'bar' },
      this.left.select,
      element('span', { class: 'muted' }, labels.against),
      this.right.select,
      // In the bar, so that the picture does not move when it comes and goes.
      this.note,
      button('−', labels.zoomOut, () => this.step(-1)),
      this.zoomText,
      button('+', labels.zoomIn, () => this.step(1)),
      button(labels.zoomFit, labels.zoomFit, () => this.fit()),
      button(labels.zoomActual, labels.zoomActual, () => this.zoomTo(1)),
    );
    if (options.closable) bar.append(button('✕', labels.close, () => events.onClose()));
    this.element = element('section', { class: 'compare', 'aria-label': labels.compare }, bar, this.stage);
    this.element.addEventListener('keydown', (event) => this.onKey(event, options.closable));
    this.handle.addEventListener('keydown', (event) => this.onSliderKey(event));
    this.dragDivider();
    this.dragPicture();
    this.stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(this.element);
  }

  /** Place of the frame on the right; undefined while the reference stands there. */
  get opened(): number | undefined {
    return this.right.choice === REFERENCE ? undefined : this.right.choice;
  }

  /** Shows the frames of `view`; what is chosen, the zoom and the line stay. */
  update(view: RunView, places: Place[]): void {
    const first = this.view === undefined;
    this.view = view;
    this.places = places;
    const last = lastPlace(places);
    const size = places[last ?? 0]?.frame ?? view.record.input;
    const resized = size.width !== this.picture.width || size.height !== this.picture.height;
    this.picture = { width: size.width, height: size.height };
    for (const side of [this.left, this.right]) {
      if (!side.chosen || !this.isThere(side.choice)) side.choice = side === this.left ? 0 : (last ?? 0);
      this.fillChoices(side);
      void this.showSide(side);
    }
    if (first || resized) this.isFitted = true;
    this.layOut();
  }

  /** Puts a frame on the right. */
  open(at: number): void {
    if (!this.isThere(at)) return;
    this.right.choice = at;
    this.right.chosen = true;
    void this.showSide(this.right);
    this.describeDivider();
    this.events.onWalk(at);
  }

  focus(): void {
    this.stage.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'nearest' });
  }

  dispose(): void {
    this.observer.disconnect();
    this.element.remove();
  }

  private createSide(kind: 'left' | 'right', label: string): Side {
    const image = element('img', { draggable: 'false', alt: '' });
    const select = element('select', { class: 'choice', 'aria-label': label });
    const side: Side = {
      choice: 0,
      chosen: false,
      layer: element('div', { class: `layer ${kind}` }, image),
      image,
      name: element('span', { class: `name ${kind}`, 'aria-hidden': 'true' }),
      select,
      shows: 'loading',
    };
    select.addEventListener('change', () => {
      const chosen: Choice = select.value === REFERENCE ? REFERENCE : Number(select.value);
      if (!this.isThere(chosen)) return;
      if (kind === 'right' && chosen !== REFERENCE) this.open(chosen);
      else {
        side.choice = chosen;
        side.chosen = true;
        void this.showSide(side);
        this.describeDivider();
      }
    });
    return side;
  }

  private isThere(choice: Choice): boolean {
    if (choice === REFERENCE) return this.view?.reference !== undefined;
    return this.places[choice]?.frame !== undefined;
  }

  private nameOf(choice: Choice): string {
    if (choice === REFERENCE) return this.labels.reference;
    const place = this.places[choice];
    return place === undefined ? '' : placeName(place, this.labels);
  }

  private fillChoices(side: Side): void {
    const choices: Choice[] = this.places.map((_, at) => at).filter((at) => this.isThere(at));
    if (this.isThere(REFERENCE)) choices.push(REFERENCE);
    const names = choices.map((choice) => this.nameOf(choice)).join('\n');
    if (side.select.dataset.names !== names) {
      side.select.dataset.names = names;
      side.select.replaceChildren(
        ...choices.map((choice) => element('option', { value: String(choice) }, this.nameOf(choice))),
      );
    }
    side.select.value = String(side.choice);
  }

  /** The full frame as soon as it is there; its preview before, unless the full one comes at once. */
  private async showSide(side: Side): Promise<void> {
    const place = side.choice === REFERENCE ? undefined : this.places[side.choice];
    const preview = side.choice === REFERENCE ? this.view?.reference?.thumbnail : place?.picture?.thumbnail;
    const file = place?.frame?.file ?? '';
    side.select.value = String(side.choice);
    setText(side.name, this.nameOf(side.choice));
    if (side.wanted?.file === file && side.wanted.preview === preview) return;
    const wanted = { file, preview };
    side.wanted = wanted;
    setAttributes(this.element, { 'aria-busy': 'true' });
    const full = this.frames.get(file).then(async (dataUrl) => {
      return dataUrl !== undefined && (await decodes(dataUrl)) ? dataUrl : undefined;
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
    const busy = [this.left, this.right].some((one) => one.wanted !== one.settled);
    setAttributes(this.element, { 'aria-busy': busy ? 'true' : undefined });
  }

  private put(side: Side, dataUrl: string | undefined, shows: Side['shows']): void {
    setPicture(side.image, dataUrl);
    side.shows = shows;
    side.layer.classList.toggle('preview', shows !== 'full');
    const shown = [this.left.shows, this.right.shows];
    const text = shown.includes('preview')
      ? this.labels.previewOnly
      : shown.includes('loading')
        ? this.labels.loading
        : '';
    setText(this.note, text);
  }

  private layOut(): void {
    const width = this.stage.clientWidth;
    if (width === 0) return;
    const aspect = this.picture.height / this.picture.width;
    const natural = fitted(this.picture, { width, height: 560 }).scale * this.picture.height;
    this.stage.style.height = `${Math.round(Math.min(560, Math.max(180, Math.min(width * aspect, natural))))}px`;
    const before = this.room;
    this.room = { width, height: this.stage.clientHeight };
    if (this.isFitted) this.viewport = fitted(this.picture, this.room);
    else {
      const shift = { x: (this.room.width - before.width) / 2, y: (this.room.height - before.height) / 2 };
      const moved = { ...this.viewport, x: this.viewport.x + shift.x, y: this.viewport.y + shift.y };
      this.viewport = centred(moved, this.picture, this.room);
    }
    this.place();
  }

  /** Puts pictures, line and numbers where the state says. */
  private place(): void {
    const { scale, x, y } = this.viewport;
    for (const side of [this.left, this.right]) {
      side.image.style.width = `${this.picture.width * scale}px`;
      side.image.style.height = `${this.picture.height * scale}px`;
      side.image.style.transform = `translate(${x}px, ${y}px)`;
      side.layer.classList.toggle('sharp', scale > 1);
    }
    this.right.layer.style.clipPath = `inset(0 0 0 ${this.divider}%)`;
    this.stage.style.setProperty('--inset', `${Math.max(0, x)}px`);
    this.handle.style.left = `${this.divider}%`;
    this.stage.classList.toggle('movable', scale > fitted(this.picture, this.room).scale);
    setText(this.zoomText, `${Math.round(scale * 100)} %`);
    this.describeDivider();
  }

  private describeDivider(): void {
    const percent = Math.round(this.divider);
    const value = this.labels.sliderValue(this.nameOf(this.left.choice), this.nameOf(this.right.choice), percent);
    setAttributes(this.handle, { 'aria-valuenow': percent, 'aria-valuetext': value });
  }

  private fit(): void {
    this.isFitted = true;
    this.layOut();
  }

  private zoomTo(scale: number, x = this.room.width / 2, y = this.room.height / 2): void {
    this.viewport = centred(zoomed(this.viewport, scale, x, y), this.picture, this.room);
    this.isFitted = scale === fitted(this.picture, this.room).scale;
    this.place();
  }

  private step(direction: 1 | -1, x?: number, y?: number): void {
    this.zoomTo(nextScale(this.viewport.scale, direction, fitted(this.picture, this.room).scale), x, y);
  }

  private pan(dx: number, dy: number): void {
    const moved = { ...this.viewport, x: this.viewport.x + dx, y: this.viewport.y + dy };
    this.viewport = centred(moved, this.picture, this.room);
    this.isFitted = false;
    this.place();
  }

  private setDivider(percent: number): void {
    this.divider = Math.min(100, Math.max(0, percent));
    this.place();
  }

  private walk(direction: 1 | -1): void {
    const from = this.opened ?? this.places.length;
    for (let at = from + direction; at >= 0 && at < this.places.length; at += direction) {
      if (this.isThere(at)) return this.open(at);
    }
  }

  private onKey(event: KeyboardEvent, closable: boolean): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape' && closable) {
      takeKey(event);
      this.events.onClose();
      return;
    }
    if (event.target !== this.stage) return;
    const first = this.places.findIndex((_, at) => this.isThere(at));
    const last = lastPlace(this.places);
    const actions: Record<string, () => void> = event.shiftKey
      ? {
          ArrowLeft: () => this.pan(PAN_STEP, 0),
          ArrowRight: () => this.pan(-PAN_STEP, 0),
          ArrowUp: () => this.pan(0, PAN_STEP),
          ArrowDown: () => this.pan(0, -PAN_STEP),
          '+': () => this.step(1),
        }
      : {
          ArrowLeft: () => this.walk(-1),
          ArrowRight: () => this.walk(1),
          Home: () => this.open(first),
          End: () => last !== undefined && this.open(last),
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

  /** The wheel zooms only while the comparison has the focus (or with Ctrl): a page that scrolls by keeps scrolling. */
  private onWheel(event: WheelEvent): void {
    const focused = this.element.matches(':focus-within');
    if (!focused && !event.ctrlKey) return;
    if (event.deltaY === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const box = this.stage.getBoundingClientRect();
    this.step(event.deltaY < 0 ? 1 : -1, event.clientX - box.left, event.clientY - box.top);
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
      if (this.stage.hasPointerCapture(event.pointerId)) this.pan(event.movementX, event.movementY);
    });
    this.stage.addEventListener('lostpointercapture', () => this.stage.classList.remove('dragging'));
  }
}

/** How long a full frame may take before its preview is shown. */
function patience(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, 80, undefined));
}

async function decodes(dataUrl: string): Promise<boolean> {
  const image = new Image();
  image.src = dataUrl;
  try {
    await image.decode();
    return true;
  } catch {
    return false; // The file is there but is no picture: the preview still is.
  }
}
