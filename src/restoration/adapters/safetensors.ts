import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError } from '../../protocol';
import { isObject } from '../../protocol/checks';
import { floatsOfBrainFloats, floatsOfHalves, floatsOfSingles } from './half';

/**
 * Reads safetensors files: eight bytes with the length of a JSON header, the header, then the tensors without gaps
 * (https://github.com/huggingface/safetensors, "Format"). Nothing of a file is believed: lengths, offsets and shapes are
 * checked against each other and against the file's size before anything is read.
 */

/** The reference's limit is 100 MB; a header of a million tensors stays below this one. */
const LONGEST_HEADER = 32 * 1024 * 1024;
const MOST_TENSORS = 100_000;
const MOST_DIMENSIONS = 8;
const METADATA = '__metadata__';

/** Bytes of one element. */
const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;
export type SafetensorsType = keyof typeof ELEMENT_BYTES;

export interface TensorEntry {
  dtype: SafetensorsType;
  shape: readonly number[];
  /** Bytes from the first tensor's first. */
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  metadata: ReadonlyMap<string, string>;
  tensors: ReadonlyMap<string, TensorEntry>;
}

function refused(label: string, problem: string, cause?: unknown): RestorationError {
  return new RestorationError(
    'bad-adapter',
    `${label} is not a valid safetensors file: ${problem}.`,
    'Give a file that safetensors wrote, or save it again.',
    cause === undefined ? undefined : { cause },
  );
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 97)}...` : text);
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseEntry(name: string, value: unknown, label: string): TensorEntry {
  if (!isObject(value)) throw refused(label, `tensor ${shown(name)} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    throw refused(label, `tensor ${shown(name)} has the unknown type ${shown(String(dtype))}`);
  }
  if (!Array.isArray(shape) || shape.length > MOST_DIMENSIONS || !shape.every(isLength)) {
    throw refused(label, `the shape of tensor ${shown(name)} is not a list of lengths`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isLength)) {
    throw refused(label, `the offsets of tensor ${shown(name)} are not two positions`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes =
    shape.reduce((product: number, side: number) => product * side, 1) * ELEMENT_BYTES[dtype as SafetensorsType];
  if (end - begin !== bytes) {
    throw refused(
      label,
      `tensor ${shown(name)} of ${dtype} [${shape.join(', ')}] takes ${bytes} bytes, not ${end - begin}`,
    );
  }
  return { dtype: dtype as SafetensorsType, shape, begin, end };
}

/**
 * The header of a safetensors file.
 *
 * @param header its bytes, without the length before it
 * @param dataBytes how many bytes follow it in the file
 * @param label how errors call the file
 * @throws RestorationError `bad-adapter` when it is no JSON, when a tensor lies outside of the file or on another one, or
 *   when bytes belong to no tensor
 */
export function parseSafetensorsHeader(header: Uint8Array, dataBytes: number, label: string): SafetensorsHeader {
  let json: unknown;
  try {
    // The reference refuses a header that does not begin with {, so that nothing can stand in front of it.
    if (header[0] !== 0x7b) throw new Error('the header does not begin with {');
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (error) {
    throw refused(label, 'its header is not JSON', error);
  }
  if (!isObject(json)) throw refused(label, 'its header is not a JSON object');
  const metadata = new Map<string, string>();
  const tensors = new Map<string, TensorEntry>();
  const entries = Object.entries(json);
  if (entries.length > MOST_TENSORS) throw refused(label, `it has more than ${MOST_TENSORS} tensors`);
  for (const [name, value] of entries) {
    if (name !== METADATA) {
      tensors.set(name, parseEntry(name, value, label));
      continue;
    }
    if (!isObject(value)) throw refused(label, 'its metadata are not an object');
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== 'string')
        throw refused(label, `its metadata have something else than a text at ${shown(key)}`);
      metadata.set(key, text);
    }
  }
  // Every byte belongs to exactly one tensor: two that overlap, or bytes that nobody names, are a sign of damage.
  let position = 0;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin < position) throw refused(label, `tensor ${shown(name)} lies on another one`);
    if (begin > position) throw refused(label, `no tensor owns the bytes before ${shown(name)}`);
    if (end > dataBytes)
      throw refused(label, `tensor ${shown(name)} ends ${end - dataBytes} bytes behind the file's end`);
    position = end;
  }
  if (position !== dataBytes) throw refused(label, `${dataBytes - position} bytes at its end belong to no tensor`);
  return { metadata, tensors };
}

/** The values of a tensor as float32, last dimension first. */
export interface FloatTensor {
  shape: readonly number[];
  data: Float32Array;
}

const READERS = { F16: floatsOfHalves, BF16: floatsOfBrainFloats, F32: floatsOfSingles };

function isFloating(dtype: SafetensorsType): dtype is keyof typeof READERS {
  return Object.hasOwn(READERS, dtype);
}

/**
 * All tensors of a safetensors file that is in memory.
 *
 * @throws RestorationError `bad-adapter` when it is none, or when a type is none of F16, BF16 and F32
 */
export function readSafetensors(bytes: Uint8Array, label: string): Map<string, FloatTensor> {
  if (bytes.length < 8) throw refused(label, 'it is too short for a header');
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(LONGEST_HEADER) || length > BigInt(bytes.length - 8)) {
    throw refused(label, `its header is said to have ${length} bytes`);
  }
  const start = 8 + Number(length);
  const { tensors } = parseSafetensorsHeader(bytes.subarray(8, start), bytes.length - start, label);
  const result = new Map<string, FloatTensor>();
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    if (!isFloating(dtype)) throw refused(label, `tensor ${shown(name)} is ${dtype}; F16, BF16 or F32 was expected`);
    result.set(name, { shape, data: READERS[dtype](bytes.subarray(start + begin, start + end)) });
  }
  return result;
}

/** A safetensors file on the disk; tensors are read when they are asked for. */
export class SafetensorsFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly label: string,
    private readonly dataStart: number,
    readonly header: SafetensorsHeader,
  ) {}

  /**
   * Opens a file and checks its header. Close it.
   *
   * @param most largest size that is accepted, in bytes
   * @throws RestorationError `missing-file`, or `bad-adapter` when it is larger or not a safetensors file
   */
  static async open(file: string, most: number = Number.MAX_SAFE_INTEGER): Promise<SafetensorsFile> {
    const label = path.basename(file);
    const handle = await open(file, 'r').catch((error: unknown) => {
      throw new RestorationError(
        'missing-file',
        `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`,
        'Name a .safetensors file.',
        { cause: error },
      );
    });
    try {
      const info = await handle.stat();
      if (!info.isFile()) throw refused(label, 'it is not a file');
      if (info.size > most) throw refused(label, `it has ${info.size} bytes; at most ${most} are accepted`);
      if (info.size < 8) throw refused(label, 'it is too short for a header');
      const length = (await bytesAt(handle, 0, 8, label)).readBigUInt64LE();
      if (length > BigInt(LONGEST_HEADER) || length > BigInt(info.size - 8)) {
        throw refused(label, `its header is said to have ${length} bytes`);
      }
      const dataStart = 8 + Number(length);
      const header = await bytesAt(handle, 8, Number(length), label);
      return new SafetensorsFile(
        handle,
        label,
        dataStart,
        parseSafetensorsHeader(header, info.size - dataStart, label),
      );
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * The values of a tensor as float32, last dimension first.
   *
   * @throws RestorationError `bad-adapter` when there is no such tensor, or when its type is none of F16, BF16 and F32
   */
  async floats(name: string): Promise<FloatTensor> {
    const entry = this.header.tensors.get(name);
    if (!entry) throw refused(this.label, `it has no tensor ${shown(name)}`);
    const { dtype, shape, begin, end } = entry;
    if (!isFloating(dtype)) {
      throw refused(this.label, `tensor ${shown(name)} is ${dtype}; F16, BF16 or F32 was expected`);
    }
    const bytes = await bytesAt(this.handle, this.dataStart + begin, end - begin, this.label);
    return { shape, data: READERS[dtype](bytes) };
  }

  /** Of the whole file, hexadecimal. */
  async sha256(): Promise<string> {
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(1024 * 1024);
    for (let position = 0; ;) {
      const { bytesRead } = await this.handle.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, bytesRead));
      position += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function bytesAt(handle: FileHandle, position: number, length: number, label: string): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    // It was long enough a moment ago: somebody is writing to it.
    if (bytesRead === 0) throw refused(label, 'it ended while it was read');
    done += bytesRead;
  }
  return bytes;
}
