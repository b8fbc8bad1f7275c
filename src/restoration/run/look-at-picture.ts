import type { Look, LookRequest } from '../../protocol';
import { decodePicture } from '../image/decode';
import { jpegDataUrl } from '../image/encode';
import { describeMeasures } from '../prompts/describe';
import { detectByMeasures } from '../prompts/detect';
import { measurePicture } from '../prompts/picture-measures';

/**
 * What a look at a degraded picture tells: the likeliest degradation and a description, both of measured features only.
 *
 * @throws RestorationError when the picture cannot be read
 */
export async function lookAtPicture(request: LookRequest): Promise<Look> {
  const { pixels } = await decodePicture(request.picture);
  const measures = measurePicture(pixels);
  return {
    width: pixels.width,
    height: pixels.height,
    guess: detectByMeasures(measures),
    description: describeMeasures(measures),
    ...(request.jpegSide === undefined ? {} : { jpeg: await jpegDataUrl(pixels, request.jpegSide) }),
  };
}
