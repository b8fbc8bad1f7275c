import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { PictureFormat } from '../../protocol';
import { layOnWhite, type AlphaPlane } from './alpha';
import type { SourceTraits } from './decode';
import { tiffWithExif, updatedExif } from './exif';
import { isSixteenBit, toEightBits, toSixteenBits, type AnyPixels, type Depth } from './pixels';
import { pngWithMetadata, type PictureMetadata } from './png-chunks';

/** Quality of lossy formats unless said otherwise: no difference is seen at 1:1. */
const USUAL_QUALITY = 95;
/** Formats with pictures of one channel, which a grey profile needs. */
const GREY_FORMATS: readonly PictureFormat[] = ['png', 'tiff', 'jpeg'];

export interface ResultSettings {
  format: PictureFormat;
  depth: Depth;
  /** 1 to 100, for JPEG, WebP and AVIF; 100 is lossless where the format can be. */
  quality?: number;
}

export interface EncodedResult {
  bytes: Buffer;
  notes: string[];
}

/**
 * A restored picture as a file that is like its source: in the source's colour space with its profile, grey if it was
 * grey, with its opacity, EXIF (upright, new size, without the old thumbnail), XMP and density.
 *
 * @param pixels sRGB; changed while encoding, so pass a copy if it is needed afterwards
 * @param alpha of the size of `pixels`, any depth
 */
export async function encodeResult(
  pixels: AnyPixels,
  alpha: AlphaPlane | undefined,
  traits: SourceTraits,
  settings: ResultSettings,
): Promise<EncodedResult> {
  const notes: string[] = [];
  const { width, height } = pixels;
  const exif = traits.exif && updatedExif(traits.exif, { width, height });
  if (traits.exif && !exif) notes.push('The EXIF block of the source is damaged and was left out.');
  if (traits.grey) neutralise(pixels);
  const grey = traits.grey && GREY_FORMATS.includes(settings.format);
  const coloured = traits.grey && !grey ? { pixels } : await inSourceSpace(pixels, traits, notes);
  const metadata: PictureMetadata = {
    ...('profile' in coloured && coloured.profile ? { profile: coloured.profile } : {}),
    ...(exif ? { exif } : {}),
    ...(traits.xmp ? { xmp: uprightXmp(traits.xmp) } : {}),
    ...(traits.density ? { density: traits.density } : {}),
  };
  const deep = settings.depth === 16;
  let opacity = alpha;
  const result = deep ? toSixteenBits(coloured.pixels) : toEightBits(coloured.pixels);
  if (opacity && settings.format === 'jpeg') {
    layOnWhite(result, planeOfDepth(opacity, settings.depth));
    opacity = undefined;
    notes.push('JPEG has no transparency; the picture was laid on white.');
  }
  const plane = opacity && planeOfDepth(opacity, settings.depth);
  const carrier = await carrierOf(result, plane, grey, metadata);
  const picture = sharp(carrier, { limitInputPixels: false })
    .keepMetadata()
    .toColourspace(spaceOf(settings.depth, grey));
  const bytes = await encoded(picture, settings).toBuffer();
  return { bytes: settings.format === 'tiff' && exif ? tiffWithExif(bytes, exif) : bytes, notes };
}

/** The picture in the colours of its source and the profile that says so; sRGB without one when there is no way back. */
async function inSourceSpace(
  pixels: AnyPixels,
  { profile }: SourceTraits,
  notes: string[],
): Promise<{ pixels: AnyPixels; profile?: Buffer }> {
  if (!profile) return { pixels };
  const { bytes, back } = profile;
  if (!(await isTakenByPng(bytes))) {
    notes.push('The colour profile of the source cannot be embedded; the result is sRGB.');
    return { pixels };
  }
  if (back === 'none') return { pixels, profile: bytes };
  if (back !== 'engine') {
    back.fromSrgb(pixels);
    return { pixels, profile: bytes };
  }
  const converted = await byEngine(pixels, bytes);
  if (converted) return { pixels: converted, profile: bytes };
  notes.push('The colour profile of the source has no way back from sRGB; the result is sRGB.');
  return { pixels };
}

/** The PNG reader refuses profiles that are not made by the book, and would drop them in silence. */
async function isTakenByPng(profile: Buffer): Promise<boolean> {
  const channels = profile.toString('latin1', 16, 20) === 'GRAY' ? 1 : 3;
  const probe = await raw(new Uint8Array(channels), 1, 1, channels).png().toBuffer();
  const { icc } = await sharp(pngWithMetadata(probe, { profile })).metadata();
  return icc !== undefined && profile.equals(icc);
}

/** sRGB in the space of a profile with lookup tables; undefined when the profile has none for this direction. */
async function byEngine(pixels: AnyPixels, profile: Buffer): Promise<AnyPixels | undefined> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-profile-'));
  try {
    const file = path.join(folder, 'profile.icc');
    await writeFile(file, profile);
    const deep = isSixteenBit(pixels);
    let warned = false;
    // The engine takes 16-bit samples for Display P3 unless they arrive as linear light.
    const source = raw(pixels.data, pixels.width, pixels.height, 3);
    const picture = deep ? source.pipelineColourspace('scrgb') : source;
    const { data, info } = await picture
      .on('warning', () => (warned = true))
      .withIccProfile(file)
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (warned || info.channels !== 3) return undefined;
    const samples = deep
      ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { data: samples, width: pixels.width, height: pixels.height } as AnyPixels;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Channels = 1 | 2 | 3 | 4;

/** Raw samples in a pipeline that keeps their depth and number of channels. */
function raw(data: Uint8Array | Uint16Array, width: number, height: number, channels: number): Sharp {
  return sharp(data, {
    raw: { width, height, channels: channels as Channels },
    limitInputPixels: false,
  }).toColourspace(spaceOf(data instanceof Uint16Array ? 16 : 8, channels < 3));
}

function spaceOf(depth: Depth, grey: boolean): string {
  if (grey) return depth === 16 ? 'grey16' : 'b-w';
  return depth === 16 ? 'rgb16' : 'srgb';
}

/** Every pixel as the grey nearest to it, the mean of its channels. */
function neutralise({ data }: AnyPixels): void {
  for (let i = 0; i < data.length; i += 3) {
    const mean = Math.round(((data[i] as number) + (data[i + 1] as number) + (data[i + 2] as number)) / 3);
    data.fill(mean, i, i + 3);
  }
}

/** A quickly packed PNG of the samples with all metadata, for the encoder to take over. */
async function carrierOf(
  pixels: AnyPixels,
  alpha: AlphaPlane | undefined,
  grey: boolean,
  metadata: PictureMetadata,
): Promise<Buffer> {
  const { width, height } = pixels;
  const channels = (grey ? 1 : 3) + (alpha ? 1 : 0);
  const data = channels === 3 ? pixels.data : interleave(pixels, alpha, grey);
  return pngWithMetadata(await raw(data, width, height, channels).png({ compressionLevel: 1 }).toBuffer(), metadata);
}

/** One or three channels of colour with opacity behind them. */
function interleave({ data }: AnyPixels, alpha: AlphaPlane | undefined, grey: boolean): Uint8Array | Uint16Array {
  const count = data.length / 3;
  const colours = grey ? 1 : 3;
  const channels = colours + (alpha ? 1 : 0);
  const result = data instanceof Uint16Array ? new Uint16Array(count * channels) : new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < colours; c++) result[i * channels + c] = data[3 * i + c] as number;
    if (alpha) result[i * channels + colours] = alpha.data[i] as number;
  }
  return result;
}

function planeOfDepth(alpha: AlphaPlane, depth: Depth): AlphaPlane {
  const { data, width, height } = alpha;
  if (depth === 16 && data instanceof Uint8Array) {
    return { data: Uint16Array.from(data, (value) => value * 257), width, height };
  }
  if (depth === 8 && data instanceof Uint16Array) {
    return { data: Uint8Array.from(data, (value) => Math.floor((value + 128) / 257)), width, height };
  }
  return alpha;
}

function encoded(picture: Sharp, { format, quality = USUAL_QUALITY }: ResultSettings): Sharp {
  switch (format) {
    case 'png':
      return picture.png({ compressionLevel: 6, adaptiveFiltering: true });
    case 'tiff':
      return picture.tiff({ compression: 'deflate', predictor: 'horizontal' });
    case 'jpeg':
      return picture.jpeg({ quality, chromaSubsampling: '4:4:4' });
    case 'webp':
      return quality === 100 ? picture.webp({ lossless: true }) : picture.webp({ quality, smartSubsample: true });
    case 'avif':
      return quality === 100 ? picture.avif({ lossless: true }) : picture.avif({ quality, chromaSubsampling: '4:4:4' });
  }
}

/** The packet with its orientation, if it has one, set to upright. */
function uprightXmp(xmp: Uint8Array): Buffer {
  const text = Buffer.from(xmp).toString('utf8');
  return Buffer.from(
    text
      .replace(/(tiff:Orientation\s*=\s*["'])[1-8](["'])/g, '$11$2')
      .replace(/(<tiff:Orientation>\s*)[1-8](\s*<\/tiff:Orientation>)/g, '$11$2'),
  );
}
