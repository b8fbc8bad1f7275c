import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ADAPTER_NAME, RestorationError, type Task } from '../../protocol';
import { writeFileAtomically } from '../image/files';
import { assureSpace, downloadVerified, writeFailure, type DownloadOptions } from './download';
import { cancelled } from './http-request';
import { installedModelsFolder, modelsFolder } from './locations';
import { MODEL_ID, parseManifest, readManifest, type Manifest, type ModelFile } from './manifest';
import { MANIFEST, shownValue } from './manifest-fields';
import type { ModelSource } from './model-source';

/** Half downloads that nobody went on with are deleted after this time. */
const KEEP_HALVES_MILLISECONDS = 14 * 24 * 3_600_000;
/** What a killed process left of an installation. */
const KEEP_STAGING_MILLISECONDS = 24 * 3_600_000;
const DOWNLOADS = '.downloads';
const STAGING = '.staging';

/** A model on this machine. */
export interface ModelEntry {
  id: string;
  name: string;
  version: string;
  license: string;
  kind: 'trajectory' | 'network' | 'cogvideox';
  tasks: Task[];
  /** Pixels of the result for one of the input, for networks that enlarge. */
  scale?: number;
  /** `shipped` models are part of the package; `added` ones can be removed. */
  origin: 'shipped' | 'added';
  folder: string;
  /** Size of its files together. */
  bytes: number;
  /** Adapters that lie in its folder and act on it by their name. */
  adapters: AdapterFile[];
  /** Why it cannot be used; everything else is then only what could be read. */
  problem?: string;
}

/** An adapter in a model's folder. */
export interface AdapterFile {
  /** As `adapter` of a restoration names it. */
  name: string;
  bytes: number;
}

/** What `verify` found of one file. */
export interface FileCheck {
  path: string;
  ok: boolean;
  problem?: string;
}

export interface ModelCheck {
  id: string;
  ok: boolean;
  files: FileCheck[];
}

export interface InstallOptions extends DownloadOptions {
  /** Tries the model where it was made ready, before it takes its place; what it throws stops the installation. */
  check?: (folder: string) => Promise<void>;
  /** Tells which file is being fetched. */
  onFile?: (path: string, index: number, count: number) => void;
}

/** The models of this machine: those of the package, which are only read, and those in the folder of added models. */
export class ModelStore {
  constructor(
    private readonly root: string = installedModelsFolder(),
    private readonly shipped: string = modelsFolder(),
  ) {}

  /** All models that restore pictures, those of the package first; damaged ones say why. */
  async list(): Promise<ModelEntry[]> {
    const shipped = await this.entries(this.shipped, 'shipped');
    const added = await this.entries(this.root, 'added');
    return [...shipped, ...added];
  }

  private async entries(folder: string, origin: ModelEntry['origin']): Promise<ModelEntry[]> {
    const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const entries: ModelEntry[] = [];
    for (const entry of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      // Links could lead anywhere; hidden folders are this store's own.
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const place = path.join(folder, entry.name);
      try {
        const { manifest } = await readManifest(place);
        if (manifest.kind === 'metric') continue;
        const { id, name, version, license, kind, tasks } = manifest;
        const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
        const scale = manifest.kind === 'network' && manifest.scale > 1 ? { scale: manifest.scale } : {};
        const problem =
          id === entry.name ? {} : { problem: `Its folder is called ${entry.name}; it has to be called ${id}.` };
        entries.push({
          id: entry.name,
          name,
          version,
          license,
          kind,
          tasks,
          ...scale,
          origin,
          folder: place,
          bytes,
          adapters: kind === 'trajectory' ? await adaptersOf(place) : [],
          ...problem,
        });
      } catch (error) {
        // The package holds folders that are no models (recipes).
        if (origin === 'shipped') continue;
        const problem = RestorationError.from(error).problem;
        entries.push({
          id: entry.name,
          name: entry.name,
          version: '',
          license: '',
          kind: 'network',
          tasks: [],
          origin,
          folder: place,
          bytes: 0,
          adapters: [],
          problem,
        });
      }
    }
    return entries;
  }

  private async find(id: string): Promise<ModelEntry> {
    const entries = await this.list();
    const entry = entries.find((candidate) => candidate.id === id);
    if (entry) return entry;
    throw new RestorationError(
      'unknown-model',
      `There is no model ${shownValue(id)}; there are ${entries.map((e) => e.id).join(', ') || 'none'}.`,
      'Name one of these.',
    );
  }

  /**
   * Deletes a model that was added. What ships inside stays.
   *
   * @throws RestorationError `unknown-model`, `bad-argument` for a model of the package, `unwritable`
   */
  async remove(id: string): Promise<ModelEntry> {
    const entry = await this.find(id);
    if (entry.origin === 'shipped') {
      throw new RestorationError(
        'bad-argument',
        `${id} is part of the package and is not removed.`,
        'Name a model that was added.',
      );
    }
    // Out of the way first: whoever looks meanwhile finds the model whole or not at all.
    const doomed = path.join(await this.staging(), 'removed');
    await rename(entry.folder, doomed).catch((error: unknown) => {
      throw writeFailure(entry.folder, error);
    });
    await rm(path.dirname(doomed), { recursive: true, force: true });
    return entry;
  }

  /** Compares every file of a model with its size and SHA-256; of all models when none is named. */
  async verify(id?: string): Promise<ModelCheck[]> {
    const entries = id === undefined ? await this.list() : [await this.find(id)];
    const checks: ModelCheck[] = [];
    for (const entry of entries) {
      if (entry.problem !== undefined) {
        checks.push({ id: entry.id, ok: false, files: [{ path: MANIFEST, ok: false, problem: entry.problem }] });
        continue;
      }
      const { manifest } = await readManifest(entry.folder);
      const files: FileCheck[] = [];
      for (const file of Object.values(manifest.files)) {
        const problem = await this.problemOf(entry.folder, file);
        files.push({ path: file.path, ok: problem === undefined, ...(problem === undefined ? {} : { problem }) });
      }
      checks.push({ id: entry.id, ok: files.every(({ ok }) => ok), files });
    }
    return checks;
  }

  private async problemOf(folder: string, file: ModelFile): Promise<string | undefined> {
    try {
      await hashOf(folder, file);
      return undefined;
    } catch (error) {
      return RestorationError.from(error).problem;
    }
  }

  /**
   * Adds a model: fetches and verifies every file beside the store, tries it, and moves it to its place in one step. A
   * model of the same id is replaced at that moment, and stays when anything fails.
   *
   * @throws RestorationError `bad-argument` for an id of the package, `download-failed`, `bad-model`, `unwritable`
   */
  async install(source: ModelSource, options: InstallOptions = {}): Promise<ModelEntry> {
    const { manifest } = source;
    await this.assureFree(manifest);
    await this.tidy();
    const staging = await this.staging();
    const folder = path.join(staging, manifest.id);
    try {
      await mkdir(folder);
      const sizes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
      await assureSpace(this.root, sizes);
      await this.fetchFiles(source, folder, options);
      await writeFileAtomically(
        path.join(folder, MANIFEST),
        `${JSON.stringify({ ...source.json, origin: source.offer.source }, null, 2)}\n`,
      );
      await options.check?.(folder);
      if (options.signal?.aborted) throw cancelled();
      await this.exchange(folder, path.join(this.root, manifest.id), path.join(staging, 'replaced'));
    } finally {
      await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    }
    return this.find(manifest.id);
  }

  private async fetchFiles(source: ModelSource, folder: string, options: InstallOptions): Promise<void> {
    const entries = Object.entries(source.manifest.files);
    const total = entries.reduce((sum, [, { bytes }]) => sum + bytes, 0);
    let before = 0;
    for (const [index, [key, file]] of entries.entries()) {
      if (options.signal?.aborted) throw cancelled();
      options.onFile?.(file.path, index, entries.length);
      const target = path.join(folder, file.path);
      await mkdir(path.dirname(target), { recursive: true });
      const origin = source.origin(key);
      if ('url' in origin) {
        const part = path.join(this.root, DOWNLOADS, `${file.sha256}.part`);
        const done = before;
        await downloadVerified(origin.url, part, file, {
          ...options,
          onProgress: (received) => options.onProgress?.(done + received, total),
        });
        await rename(part, target).catch((error: unknown) => {
          throw writeFailure(target, error);
        });
      } else {
        await copyVerified(origin.folder, path.join(origin.folder, file.path), file, target);
      }
      before += file.bytes;
      options.onProgress?.(before, total);
    }
  }

  private async exchange(from: string, to: string, aside: string): Promise<void> {
    const replaces = await rename(to, aside).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw writeFailure(to, error);
      },
    );
    try {
      await rename(from, to);
    } catch (error) {
      if (replaces) await rename(aside, to);
      throw writeFailure(to, error);
    }
  }

  private async assureFree({ id }: Manifest): Promise<void> {
    const shipped = await this.entries(this.shipped, 'shipped');
    if (!shipped.some((entry) => entry.id === id)) return;
    throw new RestorationError(
      'bad-argument',
      `The id ${id} belongs to a model of the package.`,
      'Give the model another "id" in its manifest.',
    );
  }

  /** A folder of its own for one change of the store, on the same disk. */
  private async staging(): Promise<string> {
    const folder = path.join(this.root, STAGING, randomBytes(6).toString('hex'));
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw writeFailure(folder, error);
    });
    return folder;
  }

  /** Deletes what was begun and never finished. */
  private async tidy(): Promise<void> {
    for (const [name, age] of [
      [DOWNLOADS, KEEP_HALVES_MILLISECONDS],
      [STAGING, KEEP_STAGING_MILLISECONDS],
    ] as const) {
      const folder = path.join(this.root, name);
      for (const entry of await readdir(folder).catch(() => [])) {
        const file = path.join(folder, entry);
        const info = await stat(file).catch(() => undefined);
        if (info && Date.now() - info.mtimeMs > age)
          await rm(file, { recursive: true, force: true }).catch(() => undefined);
      }
    }
  }
}

async function adaptersOf(folder: string): Promise<AdapterFile[]> {
  const place = path.join(folder, 'adapters');
  const found: AdapterFile[] = [];
  for (const entry of await readdir(place, { withFileTypes: true }).catch(() => [])) {
    const { name, ext } = path.parse(entry.name);
    if (!entry.isFile() || ext !== '.safetensors' || !ADAPTER_NAME.test(name)) continue;
    found.push({ name, bytes: (await stat(path.join(place, entry.name))).size });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function refusedFile(file: ModelFile, problem: string): RestorationError {
  return new RestorationError('bad-model', `${file.path} was refused: ${problem}.`, 'Install the model again.');
}

/** Real place of a file after checking that it lies inside the folder and has the size that was promised. */
async function placeOf(folder: string, source: string, file: ModelFile): Promise<string> {
  try {
    const real = await realpath(source);
    if (!real.startsWith((await realpath(folder)) + path.sep)) throw refusedFile(file, 'it leads out of the folder');
    const info = await stat(real);
    if (!info.isFile()) throw refusedFile(file, 'it is not a file');
    if (info.size !== file.bytes) throw refusedFile(file, `it has ${info.size} bytes instead of ${file.bytes}`);
    return real;
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    throw refusedFile(file, `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

async function hashOf(folder: string, file: ModelFile): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(await placeOf(folder, path.join(folder, file.path), file)), hash);
  compareHash(file, hash.digest('hex'));
}

function compareHash(file: ModelFile, sha256: string): void {
  if (sha256 === file.sha256) return;
  throw refusedFile(file, `its SHA-256 is ${sha256.slice(0, 12)}… instead of ${file.sha256.slice(0, 12)}…`);
}

/** Copies and hashes in one pass: what was checked is what was copied. */
async function copyVerified(folder: string, source: string, file: ModelFile, target: string): Promise<void> {
  const place = await placeOf(folder, source, file);
  const hash = createHash('sha256');
  const hashed = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(createReadStream(place), hashed, createWriteStream(target)).catch((error: unknown) => {
    throw writeFailure(target, error);
  });
  compareHash(file, hash.digest('hex'));
}

/** Whether a text can be the id of a model. */
export function isModelId(id: string): boolean {
  return MODEL_ID.test(id);
}

/** An id made of a file's name. */
export function modelIdOf(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 100);
  return id || 'network';
}

/** A source for a network in one file, with the manifest that an inspection wrote. */
export function fileSource(file: string, json: Record<string, unknown>): ModelSource {
  const folder = path.dirname(path.resolve(file));
  const manifest = parseManifest(json, folder);
  if (manifest.kind === 'metric') throw new RestorationError('bad-model', `${file} is a metric.`, 'Name a network.');
  const { id, name, version, license, kind, tasks } = manifest;
  const files = Object.values(manifest.files).map(({ path: relative, bytes }) => ({ path: relative, bytes }));
  return {
    manifest,
    json,
    origin: () => ({ folder }),
    offer: {
      id,
      name,
      version,
      license,
      kind,
      tasks,
      source: path.resolve(file),
      hosts: [],
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      downloadBytes: 0,
      files,
    },
  };
}
