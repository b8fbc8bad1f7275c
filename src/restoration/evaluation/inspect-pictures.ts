import { metricValue, type InspectRequest, type Inspection } from '../../protocol';
import { psnr, rgbPlane } from '../../measure';

import { resizeBicubic } from '../image/bicubic';
import { decodePicture } from '../image/decode';
import { alignmentOf } from '../metrics/alignment';
import { cropPixels, type Pixels } from '../image/pixels';
import { fitResizers } from './fit-resizers';
import { measureVariants } from './metric-variants';
import { relateSizes } from './sizes';

/** Pictures whose sides differ by more than this share are scaled versions and do not correspond pixel by pixel. */
const MOST_DIFFERENCE = 0.2;

/**
 * Evidence about one picture and its reference: sizes, where they correspond, shift, resizer, metrics in other protocols.
 *
 * @throws RestorationError when one of them cannot be read
 */
export async function inspectPictures(request: InspectRequest): Promise<Inspection> {
  const picture = (await decodePicture(request.picture)).pixels;
  const reference = (await decodePicture(request.reference)).pixels;
  const sameSize = picture.width === reference.width && picture.height === reference.height;
  const asked = (question: InspectRequest['questions'][number]): boolean => request.questions.includes(question);
  const correspondence = sameSize ? undefined : correspondenceOf(picture, reference);
  const shift = asked('shift') ? shiftOf(picture, reference) : undefined;
  const resizers = asked('resizer') && !sameSize ? fitResizers(picture, reference) : undefined;
  const variants = asked('variants') && sameSize ? measureVariants(picture, reference, request.scale) : undefined;
  return {
    width: picture.width,
    height: picture.height,
    referenceWidth: reference.width,
    referenceHeight: reference.height,
    identical: sameSize && Buffer.compare(bytesOf(picture), bytesOf(reference)) === 0,
    ...(correspondence ? { correspondence } : {}),
    ...(shift ? { shift } : {}),
    ...(resizers ? { resizers } : {}),
    ...(variants ? { variants: Object.fromEntries([...variants].map(([id, value]) => [id, metricValue(value)])) } : {}),
  };
}

/** Shift in pixels of the reference; a picture that is smaller by one factor is enlarged to the reference's size. */
function shiftOf(picture: Pixels, reference: Pixels): Inspection['shift'] {
  const { width, height } = reference;
  const relation = relateSizes({ ...picture, referenceWidth: width, referenceHeight: height });
  if (relation.kind === 'same') return alignmentOf(picture, reference);
  if (relation.kind !== 'scaled' || relation.factor < 1) return undefined;
  // Data sets cut references to a multiple of the scale: the rest at the right and below is not in the small picture.
  const covered = {
    width: Math.min(width, Math.round(picture.width * relation.factor)),
    height: Math.min(height, Math.round(picture.height * relation.factor)),
  };
  const enlarged = resizeBicubic(picture, covered.width, covered.height);
  return alignmentOf(enlarged, cropPixels(reference, 0, 0, covered.width, covered.height));
}

function bytesOf({ data }: Pixels): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}

/** For sizes that differ a little: whether the smaller picture is the upper left corner of the larger one, or its middle. */
function correspondenceOf(picture: Pixels, reference: Pixels): Inspection['correspondence'] {
  const width = Math.min(picture.width, reference.width);
  const height = Math.min(picture.height, reference.height);
  const dx = reference.width - picture.width;
  const dy = reference.height - picture.height;
  if (Math.abs(dx) > MOST_DIFFERENCE * reference.width || Math.abs(dy) > MOST_DIFFERENCE * reference.height) {
    return undefined;
  }
  const at = (centred: boolean): number => {
    const part = (pixels: Pixels): Pixels =>
      cropPixels(
        pixels,
        centred ? Math.floor((pixels.width - width) / 2) : 0,
        centred ? Math.floor((pixels.height - height) / 2) : 0,
        width,
        height,
      );
    return psnr(rgbPlane(part(picture)), rgbPlane(part(reference)));
  };
  const corner = at(false);
  const middle = at(true);
  return {
    at: middle > corner ? 'middle' : 'corner',
    corner: metricValue(corner),
    middle: metricValue(middle),
  };
}
