import { resizeBicubic } from '../image/bicubic';
import type { AnyPixels, Depth } from '../image/pixels';
import type { LatentColours } from '../models/cogvideox-manifest';
import { SPATIAL, TEMPORAL } from './autoencoder';
import { frameToPicture } from './clip-pixels';
import type { Planes } from './planes';

/** Latent frame that a frame of the clip comes from, both 0-based: the first one has its own, four others share one. */
export function latentOf(frame: number): number {
  return frame === 0 ? 0 : 1 + Math.floor((frame - 1) / TEMPORAL);
}

/**
 * A frame of a clip without the decoder: each latent's colour by a linear map, enlarged. It is blurred (an eighth of the size
 * in each direction) and off in colour, and it costs nothing: no network has to be in memory.
 *
 * @param latents [channels, T, h, w], divided by the scale
 * @param colours least-squares fit of the decoder's own output (models/recipes/cogvideox/export.py)
 * @returns 8 h x 8 w
 */
export function roughFrame(
  latents: Planes,
  { red, green, blue }: LatentColours,
  frame: number,
  depth: Depth,
): AnyPixels {
  const { height, width, data } = latents;
  const area = height * width;
  const channels = red.length - 1;
  const frames = latents.count / channels;
  const small: Planes = { count: 3, height, width, data: new Float32Array(3 * area) };
  for (const [colour, weights] of [red, green, blue].entries()) {
    small.data.fill(weights[channels] as number, colour * area, (colour + 1) * area);
    for (let channel = 0; channel < channels; channel++) {
      const weight = weights[channel] as number;
      const from = (channel * frames + latentOf(frame)) * area;
      for (let i = 0; i < area; i++) {
        small.data[colour * area + i] = (small.data[colour * area + i] as number) + weight * (data[from + i] as number);
      }
    }
  }
  return resizeBicubic(frameToPicture(small, 0, depth), width * SPATIAL, height * SPATIAL);
}
