import type { Region, RunView } from '../../src/protocol';
import { chooseRegion } from '../../src/measure';
import { cutOut, pixelsOf, surface, type Bitmaps, type Source } from './bitmaps';
import { Pause } from './pause';
import { fittedRegion, isInside, sameRegion } from './region';
import type { Size } from './viewport';

/** A run with the crops of a region that the reader has chosen. */
export interface Recut {
  view: RunView;
  /** Frames (by index) whose crop is a preview enlarged, because their full picture is not there: they are not measured. */
  enlarged: ReadonlySet<number>;
  /** The same of the reference. */
  referenceEnlarged: boolean;
}

/** Longest side of the pictures in which a region is searched. */
const SEARCHED_SIDE = 1024;

/** Where the full picture of a frame may come from. */
export function sourceOfFrame(view: RunView, index: number): Source | undefined {
  const frame = view.record.frames.find((one) => one.index === index);
  const embedded = view.pictures.find((one) => one.index === index)?.thumbnail;
  return frame && { file: frame.file, width: frame.width, height: frame.height, embedded };
}

/** Where the full reference may come from: it has the size of the frames. */
export function sourceOfReference({ reference, record }: RunView): Source | undefined {
  const frame = record.frames.at(-1);
  if (reference === undefined || frame === undefined) return undefined;
  return { file: reference.file ?? '', width: frame.width, height: frame.height, embedded: reference.thumbnail };
}

/**
 * Cuts `region` out of the full frames of a run, losslessly. Undefined when `cancelled` in between. The region that was
 * saved with the run keeps its saved crops.
 */
export async function recut(
  view: RunView,
  region: Region,
  bitmaps: Bitmaps,
  cancelled: () => boolean,
): Promise<Recut | undefined> {
  const saved = { view, enlarged: new Set<number>(), referenceEnlarged: false };
  if (sameRegion(region, view.record.region) && view.pictures.every(({ crop }) => crop !== undefined)) return saved;
  const pause = new Pause();
  const cut = async (
    source: Source | undefined,
    preview: string | undefined,
  ): Promise<{ crop?: string; enlarged: boolean }> => {
    if (source === undefined || !isInside(region, source)) return { enlarged: true };
    const full = await bitmaps.get(source);
    await pause.perhaps();
    if (full !== undefined) return { crop: cutOut(full, region, region), enlarged: false };
    const small = preview === undefined ? undefined : await bitmaps.preview(preview);
    if (small === undefined) return { enlarged: true };
    const [across, down] = [small.width / source.width, small.height / source.height];
    const from = {
      x: region.x * across,
      y: region.y * down,
      width: region.width * across,
      height: region.height * down,
    };
    return { crop: cutOut(small, from, region), enlarged: true };
  };
  const enlarged = new Set<number>();
  const pictures: RunView['pictures'] = [];
  for (const { index, thumbnail } of view.pictures) {
    const made = await cut(sourceOfFrame(view, index), thumbnail);
    if (cancelled()) return undefined;
    if (made.enlarged) enlarged.add(index);
    pictures.push({ index, thumbnail, crop: made.crop });
  }
  const { reference } = view;
  const made = reference && (await cut(sourceOfReference(view), reference.thumbnail));
  if (cancelled()) return undefined;
  return {
    view: {
      ...view,
      record: { ...view.record, region },
      pictures,
      ...(reference ? { reference: { ...reference, crop: made?.crop } } : {}),
    },
    enlarged,
    referenceEnlarged: made?.enlarged ?? false,
  };
}

/**
 * The region to start with in a run that names none: where first and last frame differ most. Undefined when the full frames
 * are not there.
 */
export async function startRegion(
  view: RunView,
  bitmaps: Bitmaps,
  cancelled: () => boolean,
): Promise<Region | undefined> {
  const { frames } = view.record;
  const [first, last] = [frames[0], frames.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const sources = [first, last].map(({ index }) => sourceOfFrame(view, index));
  const scale = Math.min(1, SEARCHED_SIDE / Math.max(last.width, last.height));
  const pixels = [];
  for (const source of sources) {
    const bitmap = source && (await bitmaps.get(source));
    const small = bitmap && (await shrunk(bitmap, scale));
    const read = small && (await pixelsOf(small, cancelled));
    if (read === undefined) return undefined;
    pixels.push(read);
  }
  const [a, b] = pixels;
  if (a?.width !== b?.width || a?.height !== b?.height || a === undefined || b === undefined) return undefined;
  const { x, y, width, height } = chooseRegion(a, b);
  // The place is that of the search; at 1:1 the region has its usual size, not that of the search enlarged.
  const centre = { x: (x + width / 2) / scale, y: (y + height / 2) / scale };
  return fittedRegion({ x: centre.x - width / 2, y: centre.y - height / 2, width, height }, last);
}

async function shrunk(bitmap: ImageBitmap, scale: number): Promise<ImageBitmap> {
  if (scale === 1) return bitmap;
  const size: Size = {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  };
  const { canvas, context } = surface(size.width, size.height);
  context.drawImage(bitmap, 0, 0, size.width, size.height);
  return createImageBitmap(canvas);
}
