import { RestorationError } from '../protocol';
import { lumaRow } from './colour';
import { CHANNELS, samplesOf, type Pixels } from './pixels';

/** What a metric reads row by row: the samples it measures, already converted and cropped. */
export interface Plane {
  /** Interleaved channels: 3 for RGB, 1 for luma. */
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  /** Samples that need no conversion, row after row without a gap; absent when rows are made on demand. */
  readonly samples?: Uint8Array;
  /** Writes the `width * channels` samples of row `y` to `out`, starting at `offset`. */
  readRow(y: number, out: Float64Array, offset: number): void;
}

/** All three channels of the whole picture. */
export function rgbPlane(pixels: Pixels): Plane {
  const samples = samplesOf(pixels);
  const length = pixels.width * CHANNELS;
  return {
    channels: CHANNELS,
    width: pixels.width,
    height: pixels.height,
    samples,
    readRow: (y, out, offset) => {
      for (let i = 0, j = y * length; i < length; i++, j++) out[offset + i] = samples[j]!;
    },
  };
}

/**
 * The Y channel without a border of `crop` pixels; rows are converted when they are read, so that a large picture costs
 * no second copy.
 *
 * @throws RestorationError `bad-argument` when nothing is left after cropping.
 */
export function lumaPlane(pixels: Pixels, crop: number): Plane {
  const samples = samplesOf(pixels);
  const width = pixels.width - 2 * crop;
  const height = pixels.height - 2 * crop;
  if (width < 1 || height < 1) {
    throw new RestorationError(
      'bad-argument',
      `A border of ${crop} pixels cannot be cropped from a ${pixels.width}x${pixels.height} picture.`,
      'Use a larger picture or a smaller scale.',
    );
  }
  return {
    channels: 1,
    width,
    height,
    readRow: (y, out, offset) => {
      lumaRow(samples, ((y + crop) * pixels.width + crop) * CHANNELS, width, out, offset);
    },
  };
}
