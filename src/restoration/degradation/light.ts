import { createPixels, type Pixels } from '../image/pixels';

/**
 * A picture in [0, 1]: interleaved RGB, `width * height * 3` values. Double precision keeps the last level the same in every
 * implementation; beyond `DOUBLE_PIXELS` memory counts for more, and rounding (and a block of JPEG after it) may differ there.
 */
export interface Light {
  data: Float32Array | Float64Array;
  width: number;
  height: number;
}

const DOUBLE_PIXELS = 4_000_000;

export function createLight(width: number, height: number): Light {
  const count = width * height * 3;
  return { data: width * height > DOUBLE_PIXELS ? new Float32Array(count) : new Float64Array(count), width, height };
}

/** Bytes that a picture takes as light. */
export function lightBytes(width: number, height: number): number {
  return width * height * 3 * (width * height > DOUBLE_PIXELS ? 4 : 8);
}

/** The 256 values of 8 bits. */
export const UNIT = Float64Array.from({ length: 256 }, (_, i) => i / 255);
/** The same in linear light by the power law that averaged videos are made with. */
export const POWER = Float64Array.from({ length: 256 }, (_, i) => (i / 255) ** 2.2);

export function unitLight(pixels: Pixels): Light {
  const light = createLight(pixels.width, pixels.height);
  for (let i = 0; i < light.data.length; i++) light.data[i] = pixels.data[i]! / 255;
  return light;
}

/** Rounded to 8 bits, halves up, clipped. */
export function toPixels(light: Light): Pixels {
  const pixels = createPixels(light.width, light.height);
  for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = toByte(light.data[i]!);
  return pixels;
}

export function toByte(value: number): number {
  const level = Math.floor(value * 255 + 0.5);
  return level < 0 ? 0 : level > 255 ? 255 : level;
}

/** IEC 61966-2-1. */
export function srgbToLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** IEC 61966-2-1, clipped to [0, 1]. */
export function linearToSrgb(value: number): number {
  if (value <= 0) return 0;
  if (value >= 1) return 1;
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}
