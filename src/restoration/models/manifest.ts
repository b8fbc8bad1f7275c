import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError, TASKS, type Task } from '../../protocol';
import { modelsFolder } from './locations';

export interface ModelFile {
  /** Relative to the manifest's folder, inside it. */
  path: string;
  sha256: string;
  bytes: number;
}

interface ManifestBase {
  schema: 1;
  id: string;
  name: string;
  version: string;
  license: string;
  files: Record<string, ModelFile>;
}

/** A model that restores: one trunk a picture, one head a frame (models/compact). */
export interface TrajectoryManifest extends ManifestBase {
  kind: 'trajectory';
  tasks: Task[];
  input: { multiple: number; minimumSide: number };
  tile: { size: number; overlap: number };
  /** Side of the thumbnail that carries global statistics. */
  thumbnail: number;
  prompt: { buckets: number; maximumIds: number; width: number };
  uniformPrompts: Record<Task, string>;
}

/** A network that measures (models/lpips). */
export interface MetricManifest extends ManifestBase {
  kind: 'metric';
  input: { multiple: number; minimumSide: number };
}

export type Manifest = TrajectoryManifest | MetricManifest;

/** A manifest that was read and checked, with the folder it lies in. */
export interface InstalledModel<M extends Manifest = Manifest> {
  folder: string;
  manifest: M;
  /** SHA-256 over the hashes of the model's files in the order of their keys: identifies the weights as a whole. */
  sha256: string;
}

const MANIFEST = 'manifest.json';
const MAXIMUM_MANIFEST_BYTES = 1_000_000;

function bad(folder: string, problem: string): RestorationError {
  return new RestorationError(
    'bad-model',
    `The model manifest ${path.join(folder, MANIFEST)} is not valid: ${problem}.`,
    'Install the model again, or correct its manifest.',
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads numbers and texts out of untrusted JSON, with the field's name in every complaint. */
class Fields {
  constructor(
    private readonly value: Record<string, unknown>,
    private readonly folder: string,
    private readonly prefix = '',
  ) {}

  text(name: string): string {
    const value = this.value[name];
    if (typeof value !== 'string' || value === '' || value.length > 1000) {
      throw bad(this.folder, `"${this.prefix}${name}" has to be a text`);
    }
    return value;
  }

  integer(name: string, minimum: number, maximum: number): number {
    const value = this.value[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
      throw bad(this.folder, `"${this.prefix}${name}" has to be a whole number from ${minimum} to ${maximum}`);
    }
    return value;
  }

  object(name: string): Fields {
    const value = this.value[name];
    if (!isObject(value)) throw bad(this.folder, `"${this.prefix}${name}" has to be an object`);
    return new Fields(value, this.folder, `${this.prefix}${name}.`);
  }

  keys(): string[] {
    return Object.keys(this.value);
  }

  raw(name: string): unknown {
    return this.value[name];
  }
}

function parseFiles(fields: Fields, folder: string): Record<string, ModelFile> {
  const files: Record<string, ModelFile> = {};
  for (const key of fields.keys()) {
    const entry = fields.object(key);
    const file = entry.text('path');
    const resolved = path.resolve(folder, file);
    if (path.isAbsolute(file) || file.includes('\\') || !resolved.startsWith(path.resolve(folder) + path.sep)) {
      throw bad(folder, `"files.${key}.path" has to stay inside the model's folder, not ${JSON.stringify(file)}`);
    }
    const sha256 = entry.text('sha256');
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw bad(folder, `"files.${key}.sha256" has to be 64 hexadecimal digits`);
    files[key] = { path: file, sha256, bytes: entry.integer('bytes', 1, 2 ** 41) };
  }
  return files;
}

function requireFiles(folder: string, files: Record<string, ModelFile>, names: string[]): void {
  for (const name of names) if (!files[name]) throw bad(folder, `"files.${name}" is missing`);
}

/** Checks the JSON of a manifest. `folder` is where it lies; nothing on disk is touched. */
export function parseManifest(json: unknown, folder: string): Manifest {
  if (!isObject(json)) throw bad(folder, 'a JSON object was expected');
  const fields = new Fields(json, folder);
  if (json.schema !== 1) throw bad(folder, `"schema" has to be 1, not ${JSON.stringify(json.schema)}`);
  const id = fields.text('id');
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(id)) throw bad(folder, '"id" may hold a-z, 0-9, dot and hyphen only');
  const base = {
    schema: 1 as const,
    id,
    name: fields.text('name'),
    version: fields.text('version'),
    license: fields.text('license'),
    files: parseFiles(fields.object('files'), folder),
  };
  const input = fields.object('input');
  const inputSizes = {
    multiple: input.integer('multiple', 1, 1024),
    minimumSide: input.integer('minimumSide', 1, 4096),
  };
  const kind = fields.text('kind');
  if (kind === 'metric') {
    requireFiles(folder, base.files, ['features', 'distance']);
    return { ...base, kind, input: inputSizes };
  }
  if (kind !== 'trajectory')
    throw bad(folder, `"kind" has to be "trajectory" or "metric", not ${JSON.stringify(kind)}`);
  requireFiles(folder, base.files, ['trunk', 'head', 'text']);
  const tasks = fields.raw('tasks');
  if (!Array.isArray(tasks) || tasks.length === 0 || !tasks.every((t): t is Task => TASKS.includes(t as Task))) {
    throw bad(folder, `"tasks" has to be a list out of ${TASKS.join(', ')}`);
  }
  const uniform = fields.object('uniformPrompts');
  const tile = fields.object('tile');
  const prompt = fields.object('prompt');
  const size = tile.integer('size', 64, 8192);
  if (size % inputSizes.multiple !== 0) throw bad(folder, '"tile.size" has to be a multiple of "input.multiple"');
  return {
    ...base,
    kind,
    tasks,
    input: inputSizes,
    tile: { size, overlap: tile.integer('overlap', 0, Math.floor(size / 3)) },
    thumbnail: fields.integer('thumbnail', 1, 1024),
    prompt: {
      buckets: prompt.integer('buckets', 2, 2 ** 24),
      maximumIds: prompt.integer('maximumIds', 1, 100_000),
      width: prompt.integer('width', 1, 65_536),
    },
    uniformPrompts: Object.fromEntries(tasks.map((task) => [task, uniform.text(task)])) as Record<Task, string>,
  };
}

/** Reads and checks the manifest in a folder; the files are verified when they are loaded. */
export async function readManifest(folder: string): Promise<InstalledModel> {
  const file = path.join(folder, MANIFEST);
  let text: string;
  try {
    const info = await stat(file);
    if (info.size > MAXIMUM_MANIFEST_BYTES) throw bad(folder, `it has ${info.size} bytes, far more than any manifest`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    throw new RestorationError(
      'unknown-model',
      `There is no model in ${folder}: ${MANIFEST} cannot be read.`,
      'Name the id of an installed model, or a folder with a manifest.json.',
      { cause: error },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw bad(folder, `it is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  const manifest = parseManifest(json, folder);
  const hash = createHash('sha256');
  for (const key of Object.keys(manifest.files).sort()) hash.update(`${key}:${manifest.files[key]?.sha256}\n`);
  return { folder, manifest, sha256: hash.digest('hex') };
}

/** Ids of the models that ship inside and restore pictures. */
export async function listModels(folder: string = modelsFolder()): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    try {
      const { manifest } = await readManifest(path.join(folder, entry.name));
      if (manifest.kind === 'trajectory') found.push(manifest.id);
    } catch {
      // A folder without a valid manifest is not a model; `readManifest` says why to whoever asks for it by name.
    }
  }
  return found.sort();
}

/**
 * Finds a restoration model by id (among those that ship inside) or by the path of a folder with a manifest.
 *
 * @throws RestorationError `unknown-model` or `bad-model`
 */
export async function findModel(idOrFolder: string): Promise<InstalledModel<TrajectoryManifest>> {
  const byPath = /[\\/]/.test(idOrFolder) || idOrFolder === '.' || idOrFolder === '..';
  const known = byPath ? [] : await listModels();
  if (!byPath && !known.includes(idOrFolder)) {
    throw new RestorationError(
      'unknown-model',
      `There is no model ${JSON.stringify(idOrFolder)}; installed: ${known.join(', ') || 'none'}.`,
      'Name one of these, or the path of a folder with a manifest.json.',
    );
  }
  const model = await readManifest(byPath ? path.resolve(idOrFolder) : path.join(modelsFolder(), idOrFolder));
  if (model.manifest.kind !== 'trajectory') {
    throw new RestorationError(
      'unknown-model',
      `${model.manifest.id} is a metric, not a model that restores pictures.`,
      `Name one of: ${(await listModels()).join(', ')}.`,
    );
  }
  return { ...model, manifest: model.manifest };
}

/** Bytes of a model's file after checking its place, size and SHA-256. */
export async function readVerified(model: InstalledModel, key: string): Promise<Uint8Array> {
  const entry = model.manifest.files[key];
  if (!entry) throw bad(model.folder, `"files.${key}" is missing`);
  const file = path.resolve(model.folder, entry.path);
  let bytes: Buffer;
  try {
    // A symbolic link could lead out of the folder although the name does not.
    const real = await realpath(file);
    const inside = await realpath(model.folder);
    if (!real.startsWith(inside + path.sep)) throw bad(model.folder, `"files.${key}.path" leads out of the folder`);
    const { size } = await stat(real);
    if (size !== entry.bytes) throw mismatch(model, entry, `it has ${size} bytes instead of ${entry.bytes}`);
    bytes = await readFile(real);
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    throw mismatch(model, entry, `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== entry.sha256) {
    throw mismatch(model, entry, `its SHA-256 is ${sha256.slice(0, 12)}… instead of ${entry.sha256.slice(0, 12)}…`);
  }
  return bytes;
}

function mismatch(model: InstalledModel, entry: ModelFile, problem: string): RestorationError {
  return new RestorationError(
    'bad-model',
    `${entry.path} of model ${model.manifest.id} was refused: ${problem}.`,
    'Install the model again.',
  );
}
