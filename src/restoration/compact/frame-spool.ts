import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../protocol';
import { createPixels, createPixels16, type AnyPixels, type Depth } from '../image/pixels';

/** Frames that are made at once take at most this much memory; larger ones wait in temporary files. */
const FRAMES_IN_MEMORY_BYTES = 192 * 1024 * 1024;

/** A temporary file that vanishes with the process, however it ends (on Windows: when it is closed). */
export class SpoolFile {
  private readonly folder: string;
  private readonly file: string;
  private readonly descriptor: number;
  private closed = false;

  constructor() {
    this.folder = attempt(() => mkdtempSync(path.join(os.tmpdir(), 'progressive-restoration-')));
    this.file = path.join(this.folder, 'spool');
    this.descriptor = attempt(() => openSync(this.file, 'wx+', 0o600));
    // An open file that has no name any more is freed by the system, even after a kill. Windows refuses.
    if (process.platform !== 'win32') rmSync(this.folder, { recursive: true, force: true });
  }

  write(bytes: Uint8Array, position: number): void {
    attempt(() => {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.descriptor, bytes, done, bytes.length - done, position + done);
      }
    });
  }

  /** @throws RestorationError `internal` when the file holds less than `bytes` */
  read(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.descriptor, bytes, done, bytes.length - done, position + done);
      if (count === 0) throw new RestorationError('internal', 'A temporary file is shorter than what was written.', '');
      done += count;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A full disk is the user's to mend: everything else about temporary files is not expected to fail. */
function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new RestorationError(
      'unwritable',
      `A temporary file in ${os.tmpdir()} could not be written (${code}).`,
      code === 'ENOSPC'
        ? 'Free some disk space, or ask for fewer frames.'
        : 'Set TMPDIR to a folder that can be written to.',
      { cause: error },
    );
  }
}

/** A frame while it is made: lines arrive in pieces, in any order; afterwards it is taken out once. */
export interface FrameSpool {
  /** Room for `count` samples of the frame from sample `offset` on: an array and where in it they belong. */
  room(offset: number, count: number): { samples: Uint8Array | Uint16Array; at: number };
  /** What stands in the room that was given last belongs to the frame. */
  commit(): void;
  /** The finished frame. A large one is read back now and is the caller's to let go. */
  take(): AnyPixels;
  close(): void;
}

function createFrame(width: number, height: number, depth: Depth): AnyPixels {
  return depth === 16 ? createPixels16(width, height) : createPixels(width, height);
}

class MemorySpool implements FrameSpool {
  private readonly frame: AnyPixels;

  constructor(width: number, height: number, depth: Depth) {
    this.frame = createFrame(width, height, depth);
  }

  room(offset: number): { samples: Uint8Array | Uint16Array; at: number } {
    return { samples: this.frame.data, at: offset };
  }

  commit(): void {
    // It was written in place.
  }

  take(): AnyPixels {
    return this.frame;
  }

  close(): void {
    // Nothing is open.
  }
}

class DiskSpool implements FrameSpool {
  private readonly file = new SpoolFile();
  private line: Uint8Array | Uint16Array;
  private offset = 0;
  private count = 0;

  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly depth: Depth,
  ) {
    this.line = depth === 16 ? new Uint16Array(width * 3) : new Uint8Array(width * 3);
  }

  room(offset: number, count: number): { samples: Uint8Array | Uint16Array; at: number } {
    this.offset = offset;
    this.count = count;
    return { samples: this.line, at: 0 };
  }

  commit(): void {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = this.line;
    this.file.write(
      new Uint8Array(buffer, byteOffset, this.count * BYTES_PER_ELEMENT),
      this.offset * BYTES_PER_ELEMENT,
    );
  }

  take(): AnyPixels {
    const frame = createFrame(this.width, this.height, this.depth);
    this.file.read(new Uint8Array(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength), 0);
    this.close();
    return frame;
  }

  close(): void {
    this.file.close();
  }
}

/**
 * Room for `count` frames of one size that are made at the same time: in memory while they are small together, in
 * temporary files otherwise.
 *
 * @param memoryBytes what they may take in memory
 * @throws RestorationError `unwritable` when no temporary file can be made
 */
export function spoolFrames(
  count: number,
  { width, height }: { width: number; height: number },
  depth: Depth,
  memoryBytes: number = FRAMES_IN_MEMORY_BYTES,
): FrameSpool[] {
  const Spool = count * width * height * 3 * (depth / 8) <= memoryBytes ? MemorySpool : DiskSpool;
  const spools: FrameSpool[] = [];
  try {
    for (let i = 0; i < count; i++) spools.push(new Spool(width, height, depth));
  } catch (error) {
    for (const spool of spools) spool.close();
    throw error;
  }
  return spools;
}
