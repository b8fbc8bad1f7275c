/** One page of a plain TIFF: interleaved samples in one strip, little-endian. */
export interface TiffPage {
  width: number;
  height: number;
  channels: number;
  /** 8 or 16. */
  bits: number;
  data: Uint8Array | Uint16Array;
  /** 1 = black is 0, 2 = RGB, 5 = CMYK, 32803 = a colour filter array. */
  photometric: number;
  /** More fields of type SHORT: [tag, value]. */
  fields?: readonly (readonly [number, number])[];
  /** Replaces the type of samples: 3 = floating point. */
  sampleFormat?: number;
}

const SHORT = 3;
const LONG = 4;

/** Writes what encoders refuse to write: odd fields, several pages, associated opacity. */
export function tiffFile(pages: readonly TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])];
  let offset = 8;
  pages.forEach((page, number) => {
    const { width, height, channels, bits, data, photometric } = page;
    const strip = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const fields: [number, number, number, number[]][] = [
      [256, LONG, 1, [width]],
      [257, LONG, 1, [height]],
      [258, SHORT, channels, Array.from({ length: channels }, () => bits)],
      [259, SHORT, 1, [1]],
      [262, SHORT, 1, [photometric]],
      [273, LONG, 1, [0]],
      [277, SHORT, 1, [channels]],
      [278, LONG, 1, [height]],
      [279, LONG, 1, [strip.length]],
      ...(page.fields ?? []).map(([tag, value]): [number, number, number, number[]] => [tag, SHORT, 1, [value]]),
      ...(page.sampleFormat === undefined
        ? []
        : [[339, SHORT, 1, [page.sampleFormat]] as [number, number, number, number[]]]),
    ];
    fields.sort(([a], [b]) => a - b);
    const directory = Buffer.alloc(2 + 12 * fields.length + 4);
    const bitsAt = offset + directory.length;
    const stripAt = bitsAt + 16;
    directory.writeUInt16LE(fields.length, 0);
    fields.forEach(([tag, type, count, values], i) => {
      const at = 2 + 12 * i;
      directory.writeUInt16LE(tag, at);
      directory.writeUInt16LE(type, at + 2);
      directory.writeUInt32LE(count, at + 4);
      if (tag === 273) directory.writeUInt32LE(stripAt, at + 8);
      else if (tag === 258 && count > 2) directory.writeUInt32LE(bitsAt, at + 8);
      else if (type === LONG) directory.writeUInt32LE(values[0] as number, at + 8);
      else values.forEach((value, k) => directory.writeUInt16LE(value, at + 8 + 2 * k));
    });
    const bitsTable = Buffer.alloc(16);
    for (let c = 0; c < channels; c++) bitsTable.writeUInt16LE(bits, 2 * c);
    const padding = Buffer.alloc(strip.length % 2);
    const end = stripAt + strip.length + padding.length;
    directory.writeUInt32LE(number === pages.length - 1 ? 0 : end, 2 + 12 * fields.length);
    parts.push(directory, bitsTable, strip, padding);
    offset = end;
  });
  return Buffer.concat(parts);
}
