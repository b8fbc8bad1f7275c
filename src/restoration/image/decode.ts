import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { RestorationError } from '../../protocol';
import { ACCEPTED_FORMATS, MAXIMUM_FILE_BYTES, MAXIMUM_PIXELS } from './limits';
import type { Pixels } from './pixels';

// Pictures are decoded once each; a cache of decoded ones would only hold memory.
sharp.cache(false);

export interface DecodedPicture {
  pixels: Pixels;
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  /** Plain sentences about what decoding changed (transparency dropped, 16 bit reduced). */
  notes: string[];
}

/**
 * Reads a picture file as 8-bit sRGB, upright.
 *
 * @param file path of a PNG, JPEG or WebP; the content decides, not the name
 * @throws RestorationError `missing-file`, `unreadable-picture` (not a picture, truncated, another format) or
 *   `picture-too-large` (more than `MAXIMUM_PIXELS`)
 */
export async function decodePicture(file: string): Promise<DecodedPicture> {
  const bytes = await readPictureFile(file);
  const name = path.basename(file);
  const metadata = await readMetadata(bytes, name);
  const notes: string[] = [];
  if (metadata.hasAlpha) notes.push(`${name}: transparency is not restored; the picture was laid on white.`);
  if (metadata.depth === 'ushort') notes.push(`${name}: 16 bits a channel were reduced to 8.`);
  if ((metadata.pages ?? 1) > 1) notes.push(`${name}: only the first of ${metadata.pages} frames was read.`);
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MAXIMUM_PIXELS, failOn: 'error' })
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return {
      pixels: { data: asRgb(data, info.channels), width: info.width, height: info.height },
      sha256: createHash('sha256').update(bytes).digest('hex'),
      notes,
    };
  } catch (error) {
    throw new RestorationError(
      'unreadable-picture',
      `${name} could not be decoded as ${metadata.format.toUpperCase()}: ${firstLine(error)}.`,
      'The file is probably damaged or incomplete; copy or export it again.',
      { cause: error },
    );
  }
}

async function readPictureFile(file: string): Promise<Buffer> {
  const name = path.basename(file);
  try {
    const info = await stat(file);
    if (info.isDirectory()) {
      throw new RestorationError(
        'missing-file',
        `Expected a picture file, but ${file} is a folder.`,
        'Name a file in it.',
      );
    }
    if (info.size === 0) {
      throw new RestorationError(
        'unreadable-picture',
        `${name} is empty (0 bytes).`,
        'Copy or export the picture again.',
      );
    }
    if (info.size > MAXIMUM_FILE_BYTES) {
      throw new RestorationError(
        'picture-too-large',
        `${name} has ${Math.round(info.size / 1048576)} MiB; at most ${MAXIMUM_FILE_BYTES / 1048576} MiB are read.`,
        'Save a smaller copy of it.',
      );
    }
    return await readFile(file);
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new RestorationError(
      'missing-file',
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code ?? firstLine(error)}).`,
      code === 'ENOENT' ? 'Check the path; it is taken relative to the working folder.' : 'Check its permissions.',
      { cause: error },
    );
  }
}

async function readMetadata(bytes: Buffer, name: string): Promise<Metadata & { format: string }> {
  let metadata: Metadata;
  try {
    // The pixel limit is checked below, to say how large the picture is.
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw new RestorationError(
      'unreadable-picture',
      `${name} is not a picture that can be read (PNG, JPEG or WebP was expected).`,
      'Export it as PNG or JPEG.',
      { cause: error },
    );
  }
  const { format, width, height } = metadata;
  if (!(ACCEPTED_FORMATS as readonly string[]).includes(format)) {
    throw new RestorationError(
      'unreadable-picture',
      `${name} holds ${format.toUpperCase()} data; PNG, JPEG or WebP was expected.`,
      'Export it as PNG or JPEG.',
    );
  }
  if (width * height > MAXIMUM_PIXELS) {
    throw new RestorationError(
      'picture-too-large',
      `${name} has ${width}x${height} = ${Math.round((width * height) / 1e6)} megapixels; at most ${MAXIMUM_PIXELS / 1e6} are taken.`,
      'Crop it or save a smaller copy.',
    );
  }
  return metadata;
}

/** Grey pictures come out of the decoder with one channel: replicate it. */
function asRgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const count = data.length / channels;
  const rgb = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const value = data[i * channels] as number;
    rgb[i * 3] = value;
    rgb[i * 3 + 1] = value;
    rgb[i * 3 + 2] = value;
  }
  return rgb;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? text).trim().replace(/\.$/, '');
}
