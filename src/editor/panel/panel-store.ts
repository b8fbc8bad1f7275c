import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunView, TASKS, type RunView, type Task } from '../../protocol';
import { isObject, isOneOf, isText } from '../../protocol/checks';

/** What a panel needs to come back after the window was reloaded. */
export interface PanelRecord {
  /** Absolute path of the picture. */
  input: string;
  task: Task;
  prompt: string;
  view?: RunView;
}

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const FILE = 'panel.json';
/** Panels that no one came back to are forgotten after this many milliseconds (30 days). */
const LIFETIME = 30 * 24 * 60 * 60 * 1000;

/** Keeps each panel's record and frames in a folder of its own, for as long as the panel is open. */
export class PanelStore {
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

  async save(id: string, record: PanelRecord): Promise<void> {
    const file = path.join(this.folder, id, FILE);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.partial`, JSON.stringify(record));
    await rename(`${file}.partial`, file);
  }

  /** The record of panel `id`, or undefined when there is none that can be read. */
  async load(id: string): Promise<PanelRecord | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(path.join(this.folder, id, FILE), 'utf8'));
      return isPanelRecord(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  async forget(id: string): Promise<void> {
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

function isPanelRecord(value: unknown): value is PanelRecord {
  return (
    isObject(value) &&
    isText(value.input, 4096) &&
    path.isAbsolute(value.input) &&
    isOneOf(TASKS, value.task) &&
    isText(value.prompt) &&
    (value.view === undefined || isRunView(value.view))
  );
}
