import sharp, { type OverlayOptions } from 'sharp';
import type { Pixels } from '../../measure';

/** A picture and the rectangle of the composition that it fills. */
export interface PlacedPicture {
  pixels: Pixels;
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Composition {
  width: number;
  height: number;
  /** CSS colour. */
  background: string;
  pictures: readonly PlacedPicture[];
  /** Drawn over the pictures; its size is the composition's. It must not hold text, whose look depends on the machine. */
  svg: string;
}

/** Pictures on a plain ground with vector drawing over them, as an opaque PNG. */
export async function composePng({ width, height, background, pictures, svg }: Composition): Promise<Buffer> {
  const layers = await Promise.all(pictures.map(layerOf));
  return sharp({ create: { width, height, channels: 3, background } })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .removeAlpha()
    .png({ compressionLevel: 6, adaptiveFiltering: true })
    .toBuffer();
}

/** A drawing at half its size as a JPEG: half of what the smallest PNG takes, with letters that can still be read. */
export async function smallJpeg(png: Uint8Array): Promise<Buffer> {
  const { width = 1 } = await sharp(png).metadata();
  return sharp(png)
    .resize({ width: Math.max(1, Math.round(width / 2)) })
    .jpeg({ quality: 65, mozjpeg: true })
    .toBuffer();
}

async function layerOf({ pixels, left, top, width, height }: PlacedPicture): Promise<OverlayOptions> {
  const raw = { width: pixels.width, height: pixels.height, channels: 3 } as const;
  if (width === pixels.width && height === pixels.height) return { input: Buffer.from(pixels.data), raw, left, top };
  // Enlarged pixels stay visible as squares; only shrinking averages.
  const kernel = width >= pixels.width ? 'nearest' : 'lanczos3';
  const input = await sharp(pixels.data, { raw }).resize(width, height, { fit: 'fill', kernel }).raw().toBuffer();
  return { input, raw: { width, height, channels: 3 }, left, top };
}
