import { RestorationError } from '../../protocol';
import type { PictureFormat } from '../../protocol';
import { TiffReader } from './tiff-directory';

/** Names of formats as people write them. */
export const FORMAT_NAMES: Record<PictureFormat, string> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
};

const EXPECTED = 'PNG, JPEG, WebP, AVIF or TIFF was expected';
const EXPORT = 'Export it as PNG, TIFF or JPEG.';

/**
 * The format of a picture by its first bytes, never by its name. Deciding here, before any decoder sees the bytes, keeps
 * formats that nobody asked for (SVG, PDF, camera raw) away from their parsers.
 *
 * @throws RestorationError `unreadable-picture` when it is none of those accepted; the message says what it is, if known
 */
export function formatOf(bytes: Buffer, name: string): PictureFormat {
  const format = accepted(bytes);
  if (format === 'tiff' && isCameraRaw(bytes)) throw holds(name, 'camera raw', 'Develop it and export it as TIFF.');
  if (format) return format;
  const other = otherFormat(bytes);
  if (other) throw holds(name, other, EXPORT);
  throw new RestorationError('unreadable-picture', `${name} is not a picture that can be read (${EXPECTED}).`, EXPORT);
}

function holds(name: string, what: string, remedy: string): RestorationError {
  return new RestorationError('unreadable-picture', `${name} holds ${what} data; ${EXPECTED}.`, remedy);
}

function latin(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to);
}

function accepted(bytes: Buffer): PictureFormat | undefined {
  if (latin(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (latin(bytes, 0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (latin(bytes, 0, 4) === 'RIFF' && latin(bytes, 8, 12) === 'WEBP') return 'webp';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(latin(bytes, 0, 4))) return 'tiff';
  const brands = isoBrands(bytes);
  if (brands.includes('avif') || brands.includes('avis')) return 'avif';
  return undefined;
}

/** Major and compatible brands of an ISO base media file (ISO/IEC 14496-12, 4.3); none for other files. */
function isoBrands(bytes: Buffer): string[] {
  if (bytes.length < 16 || latin(bytes, 4, 8) !== 'ftyp') return [];
  const end = Math.min(bytes.readUInt32BE(0), bytes.length, 512);
  const brands = [latin(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(latin(bytes, at, at + 4));
  return brands;
}

/** What a file is that is not accepted, for the message. */
function otherFormat(bytes: Buffer): string | undefined {
  const signatures: [string, string][] = [
    ['GIF8', 'GIF'],
    ['BM', 'BMP'],
    ['%PDF', 'PDF'],
    ['%!PS', 'PostScript'],
    ['8BPS', 'Photoshop'],
    ['\xff\x0a', 'JPEG XL'],
    ['\0\0\0\x0cJXL ', 'JPEG XL'],
    ['\0\0\0\x0cjP  ', 'JPEG 2000'],
    ['v/1\x01', 'OpenEXR'],
    ['#?RADIANCE', 'Radiance HDR'],
    ['FUJIFILM', 'camera raw'],
    ['IIRO', 'camera raw'],
    ['IIU\0', 'camera raw'],
    ['PK\x03\x04', 'ZIP'],
  ];
  const found = signatures.find(([signature]) => latin(bytes, 0, signature.length) === signature);
  if (found) return found[1];
  const brands = isoBrands(bytes);
  if (brands.some((brand) => /^crx/.test(brand))) return 'camera raw';
  if (brands.some((brand) => /^(hei[cfmsvx]|hev[cx]|mif1|msf1)/.test(brand))) return 'HEIC';
  if (brands.length > 0) return 'video';
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/is.test(latin(bytes, 0, 2048)))
    return 'SVG';
  return undefined;
}

const NEW_SUBFILE_TYPE = 254;
const PHOTOMETRIC = 262;
const DNG_VERSION = 50706;
const COLOUR_FILTER_ARRAY = 32803;
const LINEAR_RAW = 34892;

/**
 * True for raw files of cameras that are TIFF outside (DNG, NEF, CR2, ARW): their first directory is a small preview, which
 * would be restored in place of the photograph.
 */
function isCameraRaw(bytes: Buffer): boolean {
  if (latin(bytes, 8, 10) === 'CR') return true;
  try {
    const reader = new TiffReader(bytes);
    const { fields } = reader.first();
    const photometric = reader.numbers(fields.get(PHOTOMETRIC))[0];
    const reduced = ((reader.numbers(fields.get(NEW_SUBFILE_TYPE))[0] ?? 0) & 1) === 1;
    return fields.has(DNG_VERSION) || photometric === COLOUR_FILTER_ARRAY || photometric === LINEAR_RAW || reduced;
  } catch (error) {
    // Damaged or a BigTIFF: the decoder says what it thinks of it.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Frames of an animated PNG (its `acTL` chunk); 1 for a plain one. */
export function pngFrames(bytes: Buffer): number {
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const type = latin(bytes, at + 4, at + 8);
    if (type === 'acTL' && length >= 4 && at + 12 <= bytes.length) return Math.max(1, bytes.readUInt32BE(at + 8));
    if (type === 'IDAT' || type === 'IEND') return 1;
    at += 12 + length;
  }
  return 1;
}

/**
 * Turns an AVIF sequence into a still picture, in place: the decoder does not know the brand of sequences, but reads the
 * still picture that they carry for viewers without animation.
 *
 * @returns whether it was a sequence
 */
export function asStillAvif(bytes: Buffer): boolean {
  if (latin(bytes, 8, 12) !== 'avis') return false;
  bytes.write('avif', 8, 'latin1');
  return true;
}
