import { TiffReader, byteLength, type TiffField } from './tiff-directory';

const EXIF_POINTER = 0x8769;
const GPS_POINTER = 0x8825;
const INTEROPERABILITY_POINTER = 0xa005;
const ORIENTATION = 0x0112;
const PIXEL_X_DIMENSION = 0xa002;
const PIXEL_Y_DIMENSION = 0xa003;
const TYPE_SHORT = 3;
const TYPE_LONG = 4;
/** Fields of a first directory that describe a photograph rather than how its samples are laid out. */
const DESCRIPTIVE = [
  0x010e, // ImageDescription
  0x010f, // Make
  0x0110, // Model
  0x0131, // Software
  0x0132, // DateTime
  0x013b, // Artist
  0x013c, // HostComputer
  0x8298, // Copyright
];

interface Size {
  width: number;
  height: number;
}

/** Runs `work` on bytes that may lie about their offsets; undefined when they do. */
function ifSound<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The block without the `Exif\0\0` that JPEG puts before it. */
function withoutPrefix(block: Uint8Array): Buffer {
  const bytes = Buffer.from(block);
  return bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? bytes.subarray(6) : bytes;
}

/**
 * EXIF of a picture that is upright now and has another size: orientation 1, the new dimensions, and without the embedded
 * thumbnail, which shows the degraded picture. Nothing moves, so that maker notes with offsets of their own stay valid.
 *
 * @returns undefined when the block is damaged
 */
export function updatedExif(block: Uint8Array, { width, height }: Size): Buffer | undefined {
  return ifSound(() => {
    const bytes = withoutPrefix(block);
    const reader = new TiffReader(bytes);
    const set = (field: TiffField | undefined, value: number): void => {
      if (!field || field.count !== 1) return;
      const { type, offset } = field;
      if (type === TYPE_SHORT && value <= 0xffff) {
        if (reader.littleEndian) bytes.writeUInt16LE(value, offset);
        else bytes.writeUInt16BE(value, offset);
      } else if (type === TYPE_LONG) {
        if (reader.littleEndian) bytes.writeUInt32LE(value, offset);
        else bytes.writeUInt32BE(value, offset);
      }
    };
    const first = reader.first();
    set(first.fields.get(ORIENTATION), 1);
    if (first.next !== 0) bytes.writeUInt32LE(0, first.nextAt);
    const pointer = reader.numbers(first.fields.get(EXIF_POINTER))[0];
    if (pointer !== undefined) {
      const { fields } = reader.directory(pointer);
      set(fields.get(PIXEL_X_DIMENSION), width);
      set(fields.get(PIXEL_Y_DIMENSION), height);
    }
    return bytes;
  });
}

/** The EXIF of a TIFF file as a block of its own; undefined when it has none. The decoder does not hand it out. */
export function exifOfTiff(file: Buffer): Buffer | undefined {
  return ifSound(() => {
    const reader = new TiffReader(file);
    const { fields } = reader.first();
    const header = Buffer.alloc(8);
    header.write(reader.littleEndian ? 'II' : 'MM', 'latin1');
    if (reader.littleEndian) header.writeUInt16LE(42, 2);
    else header.writeUInt16BE(42, 2);
    const moved = movedFields(reader, header.length, reader.littleEndian);
    if (moved.fields.length === 0) return undefined;
    const first = header.length + moved.bytes.length;
    if (reader.littleEndian) header.writeUInt32LE(first, 4);
    else header.writeUInt32BE(first, 4);
    const orientation = fields.get(ORIENTATION);
    const kept = orientation ? [...moved.fields, entryOf(orientation)] : moved.fields;
    return Buffer.concat([header, moved.bytes, directoryBytes(kept, first, reader.littleEndian)]);
  });
}

/**
 * A TIFF file with the EXIF of `block` added to its first directory; the encoder does not write it.
 *
 * @returns the file unchanged when either is not what it should be
 */
export function tiffWithExif(file: Buffer, block: Uint8Array): Buffer {
  const result = ifSound(() => {
    const target = new TiffReader(file);
    const source = new TiffReader(withoutPrefix(block));
    const { littleEndian } = target;
    const first = target.first();
    // Directories begin at even offsets.
    const padding = Buffer.alloc(file.length % 2);
    const start = file.length + padding.length;
    const moved = movedFields(source, start, littleEndian);
    const own = [...first.fields.values()].map(entryOf);
    const taken = new Set(own.map(({ tag }) => tag));
    const fields = [...own, ...moved.fields.filter(({ tag }) => !taken.has(tag))];
    const at = start + moved.bytes.length;
    const next = Buffer.from(file);
    if (littleEndian) next.writeUInt32LE(at, 4);
    else next.writeUInt32BE(at, 4);
    return Buffer.concat([next, padding, moved.bytes, directoryBytes(fields, at, littleEndian)]);
  });
  return result ?? file;
}

interface Entry {
  tag: number;
  type: number;
  count: number;
  value: Buffer;
}

function entryOf({ tag, type, count, value }: TiffField): Entry {
  return { tag, type, count, value };
}

/** The descriptive fields of a first directory, and its EXIF and GPS directories laid out from offset `at` on. */
function movedFields(reader: TiffReader, at: number, littleEndian: boolean): { fields: Entry[]; bytes: Buffer } {
  const first = reader.first();
  const swapped = (field: TiffField): Entry => ({
    ...entryOf(field),
    value: littleEndian === reader.littleEndian ? field.value : swap(field),
  });
  const fields = DESCRIPTIVE.flatMap((tag) => first.fields.get(tag) ?? []).map(swapped);
  const parts: Buffer[] = [];
  let end = at;
  for (const pointer of [EXIF_POINTER, GPS_POINTER]) {
    const offset = reader.numbers(first.fields.get(pointer))[0];
    if (offset === undefined) continue;
    const entries = [...reader.directory(offset).fields.values()]
      .filter(({ tag }) => tag !== INTEROPERABILITY_POINTER)
      .map(swapped);
    const bytes = directoryBytes(entries, end, littleEndian);
    const value = Buffer.alloc(4);
    if (littleEndian) value.writeUInt32LE(end);
    else value.writeUInt32BE(end);
    fields.push({ tag: pointer, type: TYPE_LONG, count: 1, value });
    parts.push(bytes);
    end += bytes.length;
  }
  return { fields, bytes: Buffer.concat(parts) };
}

/** Values of 2, 4 or 8 bytes with their bytes turned round; rationals are pairs of 4. */
function swap({ type, value }: TiffField): Buffer {
  const result = Buffer.from(value);
  const size = type === 5 || type === 10 ? 4 : byteLength(type);
  if (size === 2) result.swap16();
  else if (size === 4) result.swap32();
  else if (size === 8) result.swap64();
  return result;
}

/** A directory at offset `at` with its values behind it; its length is even. */
function directoryBytes(entries: readonly Entry[], at: number, littleEndian: boolean): Buffer {
  const sorted = [...entries].sort((a, b) => a.tag - b.tag);
  const head = Buffer.alloc(2 + 12 * sorted.length + 4);
  const short = (value: number, to: number): number =>
    littleEndian ? head.writeUInt16LE(value, to) : head.writeUInt16BE(value, to);
  const long = (value: number, to: number): number =>
    littleEndian ? head.writeUInt32LE(value, to) : head.writeUInt32BE(value, to);
  const values: Buffer[] = [];
  let end = at + head.length;
  short(sorted.length, 0);
  for (const [i, { tag, type, count, value }] of sorted.entries()) {
    const to = 2 + 12 * i;
    short(tag, to);
    short(type, to + 2);
    long(count, to + 4);
    if (value.length <= 4) {
      value.copy(head, to + 8);
      continue;
    }
    long(end, to + 8);
    const even = value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.alloc(1)]);
    values.push(even);
    end += even.length;
  }
  return Buffer.concat([head, ...values]);
}
