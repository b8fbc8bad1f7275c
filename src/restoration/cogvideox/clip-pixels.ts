import { createPixels, createPixels16, maximumSample, type AnyPixels, type Depth } from '../image/pixels';
import type { Planes } from './planes';

/** A picture as the autoencoder takes it: three planes in [-1, 1]. */
export function pictureToPlanes(picture: AnyPixels): Planes {
  const { width, height, data } = picture;
  const area = width * height;
  const planes = new Float32Array(area * 3);
  const scale = 2 / maximumSample(picture);
  for (let i = 0; i < area; i++) {
    for (let channel = 0; channel < 3; channel++) {
      planes[channel * area + i] = (data[i * 3 + channel] as number) * scale - 1;
    }
  }
  return { count: 3, height, width, data: planes };
}

/**
 * One frame of a decoded clip as a picture: (x + 1) / 2, clamped and rounded.
 *
 * @param clip [1, 3, frames, height, width]
 */
export function frameToPicture(clip: Planes, frame: number, depth: Depth): AnyPixels {
  const { height, width, data } = clip;
  const area = height * width;
  const frames = clip.count / 3;
  const picture = (depth === 16 ? createPixels16 : createPixels)(width, height);
  const half = maximumSample(picture) / 2;
  for (let channel = 0; channel < 3; channel++) {
    const from = (channel * frames + frame) * area;
    for (let i = 0; i < area; i++) {
      const value = ((data[from + i] as number) + 1) * half;
      picture.data[i * 3 + channel] = Math.floor(Math.min(2 * half, Math.max(0, value)) + 0.5);
    }
  }
  return picture;
}
