import sharp, { type Sharp } from 'sharp';
import { storeByContent, storeFileByContent } from './files';
import { MAXIMUM_PIXELS } from './limits';
import { cropPixels, type Pixels } from './pixels';
import type { Region } from '../../protocol';

function raw(pixels: Pixels): Sharp {
  return sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 3 } });
}

/** Lossless PNG. Level 6 with adaptive filtering is the best size for the time on photographs. */
export function encodePng(pixels: Pixels): Promise<Buffer> {
  return png(pixels).toBuffer();
}

function png(pixels: Pixels): Sharp {
  return raw(pixels).png({ compressionLevel: 6, adaptiveFiltering: true });
}

/** Larger pictures are encoded into a file beside their place: the encoded bytes need not fit into memory as well. */
const BUFFERED_SAMPLES = 48_000_000;

/**
 * Stores a picture as a lossless PNG under the hash of its bytes.
 *
 * @returns the file's name in `folder`
 * @throws RestorationError `unwritable`
 */
export async function storePng(folder: string, pixels: Pixels): Promise<string> {
  if (pixels.data.length <= BUFFERED_SAMPLES) return storeByContent(folder, await encodePng(pixels), 'png');
  return storeFileByContent(folder, 'png', async (file) => {
    await png(pixels).toFile(file);
  });
}

/** JPEG of the whole picture as a data URL, long side at most `side`, never enlarged; without any of the file's metadata. */
export async function jpegDataUrl(pixels: Pixels, side: number): Promise<string> {
  const buffer = await raw(pixels)
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 85 })
    .toBuffer();
  return `data:image/jpeg;base64,${buffer.toString('base64')}`;
}

/** Lossy WebP of the whole picture as a data URL, long side at most `side`, never enlarged. */
export async function thumbnailDataUrl(pixels: Pixels, side: number): Promise<string> {
  const buffer = await raw(pixels)
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 75 })
    .toBuffer();
  return `data:image/webp;base64,${buffer.toString('base64')}`;
}

/**
 * Lossless WebP of one region at 1:1 as a data URL, with the least effort: frames come one by one while a run works, and a
 * saved run holds one sheet instead.
 */
export async function cropDataUrl(pixels: Pixels, region: Region): Promise<string> {
  const crop = cropPixels(pixels, region.x, region.y, region.width, region.height);
  const buffer = await raw(crop).webp({ lossless: true, effort: 0 }).toBuffer();
  return `data:image/webp;base64,${buffer.toString('base64')}`;
}

/** Lossless WebP of a whole picture as a data URL. More effort would take several times as long for one per cent. */
export async function sheetDataUrl(pixels: Pixels): Promise<string> {
  const buffer = await raw(pixels).webp({ lossless: true, effort: 3 }).toBuffer();
  return `data:image/webp;base64,${buffer.toString('base64')}`;
}

/** The pixels of an embedded picture, as they are stored there. */
export async function embeddedPixels(dataUrl: string): Promise<Pixels> {
  const bytes = Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
  const { data, info } = await sharp(bytes, { limitInputPixels: MAXIMUM_PIXELS })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width: info.width, height: info.height };
}

/** The same of a picture file, which is read no further than the region reaches. */
export async function cropFileDataUrl(file: string, region: Region): Promise<string> {
  const buffer = await sharp(file, { limitInputPixels: MAXIMUM_PIXELS, sequentialRead: true })
    .extract({ left: region.x, top: region.y, width: region.width, height: region.height })
    .removeAlpha()
    .webp({ lossless: true, effort: 0 })
    .toBuffer();
  return `data:image/webp;base64,${buffer.toString('base64')}`;
}
