import type { FramePicture, Region } from '../../protocol';
import { cropDataUrl, thumbnailDataUrl } from '../image/encode';
import type { Pixels } from '../image/pixels';

/** Long side of the thumbnails in a notebook. */
const THUMBNAIL_SIDE = 256;

/** The pictures of one frame that travel inside a notebook output. */
export async function framePicture(index: number, pixels: Pixels, region: Region | undefined): Promise<FramePicture> {
  const thumbnail = await thumbnailDataUrl(pixels, THUMBNAIL_SIDE);
  return { index, thumbnail, ...(region ? { crop: await cropDataUrl(pixels, region) } : {}) };
}

export async function referencePicture(pixels: Pixels, region: Region): Promise<{ thumbnail: string; crop: string }> {
  return { thumbnail: await thumbnailDataUrl(pixels, THUMBNAIL_SIDE), crop: await cropDataUrl(pixels, region) };
}
