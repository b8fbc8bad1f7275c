import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError, TASKS, type Task } from '../../protocol';
import { installedModelsFolder, modelsFolder } from './locations';
import { Fields, MANIFEST, badManifest, isObject, shownValue } from './manifest-fields';
import { parseCogVideoXSettings, type CogVideoXSettings } from './cogvideox-manifest';
import { parseNetworkSettings, type NetworkSettings } from './network-manifest';

export interface ModelFile {
  /** Relative to the manifest's folder, inside it. */
  path: string;
  sha256: string;
  bytes: number;
  /** Where to download it, https; without it, `path` beside the manifest's own address. */
  url?: string;
}

interface ManifestBase {
  schema: 1;
  id: string;
  name: string;
  version: string;
  license: string;
  files: Record<string, ModelFile>;
}

/** How large pictures are cut: pixels of the network's input. */
export interface TileSettings {
  size: number;
  overlap: number;
}

/** One task's networks: keys of the manifest's files, and where they differ from the rest of the model. */
export interface ExpertManifest {
  trunk: string;
  head: string;
  tile?: TileSettings;
  multiple?: number;
  /** The same networks with int8 convolutions, for CPUs. */
  int8?: { trunk: string; head: string };
}

/** What runs for one task, with everything filled in that every expert has. */
export type Expert = Required<Omit<ExpertManifest, 'int8'>> & Pick<ExpertManifest, 'int8'>;

/** A model that restores: one trunk a picture, one head a frame (models/compact). */
export interface TrajectoryManifest extends ManifestBase {
  kind: 'trajectory';
  tasks: Task[];
  input: { multiple: number; minimumSide: number };
  tile: TileSettings;
  /** Networks of their own for each task; without them the files `trunk` and `head` serve all tasks. */
  experts?: Partial<Record<Task, ExpertManifest>>;
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

/** Any image-to-image network, shown as a trajectory of its input and its result. */
export interface NetworkManifest extends ManifestBase, NetworkSettings {
  kind: 'network';
  tasks: Task[];
  /** Such a network reads no prompt. */
  uniformPrompts: Record<Task, string>;
  experts?: undefined;
}

/** A text-and-image-to-video diffusion model (src/restoration/cogvideox). */
export interface CogVideoXManifest extends ManifestBase, CogVideoXSettings {
  kind: 'cogvideox';
  tasks: Task[];
  uniformPrompts: Record<Task, string>;
  experts?: undefined;
}

/** A model that restores pictures. */
export type RestorationManifest = TrajectoryManifest | NetworkManifest | CogVideoXManifest;

export type Manifest = RestorationManifest | MetricManifest;

/** A manifest that was read and checked, with the folder it lies in. */
export interface InstalledModel<M extends Manifest = Manifest> {
  folder: string;
  manifest: M;
  /** SHA-256 over the hashes of the model's files in the order of their keys: identifies the weights as a whole. */
  sha256: string;
}

export const MAXIMUM_MANIFEST_BYTES = 1_000_000;
const MAXIMUM_FILES = 64;
export const MODEL_ID = /^[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?$/;

/**
 * Names that mean the same file on every system: relative, without `..`, hidden parts, backslashes, drive letters or names
 * that end in a dot or a space. The schema has the same expression.
 */
export const FILE_PATH =
  /^(?=.{1,400}$)(?!manifest\.json$)[\p{L}\p{N}_](?:[\p{L}\p{N}_. @+()-]*[\p{L}\p{N}_@+()-])?(?:\/[\p{L}\p{N}_](?:[\p{L}\p{N}_. @+()-]*[\p{L}\p{N}_@+()-])?)*$/u;
const FILE_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

const bad = badManifest;

function parseFiles(fields: Fields, folder: string): Record<string, ModelFile> {
  const files: Record<string, ModelFile> = {};
  if (fields.keys().length > MAXIMUM_FILES) throw bad(folder, `"files" has to name at most ${MAXIMUM_FILES} files`);
  for (const key of fields.keys()) {
    if (!FILE_KEY.test(key)) throw bad(folder, `"files" may not have the key ${shownValue(key)}`);
    const entry = fields.object(key);
    const file = entry.text('path');
    if (!FILE_PATH.test(file)) {
      throw bad(folder, `"files.${key}.path" has to stay inside the model's folder, not ${shownValue(file)}`);
    }
    const sha256 = entry.text('sha256');
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw bad(folder, `"files.${key}.sha256" has to be 64 hexadecimal digits`);
    const url = entry.has('url') ? entry.text('url', 2000) : undefined;
    if (
      url !== undefined &&
      !/^https:\/\/[^\s]+$/.test(url) &&
      !/^http:\/\/(localhost|127\.0\.0\.1)[:/][^\s]+$/.test(url)
    ) {
      throw bad(folder, `"files.${key}.url" has to begin with https://, not ${shownValue(url)}`);
    }
    files[key] = {
      path: file,
      sha256,
      bytes: entry.integer('bytes', 1, 2 ** 41),
      ...(url === undefined ? {} : { url }),
    };
  }
  // Some systems do not tell capitals from small letters, and a file cannot be a folder.
  const paths = Object.values(files).map((file) => file.path.toLowerCase());
  const twice = paths.find((one, i) =>
    paths.some((other, k) => k !== i && (other === one || other.startsWith(`${one}/`))),
  );
  if (twice !== undefined) throw bad(folder, `"files" has ${shownValue(twice)} more than once`);
  return files;
}

function requireFiles(folder: string, files: Record<string, ModelFile>, names: string[]): void {
  for (const name of names) if (!Object.hasOwn(files, name)) throw bad(folder, `"files.${name}" is missing`);
}

function parseTile(fields: Fields, name: string, multiple: number, folder: string): TileSettings {
  const tile = fields.object(name);
  const size = tile.integer('size', 64, 8192);
  if (size % multiple !== 0) {
    throw bad(
      folder,
      `"${tile.label('size')}" has to be a multiple of what the network's sides are divisible by (${multiple})`,
    );
  }
  return { size, overlap: tile.integer('overlap', 0, Math.floor(size / 3)) };
}

/** Every task needs an expert of its own, and every expert a task. */
function parseExperts(
  fields: Fields,
  model: { tasks: readonly Task[]; files: Record<string, ModelFile>; tile: TileSettings; multiple: number },
  folder: string,
): Partial<Record<Task, ExpertManifest>> {
  for (const key of fields.keys()) {
    if (!(model.tasks as readonly string[]).includes(key)) {
      throw bad(folder, `"experts" names ${JSON.stringify(key)}, which is not among "tasks"`);
    }
  }
  const experts: Partial<Record<Task, ExpertManifest>> = {};
  for (const task of model.tasks) {
    const entry = fields.object(task);
    const file = (part: 'trunk' | 'head', fields: Fields = entry): string => {
      const key = fields.text(part);
      if (!Object.hasOwn(model.files, key))
        throw bad(folder, `"${fields.label(part)}" names no file of "files": ${key}`);
      return key;
    };
    const int8 = entry.has('int8') ? entry.object('int8') : undefined;
    const multiple = entry.has('multiple') ? entry.integer('multiple', 1, 1024) : undefined;
    const tile = entry.has('tile') ? parseTile(entry, 'tile', multiple ?? model.multiple, folder) : undefined;
    if (!tile && multiple !== undefined && model.tile.size % multiple !== 0) {
      throw bad(folder, `"tile.size" has to be a multiple of "${entry.label('multiple')}"`);
    }
    experts[task] = {
      trunk: file('trunk'),
      head: file('head'),
      ...(tile ? { tile } : {}),
      ...(multiple === undefined ? {} : { multiple }),
      ...(int8 ? { int8: { trunk: file('trunk', int8), head: file('head', int8) } } : {}),
    };
  }
  return experts;
}

function parseTasks(fields: Fields, folder: string): Task[] {
  const tasks = fields.raw('tasks');
  const valid =
    Array.isArray(tasks) &&
    tasks.length > 0 &&
    tasks.every((task) => TASKS.includes(task as Task)) &&
    new Set(tasks).size === tasks.length;
  if (!valid) throw bad(folder, `"tasks" has to be a list out of ${TASKS.join(', ')}`);
  return [...(tasks as Task[])];
}

/** What runs for a task: its expert, or the one trunk and head that serve all tasks. */
export function expertOf(manifest: TrajectoryManifest, task: Task): Expert {
  const expert = manifest.experts?.[task];
  return {
    trunk: expert?.trunk ?? 'trunk',
    head: expert?.head ?? 'head',
    tile: expert?.tile ?? manifest.tile,
    multiple: expert?.multiple ?? manifest.input.multiple,
    ...(expert?.int8 ? { int8: expert.int8 } : {}),
  };
}

/** Checks the JSON of a manifest. `folder` is where it lies; nothing on disk is touched. */
export function parseManifest(json: unknown, folder: string): Manifest {
  if (!isObject(json)) throw bad(folder, 'a JSON object was expected');
  const fields = new Fields(json, folder);
  if (json.schema !== 1) throw bad(folder, `"schema" has to be 1, not ${shownValue(json.schema)}`);
  const id = fields.text('id');
  if (!MODEL_ID.test(id)) throw bad(folder, '"id" may hold a-z, 0-9, dot and hyphen only');
  const base = {
    schema: 1 as const,
    id,
    name: fields.text('name'),
    version: fields.text('version'),
    license: fields.text('license'),
    files: parseFiles(fields.object('files'), folder),
  };
  const kind = fields.oneOf('kind', ['trajectory', 'network', 'metric', 'cogvideox'] as const);
  if (kind === 'cogvideox') {
    requireFiles(folder, base.files, ['vae_encoder', 'vae_decoder', 'transformer']);
    // A free prompt needs both; without them the embeddings of the model's own sentences have to be there.
    const encodes = Object.hasOwn(base.files, 'text_encoder');
    requireFiles(folder, base.files, [encodes ? 'tokenizer' : 'embeddings']);
    const tasks = parseTasks(fields, folder);
    return { ...base, kind, tasks, uniformPrompts: parseUniform(fields, tasks), ...parseCogVideoXSettings(fields) };
  }
  if (kind === 'network') {
    requireFiles(folder, base.files, ['network']);
    const tasks = parseTasks(fields, folder);
    const uniformPrompts = Object.fromEntries(tasks.map((task) => [task, ''])) as Record<Task, string>;
    return { ...base, kind, tasks, uniformPrompts, ...parseNetworkSettings(fields, tasks) };
  }
  const input = fields.object('input');
  const inputSizes = {
    multiple: input.integer('multiple', 1, 1024),
    minimumSide: input.integer('minimumSide', 1, 4096),
  };
  if (kind === 'metric') {
    requireFiles(folder, base.files, ['features', 'distance']);
    return { ...base, kind, input: inputSizes };
  }
  requireFiles(folder, base.files, fields.has('experts') ? ['text'] : ['trunk', 'head', 'text']);
  const tasks = parseTasks(fields, folder);
  const prompt = fields.object('prompt');
  const tile = parseTile(fields, 'tile', inputSizes.multiple, folder);
  const experts = fields.has('experts')
    ? parseExperts(fields.object('experts'), { tasks, files: base.files, tile, multiple: inputSizes.multiple }, folder)
    : undefined;
  return {
    ...base,
    kind,
    tasks,
    input: inputSizes,
    tile,
    ...(experts ? { experts } : {}),
    thumbnail: fields.integer('thumbnail', 1, 1024),
    prompt: {
      buckets: prompt.integer('buckets', 2, 2 ** 24),
      maximumIds: prompt.integer('maximumIds', 1, 100_000),
      width: prompt.integer('width', 1, 65_536),
    },
    uniformPrompts: parseUniform(fields, tasks),
  };
}

function parseUniform(fields: Fields, tasks: readonly Task[]): Record<Task, string> {
  const uniform = fields.object('uniformPrompts');
  return Object.fromEntries(tasks.map((task) => [task, uniform.text(task)])) as Record<Task, string>;
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
  return { folder, manifest, sha256: weightsHash(manifest) };
}

/** SHA-256 over the hashes of the files in the order of their keys. */
export function weightsHash({ files }: Pick<Manifest, 'files'>): string {
  const hash = createHash('sha256');
  for (const key of Object.keys(files).sort()) hash.update(`${key}:${files[key]?.sha256}\n`);
  return hash.digest('hex');
}

/** Ids of the models in a folder that restore pictures. */
async function restorationIds(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    try {
      const { manifest } = await readManifest(path.join(folder, entry.name));
      if (manifest.kind !== 'metric' && manifest.id === entry.name) found.push(manifest.id);
    } catch {
      // A folder without a valid manifest is not a model; `readManifest` says why to whoever asks for it by name.
    }
  }
  return found;
}

/** Ids of the models that restore pictures: those that ship inside and those that were added. */
export async function listModels(): Promise<string[]> {
  const ids = await Promise.all([modelsFolder(), installedModelsFolder()].map(restorationIds));
  return [...new Set(ids.flat())].sort();
}

/**
 * Finds a restoration model by id (what ships inside comes before what was added) or by the path of a folder with a
 * manifest.
 *
 * @throws RestorationError `unknown-model` or `bad-model`
 */
export async function findModel(idOrFolder: string): Promise<InstalledModel<RestorationManifest>> {
  const model = await readManifest(await folderOf(idOrFolder));
  if (model.manifest.kind === 'metric') {
    throw new RestorationError(
      'unknown-model',
      `There is no model ${shownValue(idOrFolder)} that restores pictures: ${model.manifest.id} is a metric.`,
      `Name one of: ${(await listModels()).join(', ')}.`,
    );
  }
  const { id } = model.manifest;
  // A folder of another name than its model's id could pass itself off as another model.
  if (MODEL_ID.test(idOrFolder) && idOrFolder !== id) {
    throw bad(model.folder, `its "id" is ${shownValue(id)}, but its folder is called ${idOrFolder}`);
  }
  return { ...model, manifest: model.manifest };
}

async function folderOf(idOrFolder: string): Promise<string> {
  if (/[\\/]/.test(idOrFolder) || idOrFolder === '.' || idOrFolder === '..') return path.resolve(idOrFolder);
  if (MODEL_ID.test(idOrFolder)) {
    for (const folder of [modelsFolder(), installedModelsFolder()]) {
      const candidate = path.join(folder, idOrFolder);
      const there = await stat(path.join(candidate, MANIFEST)).catch(() => undefined);
      if (there?.isFile()) return candidate;
    }
  }
  throw new RestorationError(
    'unknown-model',
    `There is no model ${shownValue(idOrFolder)}; installed: ${(await listModels()).join(', ') || 'none'}.`,
    'Name one of these, or the path of a folder with a manifest.json.',
  );
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
