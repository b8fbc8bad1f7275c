import type { Motion } from '../../protocol';
import type { Pixels } from '../image/pixels';
import { cubicWeights, mirrored, clamped } from './cubic';
import type { Pause } from './convolve';
import { smoothField } from './smooth-field';

/**
 * Share of each sub-frame in an exposure of `severity` times the full one, centred. A sub-frame stands for 1/frames of the
 * exposure and counts with the part of its cell that the window covers, so the path is continuous in severity and ends in
 * the middle frame. Shares sum to 1.
 */
export function windowShares(frames: number, severity: number): Float64Array {
  const shares = new Float64Array(frames);
  if (severity * frames <= 1) {
    shares[frames >> 1] = 1;
    return shares;
  }
  let sum = 0;
  for (let k = 0; k < frames; k++) {
    const start = Math.max(k / frames - 0.5, -severity / 2);
    const end = Math.min((k + 1) / frames - 0.5, severity / 2);
    shares[k] = Math.max(0, end - start);
    sum += shares[k]!;
  }
  for (let k = 0; k < frames; k++) shares[k] = shares[k]! / sum;
  return shares;
}

/** What the six degrees of freedom of a camera do to the pixel at (x, y): the small-motion form of a homography. */
export function displacement(
  course: readonly number[],
  x: number,
  y: number,
  nearness: number,
  { centre, focal }: Pick<Motion, 'centre' | 'focal'>,
): [number, number] {
  const [shiftX, shiftY, roll, zoom, yaw, pitch] = course as [number, number, number, number, number, number];
  const u = (x - centre[0]) / focal;
  const v = (y - centre[1]) / focal;
  return [
    shiftX * nearness - roll * v + zoom * u * nearness + yaw * (1 + u * u) + pitch * u * v,
    shiftY * nearness + roll * u + zoom * v * nearness + yaw * u * v + pitch * (1 + v * v),
  ];
}

/** Reads a colour between the pixels by cubic convolution, borders mirrored, clipped to 0 ... 255. */
class Sampler {
  readonly colour = new Float64Array(3);
  private readonly across = new Float64Array(4);
  private readonly down = new Float64Array(4);

  constructor(private readonly source: Pixels) {}

  read(x: number, y: number): void {
    const { data, width, height } = this.source;
    const left = Math.floor(x);
    const top = Math.floor(y);
    const { across, down } = this;
    cubicWeights(x - left, across);
    cubicWeights(y - top, down);
    let r = 0;
    let g = 0;
    let b = 0;
    const inside = left >= 1 && top >= 1 && left + 2 < width && top + 2 < height;
    for (let j = 0; j < 4; j++) {
      const row = (inside ? top - 1 + j : mirrored(top - 1 + j, height)) * width;
      let lineR = 0;
      let lineG = 0;
      let lineB = 0;
      for (let i = 0; i < 4; i++) {
        const at = 3 * (row + (inside ? left - 1 + i : mirrored(left - 1 + i, width)));
        const weight = across[i]!;
        lineR += weight * data[at]!;
        lineG += weight * data[at + 1]!;
        lineB += weight * data[at + 2]!;
      }
      r += down[j]! * lineR;
      g += down[j]! * lineG;
      b += down[j]! * lineB;
    }
    this.colour[0] = r < 0 ? 0 : r > 255 ? 255 : r;
    this.colour[1] = g < 0 ? 0 : g > 255 ? 255 : g;
    this.colour[2] = b < 0 ? 0 : b > 255 ? 255 : b;
  }
}

/** Between the pixels of a mask, borders repeated. */
function bilinear(mask: Float64Array, width: number, height: number, x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const fx = x - left;
  const fy = y - top;
  const x0 = clamped(left, width);
  const x1 = clamped(left + 1, width);
  const y0 = clamped(top, height) * width;
  const y1 = clamped(top + 1, height) * width;
  const upper = (1 - fx) * mask[y0 + x0]! + fx * mask[y0 + x1]!;
  const lower = (1 - fx) * mask[y1 + x0]! + fx * mask[y1 + x1]!;
  return (1 - fy) * upper + fy * lower;
}

/**
 * The sub-frames of an exposure in order, 8-bit RGB as a video has them. The yielded array is used again for the next one.
 *
 * The camera moves by `motion.course`; each layer is the same scene cut out softly and shifted by its own course over it. The
 * middle frame is `source` itself: the sharp picture.
 */
export async function* subFrames(source: Pixels, motion: Motion, pause: Pause): AsyncGenerator<Uint8Array> {
  const { width, height } = source;
  const { course, layers } = motion;
  const nearness = smoothField(motion.depth, width, height);
  for (let i = 0; i < nearness.length; i++) nearness[i] = Math.exp(nearness[i]!);
  const masks = layers.map(({ shape, threshold, softness }) => {
    const mask = smoothField(shape, width, height);
    for (let i = 0; i < mask.length; i++) {
      mask[i] = Math.min(1, Math.max(0, (mask[i]! - threshold) / softness + 0.5));
    }
    return mask;
  });
  const frame = new Uint8Array(width * height * 3);
  const sampler = new Sampler(source);
  const { colour } = sampler;
  for (const [k, pose] of course.entries()) {
    if (k === course.length >> 1) {
      yield source.data;
      continue;
    }
    for (let y = 0; y < height; y++) {
      if (y % 64 === 0) await pause();
      for (let x = 0; x < width; x++) {
        const at = y * width + x;
        const [dx, dy] = displacement(pose, x, y, nearness[at]!, motion);
        sampler.read(x + dx, y + dy);
        let [r, g, b] = colour as unknown as [number, number, number];
        for (let layer = 0; layer < layers.length; layer++) {
          const [tx, ty] = layers[layer]!.course[k] as [number, number];
          const cover = bilinear(masks[layer]!, width, height, x - tx, y - ty);
          if (cover <= 0) continue;
          sampler.read(x - tx, y - ty);
          r += cover * (colour[0]! - r);
          g += cover * (colour[1]! - g);
          b += cover * (colour[2]! - b);
        }
        frame[at * 3] = Math.floor(r + 0.5);
        frame[at * 3 + 1] = Math.floor(g + 0.5);
        frame[at * 3 + 2] = Math.floor(b + 0.5);
      }
    }
    yield frame;
  }
}
