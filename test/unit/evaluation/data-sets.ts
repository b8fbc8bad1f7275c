import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { seededRandom, type Pixels } from '../../../src/measure';
import { paint } from '../measure/pictures';

/** A picture with detail everywhere: waves, edges and a little noise, another one for every seed. */
export function scene(width: number, height: number, seed: number): Pixels {
  const random = seededRandom(seed);
  const waves = Array.from({ length: 10 }, () => ({
    x: (random() - 0.5) * 0.8,
    y: (random() - 0.5) * 0.8,
    phase: random() * 6,
    channel: 0.5 + random(),
  }));
  const edges = Array.from({ length: 8 }, () => ({
    x: random() * width,
    y: random() * height,
    size: 4 + random() * 20,
  }));
  return paint(width, height, (x, y, c) => {
    let value = 128;
    for (const wave of waves) value += 9 * Math.sin(wave.x * x + wave.y * y + wave.phase + c * wave.channel);
    for (const edge of edges) {
      if (Math.abs(x - edge.x) < edge.size && Math.abs(y - edge.y) < edge.size) value += 25 - 20 * c;
    }
    return value;
  });
}

/** The picture with noise of the given strength. */
export function noisy(picture: Pixels, strength: number, seed: number): Pixels {
  const random = seededRandom(seed);
  return { ...picture, data: Uint8ClampedArray.from(picture.data, (value) => value + (random() - 0.5) * 2 * strength) };
}

export function crop(picture: Pixels, left: number, top: number, width: number, height: number): Pixels {
  return paint(width, height, (x, y, c) => picture.data[((y + top) * picture.width + x + left) * 3 + c]!);
}

export async function savePicture(picture: Pixels, ...parts: string[]): Promise<string> {
  const file = path.join(...parts);
  await mkdir(path.dirname(file), { recursive: true });
  const { data, width, height } = picture;
  await sharp(Buffer.from(data), { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
  return file;
}

export async function saveText(text: string, ...parts: string[]): Promise<string> {
  const file = path.join(...parts);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}
