import type { FramePicture, FrameRecord, RunView } from '../../src/protocol';
import { isFiniteNumber, isObject } from '../../src/protocol/checks';
import { element, setAttributes, setPicture, setText, takeKey } from '../strip/dom';
import { FullFrames, type LoadFrame } from '../strip/full-frames';
import {
  around,
  centred,
  fitted,
  middleOf,
  nextScale,
  zoomed,
  type Point,
  type Size,
  type Viewport,
} from '../strip/viewport';
import { PANEL_LABELS as labels } from './labels';

/** A picture on the stage: its file, and a small one that is shown until the file has come. */
export interface Shown {
  file: string;
  preview?: string;
}

export interface Pair {
  size: Size;
  left: Shown & { name: string };
  /** From below to above; each covers those below it as far as its opacity in [0,1] says. */
  right: (Shown & { opacity: number })[];
  rightName: string;
}

/** How a reader looks at a pair: what a page that is built anew has to be told. */
export interface Look {
  /** Place of the dividing line, in percent of the stage. */
  part: number;
  /** Scale and the picture's point in the middle; absent while the whole picture is shown. */
  zoom?: { scale: number; middle: Point };
}

const SCALES = { least: 1 / 64, most: 64 };
/** Pixels of a picture's side that a point may be asked for; beyond, the edges decide anyway. */
const FARTHEST = 1e6;

export function isLook(value: unknown): value is Look {
  if (!isObject(value) || !isFiniteNumber(value.part) || value.part < 0 || value.part > 100) return false;
  const { zoom } = value;
  if (zoom === undefined) return true;
  if (!isObject(zoom) || !isFiniteNumber(zoom.scale) || !isObject(zoom.middle)) return false;
  const { x, y } = zoom.middle;
  return (
    zoom.scale >= SCALES.least &&
    zoom.scale <= SCALES.most &&
    [x, y].every((at) => isFiniteNumber(at) && Math.abs(at) <= FARTHEST)
  );
}

const DIVIDER_STEP = 2;
const PAN_STEP = 64;
const TALLEST = 560;

/** Two pictures over each other with a dividing line. Zoom and pan move both. */
export class BeforeAfter {
  readonly element: HTMLElement;
  private readonly frames: FullFrames;
  private readonly stage: HTMLElement;
  private readonly left = element('div', { class: 'layer' });
  private readonly right = element('div', { class: 'layer' });
  private readonly leftName = element('span', { class: 'side-name left', 'aria-hidden': 'true' });
  private readonly rightName = element('span', { class: 'side-name right', 'aria-hidden': 'true' });
  private readonly divider: HTMLElement;
  private readonly zoomText = element('output', { class: 'zoom-text' });
  /** Pictures by file, kept while they are part of the run that is shown: a dial must not make them flash. */
  private readonly pictures = new Map<string, HTMLImageElement>();
  private readonly leftPicture = element('img', { alt: '', draggable: 'false' });
  private pair: Pair | undefined;
  private room: Size = { width: 1, height: 1 };
  private viewport: Viewport = { scale: 1, x: 0, y: 0 };
  private isFitted = true;
  /** What the reader has put into the middle: it stays there when the stage changes its size. */
  private middle: Point = { x: 0, y: 0 };
  private part = 50;

  /** @param onLook is told when the reader has zoomed, moved the picture or the dividing line */
  constructor(
    loadFrame: LoadFrame,
    private readonly onLook: () => void,
  ) {
    this.frames = new FullFrames(loadFrame);
    this.left.append(this.leftPicture);
    this.divider = element(
      'div',
      {
        class: 'divider',
        role: 'slider',
        tabindex: 0,
        'aria-label': labels.divider,
        'aria-valuemin': 0,
        'aria-valuemax': 100,
      },
      element('span', { class: 'grip' }),
    );
    this.stage = element(
      'div',
      {
        class: 'stage',
        role: 'group',
        tabindex: 0,
        'aria-label': `${labels.beforeAfter}. ${labels.beforeAfterHint}`,
      },
      this.left,
      this.right,
      this.leftName,
      this.rightName,
      this.divider,
    );
    const button = (text: string, label: string, act: () => void): HTMLElement => {
      const made = element('button', { type: 'button', class: 'quiet', 'aria-label': label, title: label }, text);
      made.addEventListener('click', act);
      return made;
    };
    const zoom = element(
      'div',
      { class: 'zoom' },
      button('−', labels.zoomOut, () => this.step(-1)),
      this.zoomText,
      button('+', labels.zoomIn, () => this.step(1)),
      button(labels.fit, labels.fit, () => this.fit()),
      button(labels.actual, labels.actual, () => this.zoomTo(1)),
    );
    this.element = element('section', { class: 'before-after', 'aria-label': labels.beforeAfter }, this.stage, zoom);
    this.stage.addEventListener('keydown', (event) => this.onStageKey(event));
    this.divider.addEventListener('keydown', (event) => this.onDividerKey(event));
    this.stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.dragDivider();
    this.dragPicture();
    new ResizeObserver(() => this.layOut()).observe(this.element);
  }

  /** Shows a pair; zoom, position and the dividing line stay. */
  show(pair: Pair): void {
    const before = this.pair?.size;
    this.pair = pair;
    if (before?.width !== pair.size.width || before.height !== pair.size.height) this.isFitted = true;
    void this.load(this.leftPicture, pair.left);
    setText(this.leftName, pair.left.name);
    setText(this.rightName, pair.rightName);
    this.showRight(pair.right);
    this.layOut();
  }

  get look(): Look {
    return { part: this.part, ...(this.isFitted ? {} : { zoom: { scale: this.viewport.scale, middle: this.middle } }) };
  }

  /** Looks at the pair that is shown as the reader did before. */
  lookAs({ part, zoom }: Look): void {
    this.part = part;
    this.isFitted = zoom === undefined;
    if (zoom !== undefined) {
      this.viewport = { ...this.viewport, scale: zoom.scale };
      this.middle = zoom.middle;
    }
    this.layOut();
  }

  /** Loads pictures ahead of their being shown. */
  prepare(pictures: readonly Shown[]): void {
    for (const shown of pictures) void this.load(this.pictureOf(shown.file), shown);
  }

  /** Forgets pictures that belong to another run. */
  keepOnly(files: ReadonlySet<string>): void {
    for (const [file, picture] of this.pictures) {
      if (files.has(file)) continue;
      picture.remove();
      this.pictures.delete(file);
    }
  }

  /** The full picture of a file, as a data URL; undefined when it is gone. */
  full(file: string): Promise<string | undefined> {
    return this.frames.get(file);
  }

  private showRight(pictures: Pair['right']): void {
    const visible = new Set(pictures.map(({ file }) => file));
    for (const [file, picture] of this.pictures) {
      if (!visible.has(file)) picture.style.visibility = 'hidden';
    }
    for (const shown of pictures) {
      const picture = this.pictureOf(shown.file);
      picture.style.visibility = 'visible';
      picture.style.opacity = String(shown.opacity);
      // Later ones lie above; moving a picture that is last already would start nothing but work.
      if (this.right.lastElementChild !== picture) this.right.append(picture);
      void this.load(picture, shown);
    }
  }

  private pictureOf(file: string): HTMLImageElement {
    const known = this.pictures.get(file);
    if (known !== undefined) return known;
    const picture = element('img', { alt: '', draggable: 'false' });
    picture.style.visibility = 'hidden';
    this.pictures.set(file, picture);
    this.right.append(picture);
    this.place();
    return picture;
  }

  /** The preview at once, the full picture as soon as it has come. */
  private async load(picture: HTMLImageElement, { file, preview }: Shown): Promise<void> {
    if (picture.dataset.file === file) return;
    picture.dataset.file = file;
    const full = this.frames.get(file);
    setAttributes(this.element, { 'aria-busy': 'true' });
    if (!picture.hasAttribute('src') || picture === this.leftPicture) setPicture(picture, preview);
    const dataUrl = await full;
    if (picture.dataset.file !== file) return;
    // A file that is gone is asked for again the next time.
    if (dataUrl === undefined) delete picture.dataset.file;
    else setPicture(picture, dataUrl);
    const shown = [this.leftPicture, ...this.pictures.values()];
    const busy = shown.some((one) => one.dataset.file !== undefined && one.naturalWidth === 0 && !one.complete);
    setAttributes(this.element, { 'aria-busy': busy ? 'true' : undefined });
  }

  private layOut(): void {
    const width = this.stage.clientWidth;
    if (width === 0 || this.pair === undefined) return;
    const { size } = this.pair;
    const natural = fitted(size, { width, height: TALLEST }).scale * size.height;
    this.stage.style.height = `${Math.round(Math.min(TALLEST, Math.max(180, natural)))}px`;
    this.room = { width, height: this.stage.clientHeight };
    this.viewport = this.isFitted ? fitted(size, this.room) : around(this.middle, this.viewport.scale, size, this.room);
    this.place();
  }

  /** Puts pictures, line and numbers where the state says. */
  private place(): void {
    if (this.pair === undefined) return;
    const { size, left, rightName } = this.pair;
    const { scale, x, y } = this.viewport;
    for (const picture of [this.leftPicture, ...this.pictures.values()]) {
      picture.style.width = `${size.width * scale}px`;
      picture.style.height = `${size.height * scale}px`;
      picture.style.transform = `translate(${x}px, ${y}px)`;
    }
    this.stage.classList.toggle('sharp', scale > 1);
    this.right.style.clipPath = `inset(0 0 0 ${this.part}%)`;
    this.divider.style.left = `${this.part}%`;
    this.stage.style.setProperty('--inset', `${Math.max(0, x)}px`);
    this.stage.classList.toggle('movable', scale > fitted(size, this.room).scale);
    setText(this.zoomText, `${Math.round(scale * 100)} %`);
    const percent = Math.round(this.part);
    setAttributes(this.divider, {
      'aria-valuenow': percent,
      'aria-valuetext': labels.dividerValue(left.name, rightName, percent),
    });
  }

  private fit(): void {
    this.isFitted = true;
    this.layOut();
    this.onLook();
  }

  private zoomTo(scale: number, x = this.room.width / 2, y = this.room.height / 2): void {
    if (this.pair === undefined) return;
    const { size } = this.pair;
    this.viewport = centred(zoomed(this.viewport, scale, x, y), size, this.room);
    this.isFitted = false;
    this.middle = middleOf(this.viewport, this.room);
    this.place();
    this.onLook();
  }

  private step(direction: 1 | -1, x?: number, y?: number): void {
    if (this.pair === undefined) return;
    const fit = fitted(this.pair.size, this.room).scale;
    this.zoomTo(nextScale(this.viewport.scale, direction, fit), x, y);
    // Zoomed out to the whole picture it stays whole; 100 % stays 100 %, also where that is the whole picture just now.
    this.isFitted = this.viewport.scale === fit;
    this.onLook();
  }

  private pan(dx: number, dy: number): void {
    if (this.pair === undefined) return;
    const moved = { ...this.viewport, x: this.viewport.x + dx, y: this.viewport.y + dy };
    this.viewport = centred(moved, this.pair.size, this.room);
    this.middle = middleOf(this.viewport, this.room);
    this.place();
    this.onLook();
  }

  private setDivider(percent: number): void {
    this.part = Math.min(100, Math.max(0, percent));
    this.place();
    this.onLook();
  }

  private onStageKey(event: KeyboardEvent): void {
    if (event.target !== this.stage) return;
    act(event, {
      '+': () => this.step(1),
      '=': () => this.step(1),
      '-': () => this.step(-1),
      '0': () => this.fit(),
      '1': () => this.zoomTo(1),
      ArrowLeft: () => this.pan(PAN_STEP, 0),
      ArrowRight: () => this.pan(-PAN_STEP, 0),
      ArrowUp: () => this.pan(0, PAN_STEP),
      ArrowDown: () => this.pan(0, -PAN_STEP),
    });
  }

  private onDividerKey(event: KeyboardEvent): void {
    act(event, {
      ArrowLeft: () => this.setDivider(this.part - DIVIDER_STEP),
      ArrowDown: () => this.setDivider(this.part - DIVIDER_STEP),
      ArrowRight: () => this.setDivider(this.part + DIVIDER_STEP),
      ArrowUp: () => this.setDivider(this.part + DIVIDER_STEP),
      PageDown: () => this.setDivider(this.part - 10),
      PageUp: () => this.setDivider(this.part + 10),
      Home: () => this.setDivider(0),
      End: () => this.setDivider(100),
    });
  }

  /** The wheel zooms only while the stage has the focus (or with Ctrl): a page that scrolls by keeps scrolling. */
  private onWheel(event: WheelEvent): void {
    if (!this.element.matches(':focus-within') && !event.ctrlKey) return;
    if (event.deltaY === 0) return;
    event.preventDefault();
    const box = this.stage.getBoundingClientRect();
    this.step(event.deltaY < 0 ? 1 : -1, event.clientX - box.left, event.clientY - box.top);
  }

  private dragDivider(): void {
    this.divider.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      this.divider.setPointerCapture(event.pointerId);
    });
    this.divider.addEventListener('pointermove', (event) => {
      if (!this.divider.hasPointerCapture(event.pointerId)) return;
      const box = this.stage.getBoundingClientRect();
      this.setDivider(((event.clientX - box.left) / box.width) * 100);
    });
  }

  private dragPicture(): void {
    this.stage.addEventListener('pointerdown', (event) => {
      if (event.button === 0) this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener('pointermove', (event) => {
      if (this.stage.hasPointerCapture(event.pointerId)) this.pan(event.movementX, event.movementY);
    });
  }
}

function act(event: KeyboardEvent, actions: Record<string, () => void>): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
  if (action === undefined) return;
  takeKey(event);
  action();
}

/** A frame of a run, as the stage wants it. */
export function shownFrame(view: RunView, frame: FrameRecord): Shown {
  const picture: FramePicture | undefined = view.pictures.find(({ index }) => index === frame.index);
  return { file: frame.file, ...(picture === undefined ? {} : { preview: picture.thumbnail }) };
}
