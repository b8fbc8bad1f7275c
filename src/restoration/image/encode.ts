import sharp, { type Sharp } from 'sharp';
import { cropPixels, type Pixels } from './pixels';
import type { Region } from '../../protocol';

function raw(pixels: Pixels): Sharp {
  return sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 3 } });
}

/** Lossless PNG. Level 6 with adaptive filtering is the best size for the time on photographs. */
export function encodePng(pixels: Pixels): Promise<Buffer> {
  return raw(pixels).png({ compressionLevel: 6, adaptiveFiltering: true }).toBuffer();
}

/** Lossy WebP of the whole picture as a data URL, long side at most `side`, never enlarged. */
export async function thumbnailDataUrl(pixels: Pixels, side: number): Promise<string> {
  const buffer = await raw(pixels)
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer();
  return `data:image/webp;base64,${buffer.toString('base64')}`;
}

/** Lossless WebP of one region at 1:1 as a data URL. */
export async function cropDataUrl(pixels: Pixels, region: Region): Promise<string> {
  const crop = cropPixels(pixels, region.x, region.y, region.width, region.height);
  const buffer = await raw(crop).webp({ lossless: true, effort: 4 }).toBuffer();
  return `data:image/webp;base64,${buffer.toString('base64')}`;
}
