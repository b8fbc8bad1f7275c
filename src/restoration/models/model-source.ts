import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError, type Task } from '../../protocol';
import { downloadText, type DownloadOptions } from './download';
import { checkUrl } from './http-request';
import { MAXIMUM_MANIFEST_BYTES, parseManifest, type Manifest, type ModelFile } from './manifest';
import { MANIFEST, badManifest } from './manifest-fields';

/** What would be added, for a person to agree to. */
export interface ModelOffer {
  id: string;
  name: string;
  version: string;
  license: string;
  kind: Manifest['kind'];
  tasks: Task[];
  /** Address or folder of the manifest. */
  source: string;
  /** Hosts that files come from; empty when nothing is downloaded. */
  hosts: string[];
  /** Size of all files together. */
  bytes: number;
  /** Of these, bytes that come from the net. */
  downloadBytes: number;
  files: { path: string; bytes: number; url?: string }[];
}

/** Where a file of the model comes from: an address, or the folder in which it lies at its path. */
export type FileOrigin = { url: string } | { folder: string };

/** A model that was found and checked, but not yet added. */
export interface ModelSource {
  offer: ModelOffer;
  manifest: Manifest;
  /** The manifest as it stands there: fields that this version does not know are kept. */
  json: Record<string, unknown>;
  origin: (key: string) => FileOrigin;
}

export function isUrl(source: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(source);
}

function parseJson(text: string, place: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw badManifest(place, `it is not JSON (${error instanceof Error ? error.message.slice(0, 200) : 'unreadable'})`);
  }
  // `parseManifest` refuses anything but an object.
  return json as Record<string, unknown>;
}

function sourceOf(
  json: Record<string, unknown>,
  place: string,
  source: string,
  originOf: (file: ModelFile) => FileOrigin,
): ModelSource {
  const manifest = parseManifest(json, place);
  if (manifest.kind === 'metric') {
    throw new RestorationError(
      'bad-model',
      `${manifest.id} is a metric; only models that restore pictures can be added.`,
      'Name a model of kind "network" or "trajectory".',
    );
  }
  const origins = new Map(Object.entries(manifest.files).map(([key, file]) => [key, originOf(file)]));
  const files = Object.entries(manifest.files).map(([key, { path: file, bytes }]) => {
    const origin = origins.get(key) as FileOrigin;
    return { path: file, bytes, ...('url' in origin ? { url: origin.url } : {}) };
  });
  const sum = (list: { bytes: number }[]): number => list.reduce((total, { bytes }) => total + bytes, 0);
  const downloads = files.filter(({ url }) => url !== undefined);
  return {
    manifest,
    json,
    origin: (key) => origins.get(key) as FileOrigin,
    offer: {
      id: manifest.id,
      name: manifest.name,
      version: manifest.version,
      license: manifest.license,
      kind: manifest.kind,
      tasks: manifest.tasks,
      source,
      hosts: [...new Set(downloads.map(({ url }) => new URL(url as string).host))],
      bytes: sum(files),
      downloadBytes: sum(downloads),
      files,
    },
  };
}

/**
 * Looks at a model without adding it: the address of a manifest, or the path of one or of its folder.
 *
 * @throws RestorationError `bad-argument`, `bad-model`, `missing-file`, `unknown-model` or `download-failed`
 */
export function openModelSource(source: string, options: DownloadOptions = {}): Promise<ModelSource> {
  return isUrl(source) ? openAddress(source, options) : openFolder(path.resolve(source));
}

async function openAddress(address: string, options: DownloadOptions): Promise<ModelSource> {
  const base = checkUrl(address);
  if (base.pathname.toLowerCase().endsWith('.onnx')) {
    throw new RestorationError(
      'bad-argument',
      'The address of a network alone says neither what it should contain nor how it is fed.',
      'Give the address of a manifest, or download the .onnx file and add it from its folder.',
    );
  }
  const { text, url } = await downloadText(address, MAXIMUM_MANIFEST_BYTES, options);
  return sourceOf(parseJson(text, address), address, address, (file) => {
    if (file.url !== undefined) return { url: checkUrl(file.url).href };
    // The path was checked, so that it cannot climb; every part is escaped, so that it stays a path.
    const relative = file.path.split('/').map(encodeURIComponent).join('/');
    return { url: checkUrl(new URL(relative, url).href).href };
  });
}

async function openFolder(given: string): Promise<ModelSource> {
  const info = await stat(given).catch(() => undefined);
  if (!info) {
    throw new RestorationError(
      'missing-file',
      `${given} does not exist.`,
      'Name a folder with a manifest.json, a manifest, an .onnx file, or the https address of a manifest.',
    );
  }
  const file = info.isDirectory() ? path.join(given, MANIFEST) : given;
  const folder = path.dirname(file);
  const size = (await stat(file).catch(() => undefined))?.size;
  if (size === undefined) {
    throw new RestorationError(
      'unknown-model',
      `There is no ${MANIFEST} in ${given}.`,
      'Name a folder with a manifest.json, or the .onnx file itself.',
    );
  }
  if (size > MAXIMUM_MANIFEST_BYTES) throw badManifest(folder, `it has ${size} bytes, far more than any manifest`);
  const json = parseJson(await readFile(file, 'utf8'), folder);
  const there = new Map<string, boolean>();
  const manifest = parseManifest(json, folder);
  for (const { path: name } of Object.values(manifest.files)) there.set(name, await isInside(folder, name));
  return sourceOf(json, folder, given, ({ path: name, url }) => {
    if (there.get(name) || url === undefined) return { folder };
    return { url: checkUrl(url).href };
  });
}

/** Whether a file lies there; a symbolic link that leads out of the folder is refused, not followed. */
async function isInside(folder: string, name: string): Promise<boolean> {
  const file = path.join(folder, name);
  if (!(await lstat(file).catch(() => undefined))) return false;
  const [real, root] = await Promise.all([realpath(file).catch(() => ''), realpath(folder)]);
  if (!real.startsWith(root + path.sep)) throw badManifest(folder, `"${name}" leads out of the folder`);
  return true;
}
