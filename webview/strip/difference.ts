import { flipMapInSteps, MAGMA, type ScalarMap } from '../../src/measure';
import { pixelsOf, surface } from './bitmaps';
import { Pause } from './pause';

/** A map of how two pictures differ, painted; `values` are per pixel where the map is one of numbers. */
export interface Difference {
  canvas: HTMLCanvasElement;
  /** FLIP at every pixel, in [0, 1]. */
  flip?: ScalarMap;
  /** Mean FLIP, in [0, 1]. */
  mean?: number;
}

/** Rows that are painted at once hold about so many pixels. */
const PAINTED_PIXELS = 1 << 16;

/**
 * Absolute difference of two pictures of one size, each channel times `gain`: black where they agree. Undefined when
 * `cancelled` in between; the page stays responsive meanwhile.
 */
export async function absoluteDifference(
  a: ImageBitmap,
  b: ImageBitmap,
  gain: number,
  cancelled: () => boolean,
): Promise<Difference | undefined> {
  const first = await pixelsOf(a, cancelled);
  const second = first && (await pixelsOf(b, cancelled));
  if (first === undefined || second === undefined) return undefined;
  const canvas = await paint(a, cancelled, (rgba, from) => {
    for (let i = from * 3, to = 0; to < rgba.length; to += 4, i += 3) {
      for (let channel = 0; channel < 3; channel++) {
        rgba[to + channel] = Math.abs(first.data[i + channel]! - second.data[i + channel]!) * gain;
      }
      rgba[to + 3] = 255;
    }
  });
  return canvas && { canvas };
}

/** LDR-FLIP of two pictures of one size in the colours of magma, black = 0, pale yellow = 1. Undefined when `cancelled`. */
export async function flipDifference(
  a: ImageBitmap,
  b: ImageBitmap,
  cancelled: () => boolean,
  onShare: (share: number) => void,
): Promise<Difference | undefined> {
  const first = await pixelsOf(a, cancelled);
  const second = first && (await pixelsOf(b, cancelled));
  if (first === undefined || second === undefined) return undefined;
  // Rows of a large picture take longer: one row a step keeps a step short.
  const steps = flipMapInSteps(first, second, 1);
  const pause = new Pause();
  let next = steps.next();
  for (; next.done !== true; next = steps.next()) {
    await pause.perhaps();
    if (cancelled()) return undefined;
    onShare(next.value);
  }
  const flip = next.value;
  let sum = 0;
  const canvas = await paint(a, cancelled, (rgba, from) => {
    for (let i = from, to = 0; to < rgba.length; to += 4, i++) {
      const value = flip.data[i]!;
      sum += value;
      const colour = Math.round(Math.min(1, Math.max(0, value)) * 255) * 3;
      for (let channel = 0; channel < 3; channel++) rgba[to + channel] = MAGMA[colour + channel]!;
      rgba[to + 3] = 255;
    }
  });
  return canvas && { canvas, flip, mean: sum / flip.data.length };
}

/** A canvas painted some rows at a time; `fill` gets their samples and the number of their first pixel. */
async function paint(
  { width, height }: { width: number; height: number },
  cancelled: () => boolean,
  fill: (rgba: Uint8ClampedArray, from: number) => void,
): Promise<HTMLCanvasElement | undefined> {
  const { canvas, context } = surface(width, height);
  const rows = Math.max(1, Math.floor(PAINTED_PIXELS / width));
  const pause = new Pause();
  for (let y = 0; y < height; y += rows) {
    const part = context.createImageData(width, Math.min(rows, height - y));
    fill(part.data, y * width);
    context.putImageData(part, 0, y);
    await pause.perhaps();
    if (cancelled()) return undefined;
  }
  return canvas;
}
