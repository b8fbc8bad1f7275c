import { RestorationError } from '../protocol';

/** Channels of every picture in this layer. */
export const CHANNELS = 3;

/** An 8-bit RGB picture: `height` rows of `width` pixels, three interleaved channels, sRGB as stored, no padding. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/**
 * The samples of `pixels` as a plain `Uint8Array` over the same memory (no copy).
 *
 * @throws RestorationError `bad-argument` when the sides and the number of samples do not belong together.
 */
export function samplesOf(pixels: Pixels): Uint8Array {
  const { data, width, height } = pixels;
  const expected = width * height * CHANNELS;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1 || data.length !== expected) {
    throw new RestorationError(
      'bad-argument',
      `A ${width}x${height} RGB picture needs ${expected} samples, but ${data.length} came.`,
      'Pass interleaved 8-bit RGB without an alpha channel or padding.',
    );
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

/**
 * Refuses two pictures of different sides: every measure here compares pixel by pixel.
 *
 * @throws RestorationError `size-mismatch`.
 */
export function assertSameSize(a: Pixels, b: Pixels): void {
  if (a.width === b.width && a.height === b.height) return;
  throw new RestorationError(
    'size-mismatch',
    `Both pictures must have the same size, but one is ${a.width}x${a.height} and the other ${b.width}x${b.height}.`,
    'Crop or resize one of them so that the pixels correspond.',
  );
}
