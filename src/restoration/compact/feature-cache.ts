import type { TensorData } from '../models/sessions';
import { SpoolFile } from './frame-spool';

/** Features of about 16 megapixels stay in memory. */
const MEMORY_BYTES = 256 * 1024 * 1024;
/** Larger ones go to a temporary file, up to about 64 megapixels; beyond that they are made again. */
const DISK_BYTES = 1024 * 1024 * 1024;

type Features = TensorData & { type: 'float32' };

interface Stored {
  dims: readonly number[];
  length: number;
  /** Present while it is in memory. */
  data?: Float32Array;
  /** Place in the file otherwise. */
  position: number;
}

/** What the trunk made of the tiles of one picture. */
class Entry {
  private readonly tiles = new Map<number, Stored>();
  private bytes = 0;
  private file: SpoolFile | undefined;
  /** Set when there was no room: the entry keeps nothing any more. */
  private full = false;

  constructor(
    readonly key: string,
    readonly tileSize: number,
    private readonly limits: { memory: number; disk: number },
  ) {}

  has(tile: number): boolean {
    return this.tiles.has(tile);
  }

  /** Features of a tile, numbered row by row; undefined when they have to be made. */
  read(tile: number): Features | undefined {
    const stored = this.tiles.get(tile);
    if (!stored) return undefined;
    let { data } = stored;
    if (!data) {
      data = new Float32Array(stored.length);
      this.file?.read(new Uint8Array(data.buffer), stored.position);
    }
    return { type: 'float32', data, dims: stored.dims };
  }

  /** Keeps features that were just made; they must not change afterwards. */
  store(tile: number, { data, dims }: Features): void {
    if (this.full || this.tiles.has(tile)) return;
    const position = this.bytes;
    this.bytes += data.byteLength;
    if (this.bytes > this.limits.disk) {
      this.drop();
      return;
    }
    if (this.bytes <= this.limits.memory) {
      this.tiles.set(tile, { dims, length: data.length, data, position });
      return;
    }
    try {
      if (!this.file) this.spill();
      this.file?.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
      this.tiles.set(tile, { dims, length: data.length, position });
    } catch {
      // A cache without room is no reason to fail: the trunk runs again next time.
      this.drop();
    }
  }

  /** Moves what is in memory to a file: half a picture there and half here would only take both. */
  private spill(): void {
    const file = new SpoolFile();
    this.file = file;
    for (const stored of this.tiles.values()) {
      if (!stored.data) continue;
      const { buffer, byteOffset, byteLength } = stored.data;
      file.write(new Uint8Array(buffer, byteOffset, byteLength), stored.position);
      delete stored.data;
    }
  }

  drop(): void {
    this.full = true;
    this.tiles.clear();
    this.file?.close();
    this.file = undefined;
  }
}

export type FeatureEntry = Pick<Entry, 'tileSize' | 'has' | 'read' | 'store'>;

/**
 * The trunk's features of the most recent picture: whoever asks for another severity of it needs the head only. One
 * picture is kept, in memory or in a temporary file.
 */
export class FeatureCache {
  private entry: Entry | undefined;

  constructor(private readonly limits = { memory: MEMORY_BYTES, disk: DISK_BYTES }) {}

  /**
   * The entry of a picture; what was kept of another one is let go.
   *
   * @param key names everything that features depend on but the tiles: picture, prompt, networks, device
   * @param tileSize for a new entry; an entry that is there keeps the size that it was made with
   */
  open(key: string, tileSize: number): FeatureEntry {
    if (this.entry?.key !== key) {
      this.entry?.drop();
      this.entry = new Entry(key, tileSize, this.limits);
    }
    return this.entry;
  }

  clear(): void {
    this.entry?.drop();
    this.entry = undefined;
  }
}
