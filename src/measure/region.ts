import { RestorationError, type Region } from '../protocol';
import { CHANNELS, samplesOf, type Pixels } from './pixels';

/**
 * A copy of the rectangle `region` of a picture.
 *
 * @throws RestorationError `bad-argument` when it is empty or does not lie inside.
 */
export function cropToRegion(pixels: Pixels, region: Region): Pixels & { data: Uint8Array } {
  const { x, y, width, height } = region;
  const whole = [x, y, width, height].every((value) => Number.isInteger(value));
  if (!whole || x < 0 || y < 0 || width < 1 || height < 1 || x + width > pixels.width || y + height > pixels.height) {
    throw new RestorationError(
      'bad-argument',
      `The region ${width}x${height}+${x}+${y} does not lie inside the picture (${pixels.width}x${pixels.height}).`,
      'Give a region of whole pixels inside both pictures.',
    );
  }
  const samples = samplesOf(pixels);
  const data = new Uint8Array(width * height * CHANNELS);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * pixels.width + x) * CHANNELS;
    data.set(samples.subarray(from, from + width * CHANNELS), row * width * CHANNELS);
  }
  return { data, width, height };
}
