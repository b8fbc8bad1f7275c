import { element, setPicture } from './dom';
import { placeName, type Place } from './places';
import type { Region } from '../../src/protocol';
import type { Labels } from './labels';

/** Longest sides of the overview, in pixels: a thumbnail is not enlarged. */
const WIDTH = 256;
const HEIGHT = 170;

/** One whole frame with the box of the region. */
export class OverviewView {
  readonly element: HTMLElement;
  private readonly image = element('img', { draggable: 'false' });
  private readonly box = element('span', { class: 'region-box', 'aria-hidden': 'true' });

  constructor(private readonly labels: Labels) {
    this.element = element('div', { class: 'overview' }, this.image, this.box);
    this.image.addEventListener('error', () => this.element.classList.add('empty'));
    this.image.addEventListener('load', () => this.element.classList.remove('empty'));
  }

  /** `of` is the place shown; without a picture the overview is an empty frame of the picture's shape. */
  update(of: Place | undefined, region: Region | undefined, size: { width: number; height: number }): void {
    const scale = Math.min(WIDTH / size.width, HEIGHT / size.height);
    this.element.style.width = `${Math.max(24, Math.round(size.width * scale))}px`;
    this.element.style.aspectRatio = String(Math.min(8, Math.max(0.125, size.width / size.height)));
    const there = setPicture(this.image, of?.picture?.thumbnail);
    this.image.alt = there && of !== undefined ? this.labels.overviewOf(placeName(of, this.labels)) : '';
    if (!there) this.element.classList.add('empty');
    this.box.hidden = region === undefined;
    if (region === undefined) return;
    const percent = (value: number, whole: number): string => `${Math.min(100, Math.max(0, (value / whole) * 100))}%`;
    this.box.style.left = percent(region.x, size.width);
    this.box.style.top = percent(region.y, size.height);
    this.box.style.width = percent(Math.min(region.width, size.width - region.x), size.width);
    this.box.style.height = percent(Math.min(region.height, size.height - region.y), size.height);
  }
}
