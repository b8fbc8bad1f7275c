import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { tiffFile } from '../restoration/tiff-file';

/** CRC-32 as PNG chunks carry it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A PNG whose header claims other sides than it has: what a decompression bomb looks like from outside. */
function withSides(png: Buffer, width: number, height: number): Buffer {
  const bomb = Buffer.from(png);
  bomb.writeUInt32BE(width, 16);
  bomb.writeUInt32BE(height, 20);
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
  return bomb;
}

export const BROKEN = [
  'empty.png',
  'truncated.png',
  'truncated.jpg',
  'random.png',
  'truncated.webp',
  'truncated.avif',
  'truncated.tif',
  'svg.png',
  'text.jpg',
  'gif.png',
  'pdf.jpg',
  'raw.tif',
  'enormous.png',
] as const;

/** Writes pictures that are none, or not whole; `png` and `jpeg` are good ones to start from. */
export async function writeBrokenPictures(folder: string, png: string, jpeg: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const good = await readFile(png);
  const photograph = await readFile(jpeg);
  let state = 12345;
  const random = Buffer.from(
    Array.from({ length: 3000 }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24),
  );
  const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
  const picture = sharp(jpeg);
  const cut = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length * 0.6));
  const contents: Record<(typeof BROKEN)[number], Uint8Array | string> = {
    'empty.png': '',
    'truncated.png': good.subarray(0, Math.floor(good.length * 0.6)),
    'truncated.jpg': photograph.subarray(0, Math.floor(photograph.length * 0.5)),
    'truncated.webp': cut(await picture.clone().webp().toBuffer()),
    'truncated.avif': cut(await picture.clone().avif().toBuffer()),
    'truncated.tif': cut(await picture.clone().tiff({ compression: 'none' }).toBuffer()),
    'random.png': random,
    'svg.png': '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/></svg>',
    'text.jpg': 'this is not a picture\n',
    'gif.png': gif,
    'pdf.jpg': '%PDF-1.7\n1 0 obj\n<<>>\nendobj\n',
    // A digital negative says so in a field of its first directory.
    'raw.tif': tiffFile([
      { width: 8, height: 8, channels: 1, bits: 8, data: new Uint8Array(64), photometric: 1, fields: [[50706, 1]] },
    ]),
    'enormous.png': withSides(good, 60_000, 60_000),
  };
  for (const [name, bytes] of Object.entries(contents)) await writeFile(path.join(folder, name), bytes);
}
