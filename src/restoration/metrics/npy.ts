import type { ScalarMap } from '../../measure';
import { RestorationError } from '../../protocol';

const MAGIC = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
const LENGTH_BYTES = 2;
/** The header is filled up so that the values begin at a multiple of this. */
const ALIGNMENT = 64;
const HEADER = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d{1,7}), (\d{1,7})\), \} *\n$/;

/** The values of a map as a NumPy array (format 1.0): little-endian float32, shape (height, width). */
export function encodeNpy({ data, width, height }: ScalarMap): Buffer {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const before = MAGIC.length + LENGTH_BYTES;
  const total = Math.ceil((before + description.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = `${description.padEnd(total - before - 1)}\n`;
  const out = Buffer.alloc(total + data.length * Float32Array.BYTES_PER_ELEMENT);
  MAGIC.copy(out);
  out.writeUInt16LE(header.length, MAGIC.length);
  out.write(header, before, 'latin1');
  for (let i = 0, at = total; i < data.length; i++, at += 4) out.writeFloatLE(data[i]!, at);
  return out;
}

/**
 * Reads back what `encodeNpy` wrote.
 *
 * @throws RestorationError `unreadable-picture` for any other file
 */
export function decodeNpy(bytes: Uint8Array): { data: Float32Array; width: number; height: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const before = MAGIC.length + LENGTH_BYTES;
  if (buffer.length < before || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) throw notAMap();
  const start = before + buffer.readUInt16LE(MAGIC.length);
  const match = HEADER.exec(buffer.toString('latin1', before, start));
  const height = Number(match?.[1]);
  const width = Number(match?.[2]);
  if (!match || buffer.length - start !== width * height * 4) throw notAMap();
  const data = new Float32Array(width * height);
  for (let i = 0, at = start; i < data.length; i++, at += 4) data[i] = buffer.readFloatLE(at);
  return { data, width, height };
}

function notAMap(): RestorationError {
  return new RestorationError(
    'unreadable-picture',
    'The file is not a map of two-dimensional float32 values in the NumPy format.',
    'Have the maps made again.',
  );
}
