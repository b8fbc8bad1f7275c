import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const FILE = 'panel.json';
/** Panels that no one came back to are forgotten after this many milliseconds (30 days). */
const LIFETIME = 30 * 24 * 60 * 60 * 1000;

/** Keeps each panel's record and frames in a folder of its own, for as long as the panel is open. */
export class PanelStore {
  /** Writes of one panel, one after the other, so that the newest record is the one that stays. */
  private readonly writes = new Map<string, Promise<void>>();

  constructor(private readonly folder: string) {}

  newId(): string {
    return randomUUID();
  }

  /** True for a name that this store gave: it becomes part of a path. */
  isId(value: unknown): value is string {
    return typeof value === 'string' && ID.test(value);
  }

  framesFolder(id: string): string {
    return path.join(this.folder, id, 'panel.frames');
  }

  save(id: string, record: object): Promise<void> {
    const text = JSON.stringify(record);
    const write = (this.writes.get(id) ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        const file = path.join(this.folder, id, FILE);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(`${file}.partial`, text);
        await rename(`${file}.partial`, file);
      });
    this.writes.set(id, write);
    return write;
  }

  /** The record of panel `id`, or undefined when there is none that passes `guard`. */
  async load<T>(id: string, guard: (value: unknown) => value is T): Promise<T | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(path.join(this.folder, id, FILE), 'utf8'));
      return guard(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  async forget(id: string): Promise<void> {
    await this.writes.get(id)?.catch(() => undefined);
    this.writes.delete(id);
    await rm(path.join(this.folder, id), { recursive: true, force: true });
  }

  /** Removes the folders of panels that are long gone. */
  async prune(): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    for (const name of names.filter((candidate) => this.isId(candidate))) {
      const age = Date.now() - (await stat(path.join(this.folder, name))).mtimeMs;
      if (age > LIFETIME) await this.forget(name);
    }
  }
}
