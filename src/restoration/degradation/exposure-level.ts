import type { Darkening, RealPair } from '../../protocol';
import { createPixels, type Pixels } from '../image/pixels';
import { gaussianBlur, type Pause } from './convolve';
import { createLight, linearToSrgb, srgbToLinear, toByte, type Light } from './light';
import { PIXEL_STREAM, normalField, poisson, uniformField } from './random';

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => srgbToLinear(i / 255));

/** sRGB value of each of the 256 levels of a channel under `gain`. */
function darkened(gain: number): Float64Array {
  return LINEAR.map((light) => linearToSrgb(light * gain));
}

/** `x` re-darkened: exposure, shot and read noise for what is left of the light, 8-bit rounding. */
export async function darkPicture(x: Pixels, light: Darkening, pause: Pause): Promise<Pixels> {
  const { data, width, height } = x;
  const y = createPixels(width, height);
  const grain = await noiseOf(x, light, pause);
  for (let i = 0; i < data.length; i++) {
    const dark = LINEAR[data[i]!]! * light.gain[i % 3]!;
    const value = dark + grain.data[i]! * Math.sqrt(light.shot * dark + light.read ** 2);
    y.data[i] = toByte(linearToSrgb(value));
  }
  return y;
}

/** Noise in units of its own standard deviation. */
async function noiseOf(x: Pixels, light: Darkening, pause: Pause): Promise<Light> {
  const { data, width, height } = x;
  let grain = createLight(width, height);
  grain.data.set(normalField(light.seed, PIXEL_STREAM.grain, data.length));
  if (light.sensor === 'poisson' && light.shot > 0) {
    const uniform = uniformField(light.seed, PIXEL_STREAM.photons, data.length);
    const normal = normalField(light.seed, PIXEL_STREAM.manyPhotons, data.length);
    for (let i = 0; i < data.length; i++) {
      const dark = LINEAR[data[i]!]! * light.gain[i % 3]!;
      const deviation = Math.sqrt(light.shot * dark + light.read ** 2);
      if (deviation === 0) continue;
      const counted = light.shot * poisson(dark / light.shot, uniform[i]!, normal[i]!);
      grain.data[i] = (counted - dark + light.read * grain.data[i]!) / deviation;
    }
  }
  if (light.smoothing) {
    const { sigma, weaker } = light.smoothing;
    grain = await gaussianBlur(grain, sigma, pause);
    const divisor = Math.max(deviationOf(grain.data), 1e-6) * weaker;
    for (let i = 0; i < grain.data.length; i++) grain.data[i] = grain.data[i]! / divisor;
  }
  return grain;
}

function deviationOf(values: Float32Array | Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

/** D(x, s) between x and its re-darkened `y`: gain^s in linear light, and s times the noise that y has. */
export function exposureLevelAt(x: Pixels, y: Pixels, { gain }: Darkening, severity: number): Pixels {
  const part = gain.map((g) => darkened(g ** severity));
  const full = gain.map(darkened);
  const result = createPixels(x.width, x.height);
  for (let i = 0; i < x.data.length; i++) {
    const level = x.data[i]!;
    const c = i % 3;
    result.data[i] = toByte(part[c]![level]! + severity * (y.data[i]! / 255 - full[c]![level]!));
  }
  return result;
}

/** D(x, s) between a real pair: (y + e)^s (x + e)^(1 - s) - e in linear light. */
export function betweenPair(x: Pixels, y: Pixels, { floor }: RealPair, severity: number): Pixels {
  const bright = LINEAR.map((light) => (light + floor) ** (1 - severity));
  const dark = LINEAR.map((light) => (light + floor) ** severity);
  const result = createPixels(x.width, x.height);
  for (let i = 0; i < x.data.length; i++) {
    result.data[i] = toByte(linearToSrgb(bright[x.data[i]!]! * dark[y.data[i]!]! - floor));
  }
  return result;
}
