import path from 'node:path';
import sharp from 'sharp';
import type { Pixels } from '../../../src/measure';

/** Repository root, from which fixtures name their files. */
export const ROOT = path.resolve(__dirname, '../../..');

/** Decodes a picture of the fixtures to 8-bit RGB; grey is replicated. */
export async function decode(file: string): Promise<Pixels> {
  const { data, info } = await sharp(path.resolve(ROOT, file))
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${file} was decoded to ${info.channels} channels.`);
  return { data: new Uint8Array(data), width: info.width, height: info.height };
}

/** A picture whose samples come from `value(x, y, channel)`, rounded and clamped to 8 bits. */
export function paint(width: number, height: number, value: (x: number, y: number, channel: number) => number): Pixels {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++, i++) data[i] = value(x, y, channel);
    }
  }
  return { data, width, height };
}
