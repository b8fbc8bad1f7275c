import { CHANNELS, samplesOf, type Pixels } from './pixels';

/**
 * What a picture alone says, without a reference. None of these is a quality: noise raises sharpness, and a night scene
 * is rightly dark. They describe.
 */
export interface NoReference {
  sharpness: {
    /**
     * Tenengrad (Tenenbaum 1970; Krotkov 1988): mean over the inner pixels of Gx^2 + Gy^2, the 3x3 Sobel responses of
     * the grey value, in squared 8-bit levels. 0 for a flat picture.
     */
    tenengrad: number;
    /**
     * Variance of the Laplacian (Pech-Pacheco et al. 2000): that of the response to the 4-neighbour Laplacian over the
     * inner pixels, in squared 8-bit levels. OpenCV's `Laplacian(grey, CV_64F).var()`, without the border.
     */
    laplacianVariance: number;
  };
  exposure: {
    /** Mean grey value, from 0 to 255. */
    mean: number;
    /** Standard deviation of the grey value. */
    contrast: number;
    /** Share, in [0, 1], of pixels whose three channels are all 2 or less: nothing can be seen in them. */
    clippedLow: number;
    /** Share, in [0, 1], of pixels of which a channel is 253 or more. */
    clippedHigh: number;
  };
}

const LOW = 2;
const HIGH = 253;
const MIDDLE = 128;

/** Grey value, 0 to 255 and not rounded, with the weights of ITU-R BT.601 in full range (as JPEG's Y). */
function greyRow(samples: Uint8Array, start: number, out: Float64Array): void {
  const step = CHANNELS;
  for (let x = 0, i = start; x < out.length; x++, i += step) {
    out[x] = 0.299 * samples[i]! + 0.587 * samples[i + 1]! + 0.114 * samples[i + 2]!;
  }
}

/**
 * Sharpness and exposure figures of one 8-bit picture. Pictures with a side below 3 pixels have no inner pixels; their
 * sharpness is 0.
 *
 * @throws RestorationError `bad-argument` when the sides and the number of samples do not belong together.
 */
export function noReference(pixels: Pixels): NoReference {
  const samples = samplesOf(pixels);
  const { width, height } = pixels;
  const rows = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  let sum = 0;
  let squares = 0;
  let gradient = 0;
  let laplacian = 0;
  let laplacianSquares = 0;
  let low = 0;
  let high = 0;
  for (let y = 0; y < height; y++) {
    const current = rows[y % 3]!;
    greyRow(samples, y * width * CHANNELS, current);
    for (let x = 0, i = y * width * CHANNELS; x < width; x++, i += CHANNELS) {
      const value = current[x]!;
      sum += value;
      // Around the middle, so that a flat picture's variance is not lost in rounding.
      squares += (value - MIDDLE) * (value - MIDDLE);
      const largest = Math.max(samples[i]!, samples[i + 1]!, samples[i + 2]!);
      if (largest <= LOW) low++;
      if (largest >= HIGH) high++;
    }
    if (y < 2) continue;
    const above = rows[(y - 2) % 3]!;
    const middle = rows[(y - 1) % 3]!;
    for (let x = 1; x < width - 1; x++) {
      const gx =
        above[x + 1]! - above[x - 1]! + 2 * (middle[x + 1]! - middle[x - 1]!) + current[x + 1]! - current[x - 1]!;
      const gy = current[x - 1]! + 2 * current[x]! + current[x + 1]! - above[x - 1]! - 2 * above[x]! - above[x + 1]!;
      gradient += gx * gx + gy * gy;
      const curved = above[x]! + current[x]! + middle[x - 1]! + middle[x + 1]! - 4 * middle[x]!;
      laplacian += curved;
      laplacianSquares += curved * curved;
    }
  }
  const count = width * height;
  const inner = Math.max(0, width - 2) * Math.max(0, height - 2);
  const mean = sum / count;
  return {
    sharpness: {
      tenengrad: inner === 0 ? 0 : gradient / inner,
      laplacianVariance: inner === 0 ? 0 : Math.max(0, laplacianSquares / inner - (laplacian / inner) ** 2),
    },
    exposure: {
      mean,
      contrast: Math.sqrt(Math.max(0, squares / count - (mean - MIDDLE) ** 2)),
      clippedLow: low / count,
      clippedHigh: high / count,
    },
  };
}
