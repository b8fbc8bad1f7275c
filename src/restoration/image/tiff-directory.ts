/** One field of a TIFF directory, its value as the bytes in the file's order. */
export interface TiffField {
  tag: number;
  /** Type of TIFF 6.0 (1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, 7 UNDEFINED, ...). */
  type: number;
  count: number;
  value: Buffer;
  /** Where the value's bytes stand. */
  offset: number;
}

export interface TiffDirectory {
  fields: Map<number, TiffField>;
  /** Where the offset of the next directory stands, and the offset itself (0 = none). */
  nextAt: number;
  next: number;
}

/** Byte lengths of the types 1 to 13 of TIFF 6.0 and its supplements. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4] as const;
const MAXIMUM_FIELDS = 4096;

export function byteLength(type: number): number {
  const bytes = TYPE_BYTES[type];
  if (!bytes) throw new RangeError(`there is no TIFF type ${type}`);
  return bytes;
}

/**
 * Bounds-checked access to the directories of a TIFF file or an EXIF block (which is a small TIFF). Classic TIFF only;
 * every lie about an offset or a length is a RangeError.
 */
export class TiffReader {
  readonly littleEndian: boolean;

  constructor(readonly bytes: Buffer) {
    const order = bytes.toString('latin1', 0, 2);
    if (order !== 'II' && order !== 'MM') throw new RangeError('no TIFF header');
    this.littleEndian = order === 'II';
    if (this.short(2) !== 42) throw new RangeError('no TIFF header');
  }

  short(at: number): number {
    return this.littleEndian ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  long(at: number): number {
    return this.littleEndian ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  first(): TiffDirectory {
    return this.directory(this.long(4));
  }

  directory(at: number): TiffDirectory {
    const count = this.short(at);
    if (count > MAXIMUM_FIELDS) throw new RangeError(`${count} fields in a directory`);
    const fields = new Map<number, TiffField>();
    for (let i = 0; i < count; i++) {
      const entry = at + 2 + 12 * i;
      const type = this.short(entry + 2);
      const values = this.long(entry + 4);
      // Unknown types are skipped, as the specification asks.
      if (!TYPE_BYTES[type]) continue;
      const length = byteLength(type) * values;
      const offset = length <= 4 ? entry + 8 : this.long(entry + 8);
      if (offset + length > this.bytes.length) throw new RangeError('a value beyond the end of the file');
      const tag = this.short(entry);
      fields.set(tag, { tag, type, count: values, value: this.bytes.subarray(offset, offset + length), offset });
    }
    const nextAt = at + 2 + 12 * count;
    return { fields, nextAt, next: nextAt + 4 <= this.bytes.length ? this.long(nextAt) : 0 };
  }

  /** The field's values as numbers (BYTE, SHORT, LONG and IFD only; others are empty). */
  numbers(field: TiffField | undefined): number[] {
    if (!field) return [];
    const { type, count, offset } = field;
    const kept = Math.min(count, 16);
    switch (type) {
      case 1:
        return Array.from({ length: kept }, (_, i) => this.bytes.readUInt8(offset + i));
      case 3:
        return Array.from({ length: kept }, (_, i) => this.short(offset + 2 * i));
      case 4:
      case 13:
        return Array.from({ length: kept }, (_, i) => this.long(offset + 4 * i));
      default:
        return [];
    }
  }
}
