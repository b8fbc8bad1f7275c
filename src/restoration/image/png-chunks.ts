import { deflateSync } from 'node:zlib';

/** What an encoded picture says about itself besides its samples. */
export interface PictureMetadata {
  profile?: Uint8Array;
  /** EXIF block without a prefix. */
  exif?: Uint8Array;
  xmp?: Uint8Array;
  /** Pixels an inch. */
  density?: number;
}

const SIGNATURE_AND_HEADER = 8 + 25;
const METRES_AN_INCH = 0.0254;

/**
 * A PNG with metadata put behind its header (W3C PNG, third edition: iCCP, eXIf, iTXt, pHYs). The encoder cannot attach
 * a profile or an EXIF block to raw samples without converting them; it does take over what a PNG carries.
 */
export function pngWithMetadata(png: Buffer, { profile, exif, xmp, density }: PictureMetadata): Buffer {
  const chunks: Buffer[] = [];
  if (profile) chunks.push(chunk('iCCP', Buffer.concat([Buffer.from('profile\0\0', 'latin1'), deflateSync(profile)])));
  if (density) {
    const data = Buffer.alloc(9);
    data.writeUInt32BE(Math.round(density / METRES_AN_INCH), 0);
    data.writeUInt32BE(Math.round(density / METRES_AN_INCH), 4);
    data[8] = 1;
    chunks.push(chunk('pHYs', data));
  }
  if (exif) chunks.push(chunk('eXIf', Buffer.from(exif)));
  if (xmp) {
    // Keyword, not compressed, no language, no translated keyword.
    chunks.push(chunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0\0\0\0', 'latin1'), xmp])));
  }
  return Buffer.concat([png.subarray(0, SIGNATURE_AND_HEADER), ...chunks, png.subarray(SIGNATURE_AND_HEADER)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}

/** CRC-32 of ISO 3309, as PNG has it (zlib.crc32 came with Node 20.15). */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
