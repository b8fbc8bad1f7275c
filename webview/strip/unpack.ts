import { isPictureDataUrl, type CropSheet, type FramePicture, type Region, type RunView } from '../../src/protocol';
import { fromDifferences, mixOf, unstacked, type Pixels } from '../../src/measure';
import { bytesOf, pixelsOf, surface } from './bitmaps';
import { Pause } from './pause';
import { sameRegion } from './region';
import type { Size } from './viewport';

/** Thumbnails are small: a larger picture is not one, and is not mixed. */
const MOST_THUMBNAIL_PIXELS = 1 << 20;
/** Quality of a mixed thumbnail, which only this page sees. */
const THUMBNAIL_QUALITY = 0.92;

/** True when pictures of a run have to be worked out before they can be shown. */
export function isPacked({ cropSheet, pictures }: RunView): boolean {
  return cropSheet !== undefined || pictures.some(({ thumbnail }) => thumbnail === undefined);
}

/**
 * The same run with a crop a frame, as far as they can be had: a sheet that is no lossless WebP of the size that the record says
 * shows nothing. Undefined when `cancelled` in between.
 */
export async function unpackCrops(view: RunView, cancelled: () => boolean): Promise<RunView | undefined> {
  const { cropSheet, reference, ...rest } = view;
  const { region } = view.record;
  if (cropSheet === undefined) return view;
  const crops = new Map<number | 'reference', string>();
  const pause = new Pause();
  for (const [key, pixels] of (region && (await cropsOf(cropSheet, region, cancelled))) ?? []) {
    crops.set(key, dataUrlOf(pixels, 'image/png'));
    await pause.perhaps();
    if (cancelled()) return undefined;
  }
  if (cancelled()) return undefined;
  return {
    ...rest,
    pictures: view.pictures.map((picture) => ({ ...picture, crop: crops.get(picture.index) ?? picture.crop })),
    ...(reference ? { reference: { ...reference, crop: crops.get('reference') ?? reference.crop } } : {}),
  };
}

/** The same run with a thumbnail a frame, as far as they can be had. Undefined when `cancelled` in between. */
export async function unpackThumbnails(view: RunView, cancelled: () => boolean): Promise<RunView | undefined> {
  const thumbnails = await thumbnailsOf(view.pictures, new Pause(), cancelled);
  if (cancelled()) return undefined;
  return {
    ...view,
    pictures: view.pictures.map(({ index, thumbnail, crop }): FramePicture => ({
      index,
      thumbnail: thumbnail ?? thumbnails.get(index),
      crop,
    })),
  };
}

/**
 * A packed run with what is known already of its pictures: the frames of `shown` that have the same content (their files are
 * named by it). A run that has just ended goes on showing what it showed.
 */
export function withKnown(view: RunView, shown: RunView | undefined): RunView {
  if (shown === undefined || !isPacked(view)) return view;
  const files = new Map(shown.record.frames.map(({ index, file }) => [index, file]));
  // A run that works names no region yet; its crops are of the one that it ends with.
  const isSame = shown.state.kind === 'running' || sameRegion(shown.record.region, view.record.region);
  const pictures = view.pictures.map((picture): FramePicture => {
    const file = view.record.frames.find(({ index }) => index === picture.index)?.file ?? '';
    const known = file === files.get(picture.index) && file !== '' ? shown.pictures : [];
    const old = known.find(({ index }) => index === picture.index);
    const thumbnail = picture.thumbnail ?? old?.thumbnail;
    return {
      ...picture,
      ...(thumbnail === undefined ? {} : { thumbnail }),
      ...(isSame && old?.crop !== undefined ? { crop: old.crop } : {}),
    };
  });
  const { reference } = view;
  const file = reference?.file ?? '';
  const crop = isSame && file !== '' && file === shown.reference?.file ? shown.reference.crop : undefined;
  const isComplete =
    pictures.every((one) => one.crop !== undefined) && (view.cropSheet?.reference !== true || crop !== undefined);
  return {
    ...view,
    pictures,
    ...(isComplete ? { cropSheet: undefined } : {}),
    ...(reference && crop !== undefined ? { reference: { ...reference, crop } } : {}),
  };
}

/** The crops of a sheet by frame; undefined when it is not what it has to be. */
async function cropsOf(
  { picture, frames, reference }: CropSheet,
  { width, height }: Region,
  cancelled: () => boolean,
): Promise<Map<number | 'reference', Pixels> | undefined> {
  const count = frames.length + (reference === true ? 1 : 0);
  const bytes = await bytesOf(picture);
  // Looked at before anything is decoded: a few bytes can stand for a gigabyte of pixels.
  const size = losslessWebpSize(bytes);
  if (size?.width !== width || size.height !== height * count) return undefined;
  const bitmap = await bitmapOf(bytes);
  if (bitmap?.width !== width || bitmap.height !== height * count) return undefined;
  const sheet = await pixelsOf(bitmap, cancelled);
  bitmap.close();
  if (sheet === undefined) return undefined;
  const pieces = unstacked(sheet, height);
  const cut = new Map<number | 'reference', Pixels>();
  fromDifferences(pieces.slice(0, frames.length)).forEach((crop, at) => {
    const index = frames[at];
    if (index !== undefined) cut.set(index, crop);
  });
  const last = pieces[frames.length];
  if (last !== undefined) cut.set('reference', last);
  return cut;
}

/** The size that a simple lossless WebP names in its head (a `VP8L` chunk behind `RIFF`); undefined for everything else. */
export function losslessWebpSize(bytes: Uint8Array): Size | undefined {
  const text = (from: number): string => String.fromCharCode(...bytes.subarray(from, from + 4));
  if (bytes.length < 25 || text(0) !== 'RIFF' || text(8) !== 'WEBP' || text(12) !== 'VP8L' || bytes[20] !== 0x2f) {
    return undefined;
  }
  // Fourteen bits of width less one, fourteen of height less one.
  const bits = new DataView(bytes.buffer, bytes.byteOffset).getUint32(21, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** Thumbnails that are given as shares of those at the ends. */
async function thumbnailsOf(
  pictures: readonly FramePicture[],
  pause: Pause,
  cancelled: () => boolean,
): Promise<Map<number, string>> {
  const made = new Map<number, string>();
  const [first, last] = [pictures[0]?.thumbnail, pictures.at(-1)?.thumbnail];
  if (pictures.every(({ thumbnail }) => thumbnail !== undefined)) return made;
  const ends = [await thumbnailPixels(first, cancelled), await thumbnailPixels(last, cancelled)];
  const [a, b] = ends;
  if (a === undefined || b === undefined || a.width !== b.width || a.height !== b.height) return made;
  for (const { index, thumbnail, between } of pictures) {
    if (thumbnail !== undefined || between === undefined) continue;
    made.set(index, dataUrlOf(mixOf(a, b, between), 'image/jpeg'));
    await pause.perhaps();
    if (cancelled()) break;
  }
  return made;
}

async function thumbnailPixels(dataUrl: string | undefined, cancelled: () => boolean): Promise<Pixels | undefined> {
  if (!isPictureDataUrl(dataUrl)) return undefined;
  const bitmap = await bitmapOf(await bytesOf(dataUrl));
  if (bitmap === undefined || bitmap.width * bitmap.height > MOST_THUMBNAIL_PIXELS) return undefined;
  return pixelsOf(bitmap, cancelled);
}

async function bitmapOf(bytes: Uint8Array): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(new Blob([bytes as BlobPart]), { colorSpaceConversion: 'none' });
  } catch {
    return undefined; // Not a picture, or not the whole of one.
  }
}

/** A picture as a data URL: a notebook's policy may forbid every other address. */
function dataUrlOf({ data, width, height }: Pixels, type: 'image/png' | 'image/jpeg'): string {
  const { canvas, context } = surface(width, height);
  const image = context.createImageData(width, height);
  for (let from = 0, to = 0; from < data.length; to += 4) {
    image.data[to] = data[from++]!;
    image.data[to + 1] = data[from++]!;
    image.data[to + 2] = data[from++]!;
    image.data[to + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL(type, THUMBNAIL_QUALITY);
}
