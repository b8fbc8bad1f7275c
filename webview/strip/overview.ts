import { element, setAttributes, setPicture, takeKey } from './dom';
import { placeName, type Place } from './places';
import { fittedRegion } from './region';
import type { Region } from '../../src/protocol';
import type { Labels } from './labels';
import type { Size } from './viewport';

/** Longest sides of the overview, in pixels: a thumbnail is not enlarged. */
const WIDTH = 256;
const HEIGHT = 170;
/** How far one press of an arrow key moves or resizes the region, in pixels of the picture. */
const STEP = 8;

/** One whole frame with the box of the region, which is moved and resized with the pointer or the arrow keys. */
export class OverviewView {
  readonly element: HTMLElement;
  private readonly image = element('img', { draggable: 'false' });
  private readonly corner = element('span', { class: 'corner', 'aria-hidden': 'true' });
  private readonly box: HTMLButtonElement;
  private region: Region | undefined;
  private size: Size = { width: 1, height: 1 };
  private isMovable = false;

  /** @param onRegion is told the region that the reader wants; undefined = the one of the run. */
  constructor(
    private readonly labels: Labels,
    private readonly onRegion: (region: Region | undefined) => void,
  ) {
    this.box = element('button', { type: 'button', class: 'region-box' }, this.corner);
    this.element = element('div', { class: 'overview' }, this.image, this.box);
    this.image.addEventListener('error', () => this.element.classList.add('empty'));
    this.image.addEventListener('load', () => this.element.classList.remove('empty'));
    this.box.addEventListener('keydown', (event) => this.onKey(event));
    this.drag();
  }

  /** `of` is the place shown; without a picture the overview is an empty frame of the picture's shape. */
  update(of: Place | undefined, region: Region | undefined, size: Size, isMovable: boolean): void {
    const scale = Math.min(WIDTH / size.width, HEIGHT / size.height);
    this.region = region;
    this.size = { width: size.width, height: size.height };
    this.isMovable = isMovable;
    this.element.style.width = `${Math.max(24, Math.round(size.width * scale))}px`;
    this.element.style.aspectRatio = String(Math.min(8, Math.max(0.125, size.width / size.height)));
    const there = setPicture(this.image, of?.picture?.thumbnail);
    this.image.alt = there && of !== undefined ? this.labels.overviewOf(placeName(of, this.labels)) : '';
    if (!there) this.element.classList.add('empty');
    this.element.classList.toggle('movable', isMovable && region !== undefined);
    this.box.hidden = region === undefined;
    if (region === undefined) return;
    this.box.disabled = !isMovable;
    const { width, height, x, y } = region;
    const words = this.labels.regionBox(width, height, x, y);
    setAttributes(this.box, { 'aria-label': isMovable ? `${words}. ${this.labels.regionHint}` : words, title: words });
    const percent = (value: number, whole: number): string => `${Math.min(100, Math.max(0, (value / whole) * 100))}%`;
    this.box.style.left = percent(x, size.width);
    this.box.style.top = percent(y, size.height);
    this.box.style.width = percent(Math.min(width, size.width - x), size.width);
    this.box.style.height = percent(Math.min(height, size.height - y), size.height);
  }

  private put(region: Region): void {
    this.onRegion(fittedRegion(region, this.size));
  }

  private onKey(event: KeyboardEvent): void {
    const { region } = this;
    if (event.ctrlKey || event.metaKey || region === undefined || !this.isMovable) return;
    if (event.key === 'Home') {
      takeKey(event);
      this.onRegion(undefined);
      return;
    }
    // With Alt one pixel, for those who want it exactly.
    const step = event.altKey ? 1 : STEP;
    const ways: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const way = Object.hasOwn(ways, event.key) ? ways[event.key] : undefined;
    if (way === undefined) return;
    takeKey(event);
    const [x, y] = way;
    this.put(
      event.shiftKey
        ? { ...region, width: region.width + x, height: region.height + y }
        : { ...region, x: region.x + x, y: region.y + y },
    );
  }

  /** Dragging the box moves it, dragging its corner resizes it, a press beside it brings it there. */
  private drag(): void {
    let start: { region: Region; x: number; y: number; resizes: boolean } | undefined;
    const pixels = (): number => this.size.width / this.element.clientWidth;
    this.element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || this.region === undefined || !this.isMovable) return;
      event.preventDefault();
      this.box.focus({ preventScroll: true });
      this.element.setPointerCapture(event.pointerId);
      const target = event.composedPath()[0];
      let { region } = this;
      if (target !== this.box && target !== this.corner) {
        const box = this.element.getBoundingClientRect();
        const [x, y] = [(event.clientX - box.left) * pixels(), (event.clientY - box.top) * pixels()];
        region = fittedRegion({ ...region, x: x - region.width / 2, y: y - region.height / 2 }, this.size);
        this.onRegion(region);
      }
      start = { region, x: event.clientX, y: event.clientY, resizes: target === this.corner };
    });
    this.element.addEventListener('pointermove', (event) => {
      if (start === undefined || !this.element.hasPointerCapture(event.pointerId)) return;
      const { region, resizes } = start;
      const [x, y] = [(event.clientX - start.x) * pixels(), (event.clientY - start.y) * pixels()];
      if (resizes) {
        const { width, height } = this.size;
        this.put({
          ...region,
          width: Math.min(region.width + x, width - region.x),
          height: Math.min(region.height + y, height - region.y),
        });
      } else this.put({ ...region, x: region.x + x, y: region.y + y });
    });
    this.element.addEventListener('lostpointercapture', () => (start = undefined));
  }
}
