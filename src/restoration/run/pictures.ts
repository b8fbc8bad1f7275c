import type { FramePicture, Region } from '../../protocol';
import { cropDataUrl, storePng, thumbnailDataUrl } from '../image/encode';
import type { Pixels } from '../image/pixels';

/** Long side of the thumbnails in a notebook. */
const THUMBNAIL_SIDE = 256;

/** The pictures of one frame that travel inside a notebook output. */
export async function framePicture(index: number, pixels: Pixels, region: Region | undefined): Promise<FramePicture> {
  const thumbnail = await thumbnailDataUrl(pixels, THUMBNAIL_SIDE);
  return { index, thumbnail, ...(region ? { crop: await cropDataUrl(pixels, region) } : {}) };
}

/** The reference as it travels, and a copy of it in `folder`, so that a view can measure any region against it. */
export async function referencePicture(
  pixels: Pixels,
  region: Region,
  folder: string,
): Promise<{ thumbnail: string; crop: string; file: string }> {
  return {
    thumbnail: await thumbnailDataUrl(pixels, THUMBNAIL_SIDE),
    crop: await cropDataUrl(pixels, region),
    file: await storePng(folder, pixels),
  };
}
