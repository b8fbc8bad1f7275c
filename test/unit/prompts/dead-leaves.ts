import { createPixels, type Pixels } from '../../../src/restoration/image/pixels';

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A dead-leaves picture (Lee 2001): discs of power-law size covering each other, with the edges and the spectrum of
 * photographs. A little texture lies on each disc. Edges are sharp at the level of pixels.
 */
export function deadLeaves(width: number, height: number, seed: number): Pixels {
  const random = seeded(seed);
  const picture = createPixels(width, height);
  picture.data.fill(128);
  for (let disc = 0; disc < 900; disc++) {
    const radius = 3 / Math.sqrt(random() + 3e-4);
    const [cx, cy] = [random() * width, random() * height];
    const colour = [random(), random(), random()].map((value) => 20 + 215 * value);
    const texture = 14 * random();
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(width, cx + radius); x++) {
        if ((x - cx) ** 2 + (y - cy) ** 2 > radius * radius) continue;
        const grain = texture * (random() - 0.5);
        for (let c = 0; c < 3; c++) picture.data[(y * width + x) * 3 + c] = (colour[c] as number) + grain;
      }
    }
  }
  return picture;
}

/** Mean over `length` pixels to the side: the blur of an even camera movement. */
export function smeared(source: Pixels, length: number): Pixels {
  const { width, height, data } = source;
  const result = createPixels(width - length, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < result.width; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let k = 0; k < length; k++) sum += data[(y * width + x + k) * 3 + c] as number;
        result.data[(y * result.width + x) * 3 + c] = Math.round(sum / length);
      }
    }
  }
  return result;
}

/** The picture at `gain` times the light, in linear light (gamma 2.2), rounded to 8 bits. */
export function darkened(source: Pixels, gain: number): Pixels {
  return { ...source, data: source.data.map((value) => Math.round(255 * ((value / 255) ** 2.2 * gain) ** (1 / 2.2))) };
}
