import { RestorationError, type Blur, type Degradation } from '../../protocol';
import { createPixels, type Pixels } from '../image/pixels';
import type { Pause } from './convolve';
import { betweenPair, darkPicture, exposureLevelAt } from './exposure-level';
import { exposureTime } from './exposure-time';
import { throughJpeg } from './jpeg';
import { lightBytes, toByte, type Light } from './light';
import { PIXEL_STREAM, normalField } from './random';
import { resolutionAt } from './resolution';

/** Most bytes of pictures held at the same time while a blur is computed. */
const MAXIMUM_HELD_BYTES = 1.5 * 2 ** 30;

export interface PathOptions {
  /** The degraded photograph of a real pair. */
  partner?: Pixels;
  /** Called now and then; it throws to stop the work. */
  pause?: Pause;
}

/**
 * Pictures along a degradation path: D(x, s) for each severity, in the order given.
 *
 * D(x, s) = D0(x, s) + s (y - D0(x, 1)), where D0 is the path without noise and y the degraded picture with the noise of the
 * sample, which is drawn once. So D(x, 1) is y and D(x, 0) is x, to the last bit, and a clip does not flicker.
 *
 * - super-resolution: antialiased bicubic (MATLAB's) down by scale^s, 8-bit rounding, and up again;
 * - deblurring: the mean over a window of s of the exposure, centred, or a defocus of s times the radius;
 * - low-light: exposure gain^s in linear light; between a real pair (y + e)^s (x + e)^(1 - s) - e.
 *
 * @param x the clean picture, 8-bit sRGB
 * @param severities each from 0 (clean) to 1 (degraded)
 * @returns pictures of x's size, rounded to 8 bits
 * @throws RestorationError `size-mismatch` when a pair's pictures differ in size, `picture-too-large` when the blur of so
 *   many frames of so large a picture does not fit into memory
 */
export async function* alongPath(
  x: Pixels,
  degradation: Degradation,
  severities: readonly number[],
  options: PathOptions = {},
): AsyncGenerator<Pixels, void, void> {
  const pause = options.pause ?? (() => Promise.resolve());
  switch (degradation.task) {
    case 'super-resolution':
      for (const severity of severities) {
        await pause();
        yield resolutionAt(x, degradation.scale, severity);
      }
      return;
    case 'deblurring':
      yield* blurred(x, degradation, severities, pause);
      return;
    case 'low-light': {
      const { light } = degradation;
      const y = light.kind === 'pair' ? partnerOf(x, options.partner) : await darkPicture(x, light, pause);
      for (const severity of severities) {
        await pause();
        if (severity === 0 || severity === 1) yield severity === 0 ? x : y;
        else yield light.kind === 'pair' ? betweenPair(x, y, light, severity) : exposureLevelAt(x, y, light, severity);
      }
      return;
    }
  }
}

async function* blurred(
  x: Pixels,
  blur: Blur,
  severities: readonly number[],
  pause: Pause,
): AsyncGenerator<Pixels, void, void> {
  if (lightBytes(x.width, x.height) * (severities.length + 2) > MAXIMUM_HELD_BYTES) {
    throw new RestorationError(
      'picture-too-large',
      `${severities.length} blurred frames of ${x.width}x${x.height} pixels do not fit into memory.`,
      'Ask for fewer frames at once, or for a smaller picture.',
    );
  }
  const { full, parts } = await exposureTime(x, blur, severities, pause);
  const y = spoiled(full, blur);
  for (const [i, severity] of severities.entries()) {
    await pause();
    if (severity === 0 || severity === 1) yield severity === 0 ? x : y;
    else yield withNoise(parts[i]!, full, y, severity);
  }
}

/** Sensor noise, 8-bit rounding, and sometimes compression: what the camera makes of the blurred picture. */
function spoiled(full: Light, { noise, jpeg }: Blur): Pixels {
  const y = createPixels(full.width, full.height);
  const grain = noise && noise.sigma > 0 ? normalField(noise.seed, PIXEL_STREAM.grain, full.data.length) : undefined;
  for (let i = 0; i < full.data.length; i++) {
    y.data[i] = toByte(full.data[i]! + (grain ? grain[i]! * noise!.sigma : 0));
  }
  return jpeg === undefined ? y : throughJpeg(y, jpeg);
}

function withNoise(part: Light, full: Light, y: Pixels, severity: number): Pixels {
  const result = createPixels(part.width, part.height);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = toByte(part.data[i]! + severity * (y.data[i]! / 255 - full.data[i]!));
  }
  return result;
}

function partnerOf(x: Pixels, partner: Pixels | undefined): Pixels {
  if (!partner) {
    throw new RestorationError(
      'bad-argument',
      'The path between a real pair needs the degraded photograph.',
      'Name it as well.',
    );
  }
  if (partner.width === x.width && partner.height === x.height) return partner;
  throw new RestorationError(
    'size-mismatch',
    `The clean picture has ${x.width}x${x.height} pixels and the degraded one ${partner.width}x${partner.height}.`,
    'Use two pictures of the same size.',
  );
}
