import { element, setAttributes, setPicture, setText, takeKey } from './dom';
import { placeName, placeWord, type Place } from './places';
import type { Region, RunView } from '../../src/protocol';
import type { Labels } from './labels';

export type Mode = 'fit' | 'detail';

export interface FramesEvents {
  /** The pointer or the focus is on a frame; undefined when it has left. */
  onLook(at: number | undefined): void;
  onOpen(at: number): void;
}

interface Tile {
  root: HTMLButtonElement;
  window: HTMLElement;
  image: HTMLImageElement;
  number: HTMLElement;
  word: HTMLElement;
}

/** The row of frames: one button a frame, walked with the arrow keys, opened with Enter or a click. */
export class FramesView {
  readonly element: HTMLElement;
  private readonly tiles: Tile[] = [];
  private current = 0;
  private tiled = false;

  constructor(
    private readonly labels: Labels,
    private readonly events: FramesEvents,
  ) {
    this.element = element('div', { class: 'frames', role: 'toolbar', 'aria-label': labels.frames });
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.element.addEventListener('pointerleave', () => events.onLook(undefined));
    this.element.addEventListener('focusout', () => events.onLook(undefined));
  }

  update(
    view: RunView,
    places: Place[],
    mode: Mode,
    describe: (at: number) => string,
    opened: number | undefined,
  ): void {
    while (this.tiles.length > places.length) this.tiles.pop()?.root.remove();
    while (this.tiles.length < places.length) this.addTile();
    // A finished run starts its walk at the restored frame, which is what a reader looks at first.
    if (!this.tiled && places.length > 0) {
      this.current = places.length - 1;
      this.tiled = true;
    }
    this.current = Math.min(this.current, Math.max(0, places.length - 1));
    places.forEach((place, at) => {
      const tile = this.tiles[at];
      if (tile === undefined) return;
      const shown = sourceOf(place, mode, view.cropSheet !== undefined);
      const there = setPicture(tile.image, shown?.url);
      const name = placeName(place, this.labels);
      tile.image.alt = there ? `${this.labels.picture(name, shown?.region === true)}: ${describe(at)}` : '';
      tile.window.classList.toggle('empty', !there);
      tile.window.classList.toggle('actual', shown?.region === true);
      setShape(
        tile.window,
        mode === 'detail' ? view.record.region : undefined,
        place.frame ?? view.record.frames[0] ?? view.record.input,
      );
      setText(tile.number, String(place.index));
      const word = placeWord(place, this.labels);
      setText(tile.word, word);
      // A file's name may be longer than its picture is wide.
      setAttributes(tile.word, { title: place.frame?.name });
      tile.root.classList.toggle('opened', at === opened);
      tile.root.classList.toggle('restored', place.role === 'restored');
      setAttributes(tile.root, {
        'aria-label': `${name}: ${describe(at)}. ${this.labels.openFrame}`,
        'aria-pressed': at === opened ? 'true' : 'false',
        'aria-disabled': place.frame === undefined ? 'true' : undefined,
        tabindex: at === this.current ? 0 : -1,
      });
    });
  }

  focus(at: number): void {
    this.current = Math.min(Math.max(0, at), this.tiles.length - 1);
    this.tiles.forEach((tile, index) => setAttributes(tile.root, { tabindex: index === this.current ? 0 : -1 }));
    this.tiles[this.current]?.root.focus();
  }

  private addTile(): void {
    const at = this.tiles.length;
    const image = element('img', { draggable: 'false', decoding: 'async' });
    const window = element('span', { class: 'window' }, image);
    const number = element('span', { class: 'number' });
    const word = element('span', { class: 'word' });
    const root = element(
      'button',
      { type: 'button', class: 'frame' },
      window,
      element('span', { class: 'caption' }, number, ' ', word),
    );
    image.addEventListener('error', () => window.classList.add('empty'));
    root.addEventListener('pointerenter', () => this.events.onLook(at));
    root.addEventListener('focus', () => {
      this.current = at;
      this.events.onLook(at);
    });
    root.addEventListener('click', () => {
      if (root.getAttribute('aria-disabled') !== 'true') this.events.onOpen(at);
    });
    this.tiles.push({ root, window, image, number, word });
    this.element.append(root);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const targets: Record<string, number> = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      Home: 0,
      End: this.tiles.length - 1,
    };
    const target = Object.hasOwn(targets, event.key) ? targets[event.key] : undefined;
    if (target !== undefined) {
      takeKey(event);
      this.focus(target);
    }
  }
}

/** What a frame's window shows: the lossless crop of the region where there is one, else the whole frame. */
function sourceOf(
  { picture }: Place,
  mode: Mode,
  isAwaited: boolean,
): { url: string | undefined; region: boolean } | undefined {
  if (picture === undefined) return undefined;
  if (mode === 'detail' && picture.crop !== undefined) return { url: picture.crop, region: true };
  // Crops that are about to come: the whole frame would be seen for a moment only.
  if (mode === 'detail' && isAwaited) return undefined;
  return { url: picture.thumbnail, region: false };
}

/** The window has the shape of what it shows; a region never becomes wider than its own pixels. */
export function setShape(
  window: HTMLElement,
  region: Region | undefined,
  frame: { width: number; height: number },
): void {
  const shape = region ?? frame;
  // A picture of 1 x 1 000 000 pixels would make the row unusable.
  window.style.aspectRatio = String(Math.min(4, Math.max(0.25, shape.width / shape.height)));
  window.style.maxWidth = region === undefined ? '' : `${region.width}px`;
}
