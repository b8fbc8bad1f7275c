import { CHANNELS } from '../../measure';
import type { ResizerFit } from '../../protocol';
import { cropPixels, type Pixels } from '../image/pixels';
import { RESIZERS } from './resizers';

/** Longest side of the low-resolution part that is looked at: enough samples, little time. */
const MOST_SIDE = 160;
/** Low-resolution pixels near a border that do not count: there, resizers differ in how they go on beyond it. */
const BORDER = 5;
/** Fewest pixels that are left to look at. */
const LEAST_SIDE = 4;
/** Largest reference that is shrunk as a whole, where the scale is no whole number and no part can be cut out. */
const MOST_REFERENCE_PIXELS = 4_000_000;

/**
 * Shrinks `reference` in every known way and compares with `small`.
 *
 * @returns fits, the best first; undefined when `small` is not smaller on both axes alike, or too small to tell
 */
export function fitResizers(small: Pixels, reference: Pixels): ResizerFit[] | undefined {
  const parts = correspondingParts(small, reference);
  if (!parts) return undefined;
  const { low, high } = parts;
  return RESIZERS.map(({ id, shrink }) => {
    const { error, equal } = compare(low, shrink(high, low.width, low.height));
    return { id, error, equal };
  }).sort((a, b) => a.error - b.error);
}

function correspondingParts(small: Pixels, reference: Pixels): { low: Pixels; high: Pixels } | undefined {
  const x = reference.width / small.width;
  const y = reference.height / small.height;
  if (x < 1.2 || y < 1.2 || Math.abs(x - y) > 0.15 * x) return undefined;
  if (Math.min(small.width, small.height) < 2 * BORDER + LEAST_SIDE) return undefined;
  const scale = Math.round(x);
  const fitsWhole =
    Math.abs(reference.width - small.width * scale) < scale &&
    Math.abs(reference.height - small.height * scale) < scale;
  if (!fitsWhole) {
    return reference.width * reference.height > MOST_REFERENCE_PIXELS ? undefined : { low: small, high: reference };
  }
  // Whole low-resolution pixels that the reference covers, from the middle of the picture.
  const columns = Math.min(small.width, Math.floor(reference.width / scale));
  const rows = Math.min(small.height, Math.floor(reference.height / scale));
  const width = Math.min(MOST_SIDE, columns);
  const height = Math.min(MOST_SIDE, rows);
  const left = Math.floor((columns - width) / 2);
  const top = Math.floor((rows - height) / 2);
  return {
    low: cropPixels(small, left, top, width, height),
    high: cropPixels(reference, left * scale, top * scale, width * scale, height * scale),
  };
}

function compare(a: Pixels, b: Pixels): { error: number; equal: number } {
  let sum = 0;
  let equal = 0;
  let count = 0;
  for (let y = BORDER; y < a.height - BORDER; y++) {
    const end = (y * a.width + a.width - BORDER) * CHANNELS;
    for (let i = (y * a.width + BORDER) * CHANNELS; i < end; i++) {
      const difference = a.data[i]! - b.data[i]!;
      sum += difference * difference;
      if (difference === 0) equal++;
      count++;
    }
  }
  return { error: Math.sqrt(sum / count), equal: equal / count };
}
