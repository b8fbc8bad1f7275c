import path from 'node:path';
import { RestorationError, type Task } from '../../protocol';
import { resizeBicubic, scaledSize } from '../image/bicubic';
import type { SourcePicture } from '../image/decode';
import { MAXIMUM_PIXELS } from '../image/limits';
import { depthOf, type AnyPixels } from '../image/pixels';

/**
 * The picture at the size of the frames: for super-resolution the small picture enlarged by MATLAB's bicubic.
 *
 * @throws RestorationError `picture-too-large`
 */
export function networkInput(
  { pixels }: Pick<SourcePicture, 'pixels'>,
  task: Task,
  scale: number,
  file: string,
): AnyPixels {
  if (task !== 'super-resolution') return pixels;
  const { width, height } = scaledSize(pixels, scale);
  const area = width * height;
  if (area > MAXIMUM_PIXELS) {
    throw new RestorationError(
      'picture-too-large',
      `Enlarged ${scale} times, ${path.basename(file)} has ${Math.round(area / 1e6)} megapixels; at most ${MAXIMUM_PIXELS / 1e6} are made.`,
      'Choose a smaller scale, or crop the picture.',
    );
  }
  return resizeBicubic(pixels, width, height);
}

/** Names what a network saw, for whoever remembers what it made of it. */
export function pictureKey({ sha256 }: Pick<SourcePicture, 'sha256'>, picture: AnyPixels): string {
  return [sha256, depthOf(picture), picture.width, picture.height].join(' ');
}
