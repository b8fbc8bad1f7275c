import type { Pixels } from '../image/pixels';

/** What is used of the encoder; its own declarations lean on types of Emscripten that nothing else here needs. */
interface Encoder {
  readonly outputFilename: string;
  width: number;
  height: number;
  frameRate: number;
  quantizationParameter: number;
  groupOfPictures: number;
  speed: number;
  initialize(): void;
  addFrameYuv(planes: Uint8Array): void;
  finalize(): void;
  delete(): void;
  FS: { readFile(name: string): Uint8Array; unlink(name: string): void };
}

/** Frames a second of a clip: CogVideoX is trained at 8. */
export const CLIP_RATE = 8;
/** Finest quantiser that the encoder takes. */
const QUANTISER = 10;

/**
 * A clip of frames as H.264 in MP4, every frame a key frame, so that training scripts may seek. Encoding is lossy (4:2:0,
 * finest quantiser; about 40 dB on photographs): the PNG files are the frames themselves. Equal frames give equal bytes.
 *
 * @param frames at least one, all of one size with even sides
 */
export async function encodeClip(frames: Iterable<Pixels>, width: number, height: number): Promise<Uint8Array> {
  const encoder = await createEncoder();
  try {
    encoder.width = width;
    encoder.height = height;
    encoder.frameRate = CLIP_RATE;
    encoder.quantizationParameter = QUANTISER;
    encoder.groupOfPictures = 1;
    encoder.speed = 0;
    encoder.initialize();
    for (const frame of frames) encoder.addFrameYuv(toYuv420(frame));
    encoder.finalize();
    const bytes = Uint8Array.from(encoder.FS.readFile(encoder.outputFilename));
    // All encoders of a process share this file system in memory.
    encoder.FS.unlink(encoder.outputFilename);
    return withoutTimes(bytes);
  } finally {
    encoder.delete();
  }
}

async function createEncoder(): Promise<Encoder> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.rawListeners(event));
  const library = (await import('h264-mp4-encoder')) as unknown as { createH264MP4Encoder: () => Promise<Encoder> };
  const encoder = await library.createH264MP4Encoder();
  // Emscripten makes itself the judge of every error of the process; here the service is.
  for (const [i, event] of events.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]!.includes(listener)) process.removeListener(event, listener as () => void);
    }
  }
  return encoder;
}

/** ITU-R BT.601 in studio range, what decoders take for granted when nothing is said; chroma is the mean of 2x2 pixels. */
export function toYuv420({ data, width, height }: Pixels): Uint8Array {
  const count = width * height;
  const planes = new Uint8Array((count * 3) / 2);
  for (let i = 0; i < count; i++) {
    const luma = 65.481 * data[i * 3]! + 128.553 * data[i * 3 + 1]! + 24.966 * data[i * 3 + 2]!;
    planes[i] = Math.floor(16.5 + luma / 255);
  }
  let blue = count;
  let red = count + count / 4;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (const at of [y * width + x, y * width + x + 1, (y + 1) * width + x, (y + 1) * width + x + 1]) {
        r += data[at * 3]!;
        g += data[at * 3 + 1]!;
        b += data[at * 3 + 2]!;
      }
      planes[blue++] = Math.floor(128.5 + (-37.797 * r - 74.203 * g + 112 * b) / 1020);
      planes[red++] = Math.floor(128.5 + (112 * r - 93.786 * g - 18.214 * b) / 1020);
    }
  }
  return planes;
}

/** Boxes that hold other boxes, and those whose creation and modification times are 32-bit words at byte 4 (ISO/IEC 14496-12). */
const CONTAINERS = ['moov', 'trak', 'mdia'];
const DATED = ['mvhd', 'tkhd', 'mdhd'];

/** Times of writing set to 0: a data set made again is the same, byte for byte. */
function withoutTimes(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const visit = (start: number, end: number): void => {
    for (let at = start; at + 8 <= end;) {
      const size = view.getUint32(at);
      const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
      if (size < 8 || at + size > end) return;
      if (CONTAINERS.includes(type)) visit(at + 8, at + size);
      // Version 0 has 32-bit times; the encoder writes no other.
      if (DATED.includes(type) && bytes[at + 8] === 0) bytes.fill(0, at + 12, at + 20);
      at += size;
    }
  };
  visit(0, bytes.length);
  return bytes;
}
