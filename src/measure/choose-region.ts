import type { Region } from '../protocol';
import { CHANNELS, assertSameSize, type Pixels } from './pixels';

/**
 * Side of the region: nine of them and the reference's stand side by side at 1:1 in the width that a notebook has beside a
 * side bar, and a run takes a tenth of a megabyte of it.
 */
const SIDE = 80;
/** Smallest side that is still worth looking at, where the picture allows it. */
const LEAST_SIDE = 32;
/** How much more a difference of detail (of neighbouring pixels' contrast) counts than one of brightness. */
const DETAIL = 16;
/** Widest strip along the borders that is left out, because padding and cropping disturb it. */
const MARGIN = 16;

/**
 * The square where two pictures differ most: the first and the last frame, or a frame and its reference. Differences of
 * detail count more than those of brightness; otherwise the choice for a dark picture would be its brightest wall. The
 * square is 80 pixels wide, half the shorter side in small pictures, and keeps away from the borders where there is
 * room. Identical pictures give the middle; of equal places the topmost, then leftmost, is taken.
 *
 * @throws RestorationError `size-mismatch` when the sides differ.
 */
export function chooseRegion(first: Pixels, last: Pixels): Region {
  assertSameSize(first, last);
  const { width, height } = first;
  const shorter = Math.min(width, height);
  const side = Math.min(SIDE, shorter, Math.max(LEAST_SIDE, Math.floor(shorter / 2)));
  const marginX = Math.min(MARGIN, Math.floor((width - side) / 4));
  const marginY = Math.min(MARGIN, Math.floor((height - side) / 4));
  const region = { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), width: side, height: side };

  // Sums down the columns of the current `side` rows: the next position drops one row and takes one in, so the whole
  // search costs two looks at every pixel and one row of memory.
  const columns = new Float64Array(width);
  const row = (y: number, sign: number): void => {
    for (let x = 0; x < width; x++) columns[x] = columns[x]! + sign * differenceAt(first, last, x, y);
  };
  for (let y = marginY; y < marginY + side; y++) row(y, 1);
  let most = 0;
  for (let y = marginY; ; y++) {
    let sum = 0;
    for (let x = marginX; x < marginX + side; x++) sum += columns[x]!;
    for (let x = marginX; ; x++) {
      if (sum > most) {
        most = sum;
        region.x = x;
        region.y = y;
      }
      if (x + side >= width - marginX) break;
      sum += columns[x + side]! - columns[x]!;
    }
    if (y + side >= height - marginY) break;
    row(y, -1);
    row(y + side, 1);
  }
  return region;
}

/** How much the pictures differ at a pixel and in its contrast to the pixels left of it and above it, over all channels. */
export function differenceAt(first: Pixels, last: Pixels, x: number, y: number): number {
  const a = first.data;
  const b = last.data;
  // Read once: outside of a bundle, an imported constant is looked up at every use.
  const step = CHANNELS;
  const length = first.width * step;
  const start = y * length + x * step;
  let sum = 0;
  for (let i = start; i < start + step; i++) {
    const here = a[i]! - b[i]!;
    sum += Math.abs(here);
    if (x > 0) sum += DETAIL * Math.abs(here - (a[i - step]! - b[i - step]!));
    if (y > 0) sum += DETAIL * Math.abs(here - (a[i - length]! - b[i - length]!));
  }
  return sum;
}
