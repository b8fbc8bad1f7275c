import { RestorationError, type SampleCrop } from '../../protocol';
import { resizeBicubic } from '../image/bicubic';
import { createPixels, cropPixels, type Pixels } from '../image/pixels';
import type { Draws } from './random';

interface Size {
  width: number;
  height: number;
}

/** Smaller copies of a picture: blur and detail of every size. */
const LEVELS = [1, 1.5, 2.25, 3];

/**
 * Draws a part of the given size from a picture, at full size or from a copy up to three times smaller. A picture that is
 * smaller than the sample by less than half is mirrored at its right and lower border.
 *
 * @throws RestorationError `size-mismatch` for one that is smaller still
 */
export function drawCrop(draws: Draws, picture: Size, size: Size): SampleCrop {
  if (picture.width * 2 < size.width || picture.height * 2 < size.height) {
    throw new RestorationError(
      'size-mismatch',
      `The picture has ${picture.width}x${picture.height} pixels, less than half of the ${size.width}x${size.height} of a sample.`,
      'Ask for smaller samples, or leave it out.',
    );
  }
  const copies = LEVELS.map((shrink) => ({
    shrink,
    width: Math.round(picture.width / shrink),
    height: Math.round(picture.height / shrink),
  })).filter(({ shrink, width, height }) => shrink === 1 || (width >= size.width && height >= size.height));
  const copy = copies[draws.whole(0, copies.length - 1)]!;
  const x = draws.whole(0, Math.max(0, copy.width - size.width));
  const y = draws.whole(0, Math.max(0, copy.height - size.height));
  return { shrink: copy.shrink, x, y, ...size, whole: { width: copy.width, height: copy.height } };
}

/** The part of the picture that `crop` names. */
export function applyCrop(picture: Pixels, { x, y, width, height, whole }: SampleCrop): Pixels {
  const copy =
    whole.width === picture.width && whole.height === picture.height
      ? picture
      : resizeBicubic(picture, whole.width, whole.height);
  if (x + width <= copy.width && y + height <= copy.height) return cropPixels(copy, x, y, width, height);
  const result = createPixels(width, height);
  for (let row = 0; row < height; row++) {
    const from = folded(y + row, copy.height) * copy.width;
    for (let column = 0; column < width; column++) {
      const source = (from + folded(x + column, copy.width)) * 3;
      for (let c = 0; c < 3; c++) result.data[(row * width + column) * 3 + c] = copy.data[source + c]!;
    }
  }
  return result;
}

/** Mirrored beyond the end, the border sample repeated. */
function folded(index: number, length: number): number {
  return index < length ? index : 2 * length - 1 - index;
}
