import { fitsSheet, isPictureDataUrl, MOST_SHARE, type FramePicture, type RunView } from '../../protocol';
import { mixOf, psnr, rgbPlane, sharesOf, stacked, toDifferences, type Pixels } from '../../measure';
import { embeddedPixels, sheetDataUrl } from '../image/encode';

/**
 * How close the sum of the thumbnails at the ends has to come to a thumbnail between them to stand for it, in dB. Thumbnails
 * are lossy: against the frames themselves the sum is then as good as the thumbnail that it replaces.
 */
const CLOSE = 34;

/**
 * The compact form in which a document holds a run and its `others`, a third of the bytes: all crops in one lossless sheet of
 * differences, and no thumbnails of their own for frames whose thumbnails follow from those at the ends. The crops stay exact
 * to the sample. What has no such form (no crops, crops of several sizes, more than a WebP can hold) stays as it is.
 */
export async function packRun(view: RunView): Promise<RunView> {
  const packed = await withSheet({ ...view, pictures: await withoutBetween(view.pictures) });
  return view.others === undefined ? packed : { ...packed, others: await Promise.all(view.others.map(packRun)) };
}

async function withSheet(view: RunView): Promise<RunView> {
  const { pictures, reference, record } = view;
  const { region } = record;
  const single = pictures.flatMap(({ crop }) => (crop === undefined ? [] : [crop]));
  if (region === undefined || single.length === 0 || single.length !== pictures.length) return view;
  if (!fitsSheet(region, single.length + (reference?.crop === undefined ? 0 : 1))) return view;
  const crops = await Promise.all(single.map(embeddedPixels));
  const last = reference?.crop === undefined ? undefined : await embeddedPixels(reference.crop);
  const isOfRegion = ({ width, height }: Pixels): boolean => width === region.width && height === region.height;
  if (!crops.every(isOfRegion) || (last !== undefined && !isOfRegion(last))) return view;
  const picture = await sheetDataUrl(stacked([...toDifferences(crops), ...(last === undefined ? [] : [last])]));
  // One crop is always short enough to be taken by a reader; noise of a large region may not be, all in one.
  if (!isPictureDataUrl(picture)) return view;
  return {
    ...view,
    pictures: pictures.map((shown) => ({ ...shown, crop: undefined })),
    cropSheet: {
      picture,
      frames: pictures.map(({ index }) => index),
      ...(last === undefined ? {} : { reference: true }),
    },
    ...(reference === undefined ? {} : { reference: { ...reference, crop: undefined } }),
  };
}

/** Thumbnails that are close to a sum of those at the ends are replaced by the shares of both. */
async function withoutBetween(pictures: readonly FramePicture[]): Promise<FramePicture[]> {
  const ends = [pictures[0]?.thumbnail, pictures.at(-1)?.thumbnail];
  if (pictures.length < 3 || ends[0] === undefined || ends[1] === undefined) return [...pictures];
  const first = await embeddedPixels(ends[0]);
  const last = await embeddedPixels(ends[1]);
  const isOfSize = ({ width, height }: Pixels): boolean => width === first.width && height === first.height;
  if (!isOfSize(last)) return [...pictures];
  const result: FramePicture[] = [];
  for (const [at, picture] of pictures.entries()) {
    const { thumbnail, ...rest } = picture;
    if (at === 0 || at === pictures.length - 1 || thumbnail === undefined) {
      result.push(picture);
      continue;
    }
    const pixels = await embeddedPixels(thumbnail);
    const between = isOfSize(pixels) ? sharesOf(pixels, first, last, MOST_SHARE) : undefined;
    const isClose = between !== undefined && psnr(rgbPlane(mixOf(first, last, between)), rgbPlane(pixels)) >= CLOSE;
    result.push(isClose ? { ...rest, between } : picture);
  }
  return result;
}
