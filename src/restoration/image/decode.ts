import { createHash } from 'node:crypto';
import path from 'node:path';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { RestorationError, type PictureFormat } from '../../protocol';
import { fillTransparent, isOpaque, layOnWhite, type AlphaPlane } from './alpha';
import { exifOfTiff } from './exif';
import { FORMAT_NAMES, asStillAvif, formatOf, pngFrames } from './formats';
import { readProfile, type ColourProfile } from './icc';
import { MAXIMUM_PIXELS } from './limits';
import { toEightBits, type AnyPixels, type Depth, type Pixels } from './pixels';
import { readPictureFile } from './read-file';

// Pictures are decoded once each; a cache of decoded ones would only hold memory.
sharp.cache(false);

export interface DecodedPicture {
  /** 8-bit sRGB, upright. */
  pixels: Pixels;
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  /** Plain sentences about what decoding changed (transparency laid on white, 16 bit reduced, colours clipped). */
  notes: string[];
}

/** The colour space that a file's samples are in, to be returned to when a result is saved. */
export interface EmbeddedProfile {
  /** The profile as it stands in the file. */
  bytes: Buffer;
  /** How samples get back into it: by the profile itself, by the colour engine, or not at all (it is sRGB). */
  back: ColourProfile | 'engine' | 'none';
}

/** What a saved result takes over from its source. */
export interface SourceTraits {
  format: PictureFormat;
  depth: Depth;
  /** One channel (and perhaps opacity). */
  grey: boolean;
  profile?: EmbeddedProfile;
  /** EXIF block, with or without its JPEG prefix, as it stands in the file. */
  exif?: Buffer;
  xmp?: Buffer;
  /** Pixels an inch. */
  density?: number;
}

/** A picture with everything that its file says. */
export interface SourcePicture {
  /** sRGB of the file's depth, upright; grey is replicated, and what is fully transparent has its neighbours' colour. */
  pixels: AnyPixels;
  /** Opacity, unless the picture is opaque everywhere. */
  alpha?: AlphaPlane;
  traits: SourceTraits;
  sha256: string;
  notes: string[];
}

/**
 * Reads a picture file as 8-bit sRGB, upright.
 *
 * @param file path of a PNG, JPEG, WebP, AVIF or TIFF; the content decides, not the name
 * @param options.transparency `white` lays the picture on white, as a viewer shows it; `apart` keeps its colours and leaves
 *   the opacity out, as `decodeSource` does
 * @throws RestorationError `missing-file`, `unreadable-picture` (not a picture, truncated, another format) or
 *   `picture-too-large` (more than `MAXIMUM_PIXELS`, seen before anything is decoded)
 */
export async function decodePicture(
  file: string,
  { transparency = 'white' }: { transparency?: 'white' | 'apart' } = {},
): Promise<DecodedPicture> {
  const name = path.basename(file);
  const { pixels, alpha, traits, sha256, notes } = await read(file);
  if (alpha) {
    if (transparency === 'white') {
      layOnWhite(pixels, alpha);
      notes.push(`${name}: the picture is transparent in parts; it was laid on white.`);
    } else {
      fillTransparent(pixels, alpha);
    }
  }
  if (traits.depth === 16) notes.push(`${name}: 16 bits a channel were reduced to 8.`);
  return { pixels: toEightBits(pixels), sha256, notes };
}

/**
 * Reads a picture file with its full depth, its opacity apart, and all that a saved result takes over.
 *
 * @param file as for `decodePicture`
 * @throws RestorationError as `decodePicture`
 */
export async function decodeSource(file: string): Promise<SourcePicture> {
  const source = await read(file);
  if (source.alpha) {
    fillTransparent(source.pixels, source.alpha);
    source.notes.push(
      `${path.basename(file)}: the picture is transparent in parts; frames show its colours only, a saved result has both.`,
    );
  }
  return source;
}

async function read(file: string): Promise<SourcePicture> {
  const bytes = await readPictureFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const name = path.basename(file);
  const format = formatOf(bytes, name);
  const animated = format === 'avif' && asStillAvif(bytes);
  const metadata = await readMetadata(bytes, format, name);
  const notes = animated ? [`${name}: only the first frame was read.`] : pageNotes(bytes, format, metadata, name);
  const colour = colourOf(metadata, name, notes);
  const decoded = await samplesOf(bytes, format, metadata, colour, name);
  const { pixels, alpha } = separate(decoded);
  if (metadata.bitsPerSample === 10 || metadata.bitsPerSample === 12) stretch(pixels, alpha, metadata.bitsPerSample);
  if (colour.toSrgb) {
    const clipped = colour.toSrgb.toSrgb(pixels) / (pixels.width * pixels.height);
    if (clipped >= 0.0005) {
      notes.push(`${name}: ${(100 * clipped).toFixed(1)} % of the pixels lie outside of sRGB and were clipped.`);
    }
  }
  const exif = format === 'tiff' ? exifOfTiff(bytes) : metadata.exif;
  return {
    pixels,
    ...(alpha && !isOpaque(alpha) ? { alpha } : {}),
    traits: {
      format,
      depth: metadata.depth === 'ushort' && decoded.depth === 16 ? 16 : 8,
      grey: decoded.channels < 3 || isGreySpace(metadata),
      ...(colour.profile ? { profile: colour.profile } : {}),
      ...(exif ? { exif } : {}),
      ...(metadata.xmp ? { xmp: metadata.xmp } : {}),
      ...(metadata.density ? { density: metadata.density } : {}),
    },
    sha256,
    notes,
  };
}

type KnownMetadata = Metadata & { width: number; height: number };

async function readMetadata(bytes: Buffer, format: PictureFormat, name: string): Promise<KnownMetadata> {
  let metadata: Metadata;
  try {
    // The pixel limit is checked below, to say how large the picture is.
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw damaged(name, format, error);
  }
  const { width, height, depth } = metadata;
  if (metadata.format !== (format === 'avif' ? 'heif' : format)) throw damaged(name, format, 'its header is wrong');
  if (width * height > MAXIMUM_PIXELS) {
    throw new RestorationError(
      'picture-too-large',
      `${name} has ${width}x${height} = ${Math.round((width * height) / 1e6)} megapixels; at most ${MAXIMUM_PIXELS / 1e6} are taken.`,
      'Crop it or save a smaller copy.',
    );
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new RestorationError(
      'unreadable-picture',
      `${name} has samples of type ${depth}; 8 or 16 bits without a sign were expected.`,
      'Convert it to a 16-bit TIFF or PNG.',
    );
  }
  const { space, channels } = metadata;
  if (channels > (space === 'cmyk' ? 5 : 4) || !(KNOWN_SPACES as readonly string[]).includes(space)) {
    throw new RestorationError(
      'unreadable-picture',
      `${name} has ${channels} channels of ${space} samples; grey, RGB or CMYK was expected.`,
      'Convert it to RGB.',
    );
  }
  return metadata;
}

/** Names of the decoder for what it can turn into sRGB. */
const KNOWN_SPACES = ['srgb', 'rgb', 'rgb16', 'b-w', 'grey16', 'cmyk', 'lab', 'labs'] as const;

function damaged(name: string, format: PictureFormat, cause: unknown): RestorationError {
  return new RestorationError(
    'unreadable-picture',
    `${name} could not be decoded as ${FORMAT_NAMES[format]}: ${firstLine(cause)}.`,
    'The file is probably damaged or incomplete; copy or export it again.',
    { cause },
  );
}

function pageNotes(bytes: Buffer, format: PictureFormat, metadata: Metadata, name: string): string[] {
  const count = format === 'png' ? pngFrames(bytes) : (metadata.pages ?? 1);
  if (count <= 1) return [];
  const unit = format === 'tiff' ? 'pages' : 'frames';
  return [`${name}: only the first of ${count} ${unit} was read.`];
}

function isGreySpace({ space }: Metadata): boolean {
  return space === 'b-w' || space === 'grey16';
}

/** How a file's samples become sRGB. */
interface Colour {
  /** Applied to the samples as stored; absent when they are sRGB already or the engine converts them. */
  toSrgb?: ColourProfile;
  /** True when the colour engine converts from the embedded profile. */
  byEngine: boolean;
  profile?: EmbeddedProfile;
}

function colourOf(metadata: Metadata, name: string, notes: string[]): Colour {
  const { icc, space } = metadata;
  if (space === 'cmyk') {
    notes.push(`${name}: CMYK was converted to sRGB.`);
    return { byEngine: true };
  }
  const grey = isGreySpace(metadata);
  if (!grey && space !== 'srgb' && space !== 'rgb16' && space !== 'rgb') {
    notes.push(`${name}: ${space} colours were converted to sRGB.`);
    return { byEngine: true };
  }
  if (!icc) return { byEngine: false };
  const read = readProfile(icc);
  const own = grey ? 'grey' : 'rgb';
  const bytes = Buffer.from(icc);
  if (read.kind === 'srgb' && read.space === own) return { byEngine: false, profile: { bytes, back: 'none' } };
  if (read.kind === 'converted' && read.profile.kind === own) {
    return { toSrgb: read.profile, byEngine: false, profile: { bytes, back: read.profile } };
  }
  if (read.kind === 'tables' && read.space === 'RGB' && !grey) {
    return { byEngine: true, profile: { bytes, back: 'engine' } };
  }
  notes.push(`${name}: its colour profile does not fit the picture; the colours were taken as sRGB.`);
  return { byEngine: false };
}

/** Samples as the decoder gives them: 1 to 4 interleaved channels, an even number of which ends with opacity. */
interface Samples {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
  channels: number;
  depth: Depth;
}

async function samplesOf(
  bytes: Buffer,
  format: PictureFormat,
  metadata: Metadata,
  colour: Colour,
  name: string,
): Promise<Samples> {
  const deep = metadata.depth === 'ushort' && ['rgb16', 'grey16'].includes(metadata.space);
  const picture = sharp(bytes, {
    limitInputPixels: MAXIMUM_PIXELS,
    failOn: 'error',
    ignoreIcc: !colour.byEngine,
  }).autoOrient();
  try {
    const { data, info } = await inSpace(picture, metadata, deep, colour)
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const samples = deep
      ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { data: samples, width, height, channels, depth: deep ? 16 : 8 };
  } catch (error) {
    throw damaged(name, format, error);
  }
}

function inSpace(picture: Sharp, metadata: Metadata, deep: boolean, colour: Colour): Sharp {
  if (isGreySpace(metadata)) {
    if (deep) return picture.toColourspace('grey16');
    // One channel would lose the opacity: three equal ones keep it.
    return picture.toColourspace(metadata.hasAlpha ? 'srgb' : 'b-w');
  }
  if (!deep) return picture.toColourspace('srgb');
  // In 16 bits the engine converts to Display P3 unless it is told where to end.
  return colour.byEngine ? picture.toColourspace('rgb16').withIccProfile('srgb') : picture.toColourspace('rgb16');
}

/** Colour, grey replicated, and opacity. */
function separate({ data, width, height, channels }: Samples): { pixels: AnyPixels; alpha?: AlphaPlane } {
  const count = width * height;
  if (channels === 3) return { pixels: { data, width, height } as AnyPixels };
  const rgb = data instanceof Uint16Array ? new Uint16Array(count * 3) : new Uint8Array(count * 3);
  const [g, b] = channels < 3 ? [0, 0] : [1, 2];
  for (let i = 0; i < count; i++) {
    const from = i * channels;
    rgb[3 * i] = data[from] as number;
    rgb[3 * i + 1] = data[from + g] as number;
    rgb[3 * i + 2] = data[from + b] as number;
  }
  const pixels = { data: rgb, width, height } as AnyPixels;
  if (channels % 2 === 1) return { pixels };
  const opacity = data instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) opacity[i] = data[(i + 1) * channels - 1] as number;
  return { pixels, alpha: { data: opacity, width, height } };
}

/** Samples of 10 or 12 bits stand in the upper bits of 16: white is not quite 65535. */
function stretch(pixels: AnyPixels, alpha: AlphaPlane | undefined, bits: number): void {
  const factor = 65535 / (65536 - 2 ** (16 - bits));
  for (const data of [pixels.data, alpha?.data]) {
    if (!(data instanceof Uint16Array)) continue;
    for (let i = 0; i < data.length; i++) data[i] = Math.round((data[i] as number) * factor);
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? text).trim().replace(/\.$/, '');
}
