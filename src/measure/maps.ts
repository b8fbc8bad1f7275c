import { RestorationError } from '../protocol';
import { MAGMA } from './magma';
import { assertSameSize, CHANNELS, type Pixels } from './pixels';
import { planeOf, type ProtocolOptions } from './protocols';
import { ssimWindows, WINDOW } from './ssim';

/** One number a pixel, row by row. */
export interface ScalarMap {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  /** The pixel of the pictures that the first value stands for: a map may be smaller than they are. */
  readonly left: number;
  readonly top: number;
}

/** The pixel that the first one of the plane of `protocol` is. */
function originOf({ protocol, scale, region }: ProtocolOptions): { left: number; top: number } {
  if (region) return { left: region.x, top: region.y };
  return protocol === 'sr' ? { left: scale, top: scale } : { left: 0, top: 0 };
}

/**
 * Absolute difference of every pixel in 8-bit levels, from 0 to 255: the mean over the channels in `rgb`, that of Y in
 * `sr`, whose border is left out.
 *
 * @throws RestorationError as `measurePair`, but for pictures of any size.
 */
export function errorMap(a: Pixels, b: Pixels, options: ProtocolOptions): ScalarMap {
  assertSameSize(a, b);
  const planeA = planeOf(a, options);
  const planeB = planeOf(b, options);
  const { width, height, channels } = planeA;
  const data = new Float32Array(width * height);
  const rowA = new Float64Array(width * channels);
  const rowB = new Float64Array(width * channels);
  for (let y = 0, i = 0; y < height; y++) {
    planeA.readRow(y, rowA, 0);
    planeB.readRow(y, rowB, 0);
    for (let x = 0, j = 0; x < width; x++, i++) {
      let sum = 0;
      for (const end = j + channels; j < end; j++) sum += Math.abs(rowA[j]! - rowB[j]!);
      data[i] = sum / channels;
    }
  }
  return { data, width, height, ...originOf(options) };
}

/**
 * SSIM of every window, at the window's middle: 5 pixels are missing on each side, and the border of `sr`. The mean of
 * the map is the SSIM of the pair.
 *
 * @throws RestorationError as `measurePair`.
 */
export function ssimMap(a: Pixels, b: Pixels, options: ProtocolOptions): ScalarMap {
  assertSameSize(a, b);
  const planeA = planeOf(a, options);
  const planeB = planeOf(b, options);
  const { left, top } = originOf(options);
  const half = (WINDOW - 1) / 2;
  return {
    data: ssimWindows(planeA, planeB),
    width: planeA.width - WINDOW + 1,
    height: planeA.height - WINDOW + 1,
    left: left + half,
    top: top + half,
  };
}

/** What the ends of a colour scale stand for. `low` may be above `high`: then larger values are darker. */
export interface ColourRange {
  readonly low: number;
  readonly high: number;
}

/**
 * A map as a picture in the colours of `magma` (perceptually uniform, from black over violet to pale yellow): `low` and
 * what lies beyond it is black, `high` the brightest. FLIP's own tools use the same colours for 0 to 1.
 *
 * @throws RestorationError `bad-argument` for a range without length
 */
export function paintMap(map: ScalarMap, { low, high }: ColourRange): Pixels & { data: Uint8Array } {
  if (!Number.isFinite(low) || !Number.isFinite(high) || low === high) {
    throw new RestorationError(
      'bad-argument',
      `A colour range needs two different ends, but ${low} and ${high} came.`,
      'Give the values of the darkest and the brightest colour.',
    );
  }
  const data = new Uint8Array(map.data.length * CHANNELS);
  const colours = MAGMA;
  const step = CHANNELS;
  const scale = 255 / (high - low);
  for (let i = 0, to = 0; i < map.data.length; i++) {
    const from = Math.round(Math.min(Math.max((map.data[i]! - low) * scale, 0), 255)) * step;
    for (let channel = 0; channel < step; channel++) data[to++] = colours[from + channel]!;
  }
  return { data, width: map.width, height: map.height };
}
