import { CHANNELS, samplesOf, type Pixels } from './pixels';

/**
 * Weights of MATLAB's `rgb2ycbcr` (ITU-R BT.601, studio range) for RGB in [0,1], as BasicSR uses them. The result lies in
 * [16, 235] and is not rounded.
 */
const RED = 65.481;
const GREEN = 128.553;
const BLUE = 24.966;
const OFFSET = 16;
const RED_8BIT = RED / 255;
const GREEN_8BIT = GREEN / 255;
const BLUE_8BIT = BLUE / 255;

/** Y, in [16, 235] and not rounded, of one 8-bit RGB pixel. */
export function luma(red: number, green: number, blue: number): number {
  return RED_8BIT * red + GREEN_8BIT * green + BLUE_8BIT * blue + OFFSET;
}

/**
 * Y of `count` pixels. `rgb` is read from sample `start`, `out` is written from `offset`.
 */
export function lumaRow(rgb: Uint8Array, start: number, count: number, out: Float64Array, offset: number): void {
  // Read once: outside of a bundle, an imported constant is looked up at every use.
  const step = CHANNELS;
  for (let i = 0, j = start; i < count; i++, j += step) {
    out[offset + i] = luma(rgb[j]!, rgb[j + 1]!, rgb[j + 2]!);
  }
}

/** The Y channel of a whole picture: `width * height` values in [16, 235], not rounded. */
export function lumaOf(pixels: Pixels): Float64Array {
  const samples = samplesOf(pixels);
  const out = new Float64Array(pixels.width * pixels.height);
  lumaRow(samples, 0, out.length, out, 0);
  return out;
}

/**
 * A grey picture (one 8-bit channel, row by row) as RGB: the value replicated to all channels. Grey pictures are measured
 * this way, also in the Y channel, where full white therefore is 235 and not 255.
 */
export function greyToRgb(grey: Uint8Array | Uint8ClampedArray, width: number, height: number): Pixels {
  const data = new Uint8Array(grey.length * CHANNELS);
  for (let i = 0, j = 0; i < grey.length; i++, j += CHANNELS) data.fill(grey[i]!, j, j + CHANNELS);
  const pixels = { data, width, height };
  samplesOf(pixels);
  return pixels;
}
