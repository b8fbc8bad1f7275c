import type { Pixels } from '../../src/measure';
import { isFullFrameDataUrl, type FrameRecord } from '../../src/protocol';
import type { FullFrames } from './full-frames';
import { Pause } from './pause';
import type { Size } from './viewport';

/** Memory for decoded frames in bytes: nine frames of seven megapixels. */
const KEPT_BYTES = 256 * 1024 * 1024;
/** Largest frame that is decoded to be cut or compared here, in pixels. */
const LARGEST = 64_000_000;
/** Base64 characters that are decoded at once (a multiple of four). */
const PIECE = 1 << 19;
/** Rows that are read at once hold about so many pixels. */
const READ_PIXELS = 1 << 16;

/** Where a full picture may come from: its file in the frames folder, or an embedded picture that has its very size. */
export type Source = Pick<FrameRecord, 'file' | 'width' | 'height'> & { embedded?: string };

/** Decoded full frames. Decoding happens outside of the page's thread, and what was used last is kept. */
export class Bitmaps {
  private readonly kept = new Map<string, { bitmap: Promise<ImageBitmap | undefined>; bytes: number }>();

  constructor(private readonly frames: FullFrames) {}

  /** The frame of exactly the size that the record says; undefined when there is none, or none that can be decoded. */
  async get(source: Source): Promise<ImageBitmap | undefined> {
    const { width, height } = source;
    if (width * height > LARGEST) return undefined;
    const loaded = await this.frames.get(source.file);
    for (const dataUrl of [loaded, source.embedded]) {
      if (dataUrl === undefined) continue;
      const bitmap = await this.decoded(dataUrl === loaded ? source.file : dataUrl, dataUrl, width * height * 4);
      if (bitmap?.width === width && bitmap.height === height) return bitmap;
    }
    return undefined;
  }

  /** Any embedded picture, whatever its size. */
  preview(dataUrl: string): Promise<ImageBitmap | undefined> {
    return this.decoded(dataUrl, dataUrl, 256 * 256 * 4);
  }

  dispose(): void {
    this.kept.clear();
  }

  private decoded(key: string, dataUrl: string, bytes: number): Promise<ImageBitmap | undefined> {
    const known = this.kept.get(key);
    this.kept.delete(key);
    const entry = known ?? { bitmap: decode(dataUrl), bytes };
    this.kept.set(key, entry);
    let total = [...this.kept.values()].reduce((sum, one) => sum + one.bytes, 0);
    for (const [oldest, { bytes: freed }] of this.kept) {
      if (total <= KEPT_BYTES || oldest === key) break;
      // Not closed: somebody may be drawing it. The collector frees it.
      this.kept.delete(oldest);
      total -= freed;
    }
    return entry.bitmap;
  }
}

async function decode(dataUrl: string): Promise<ImageBitmap | undefined> {
  if (!isFullFrameDataUrl(dataUrl)) return undefined;
  try {
    const blob = new Blob([await bytesOf(dataUrl)]);
    return await createImageBitmap(blob, { colorSpaceConversion: 'none' });
  } catch {
    return undefined; // Not a picture, whatever its address says.
  }
}

/** The bytes of a base64 data URL. A page with a content security policy may not fetch it. */
export async function bytesOf(dataUrl: string): Promise<Uint8Array> {
  const start = dataUrl.indexOf(',') + 1;
  const padding = dataUrl.endsWith('==') ? 2 : dataUrl.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array(Math.floor(((dataUrl.length - start) * 3) / 4) - padding);
  const pause = new Pause();
  for (let from = start, to = 0; from < dataUrl.length; from += PIECE) {
    const text = atob(dataUrl.slice(from, from + PIECE));
    for (let i = 0; i < text.length; i++) bytes[to++] = text.charCodeAt(i);
    await pause.perhaps();
  }
  return bytes;
}

/** A drawing surface whose pixels are read back, in the colours as stored. */
export function surface(
  width: number,
  height: number,
): { canvas: HTMLCanvasElement; context: CanvasRenderingContext2D } {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (context === null) throw new Error('Expected a drawing surface, but this page gives none.');
  return { canvas, context };
}

/** The samples of a bitmap, read some rows at a time so that the page never waits; undefined when it was `cancelled`. */
export async function pixelsOf(bitmap: ImageBitmap, cancelled: () => boolean): Promise<Pixels | undefined> {
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const rows = Math.max(1, Math.floor(READ_PIXELS / width));
  const { context } = surface(width, rows);
  const pause = new Pause();
  for (let y = 0, to = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    context.clearRect(0, 0, width, count);
    context.drawImage(bitmap, 0, y, width, count, 0, 0, width, count);
    const rgba = context.getImageData(0, 0, width, count).data;
    for (let from = 0; from < rgba.length; from += 4) {
      data[to++] = rgba[from]!;
      data[to++] = rgba[from + 1]!;
      data[to++] = rgba[from + 2]!;
    }
    await pause.perhaps();
    if (cancelled()) return undefined;
  }
  return { data, width, height };
}

/** Red, green and blue of one pixel. */
export function pixelAt(bitmap: ImageBitmap, x: number, y: number): [number, number, number] {
  const { context } = surface(1, 1);
  context.drawImage(bitmap, x, y, 1, 1, 0, 0, 1, 1);
  const [r = 0, g = 0, b = 0] = context.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}

/** A rectangle of a bitmap as a lossless data URL of `to` pixels; enlarged smoothly where `to` is larger. */
export function cutOut(bitmap: ImageBitmap, from: { x: number; y: number } & Size, to: Size): string {
  const { canvas, context } = surface(to.width, to.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, from.x, from.y, from.width, from.height, 0, 0, to.width, to.height);
  return canvas.toDataURL('image/png');
}
