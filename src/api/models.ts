import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, type NetworkHints, type RestoreRequest } from '../protocol';
import { encodePng } from '../restoration/image/encode';
import { writeFileAtomically } from '../restoration/image/files';
import { createPixels, type Pixels } from '../restoration/image/pixels';
import { readManifest } from '../restoration/models/manifest';
import { isUrl, openModelSource, type ModelOffer, type ModelSource } from '../restoration/models/model-source';
import { ModelStore, fileSource, type ModelCheck, type ModelEntry } from '../restoration/models/model-store';
import { inferenceClient } from './session';

export type { ModelCheck, ModelEntry, ModelOffer };
export type { FileCheck } from '../restoration/models/model-store';
export type { ChannelKind, NetworkHints } from '../protocol';

/** How far adding a model has come. */
export interface ModelProgress {
  stage: 'fetch' | 'check';
  /** Bytes; 0 of 0 while the model is tried. */
  done: number;
  total: number;
  /** File that is being fetched. */
  file?: string;
}

/** A look at a model before it is added. */
export interface ModelPreview {
  offer: ModelOffer;
  /** What could only be guessed about a plain .onnx file, a sentence each. */
  notes: string[];
  /** The manifest that a plain .onnx file gets. */
  manifest: Record<string, unknown>;
}

export interface AddModelOptions {
  /**
   * Nothing is added without it: true, or a function that is shown what would be added (licence, size, host, files) and
   * says whether it may be.
   */
  consent?: boolean | ((preview: ModelPreview) => boolean | Promise<boolean>);
  /** What cannot be read out of a plain .onnx file. */
  hints?: NetworkHints;
  signal?: AbortSignal;
  onProgress?: (progress: ModelProgress) => void;
}

/** Sides of the picture that a model is tried with. */
const SAMPLE_WIDTH = 72;
const SAMPLE_HEIGHT = 56;

/** The models that restore pictures: those that ship inside and those that were added. Damaged ones say why. */
export function listModels(): Promise<ModelEntry[]> {
  return new ModelStore().list();
}

/**
 * Looks at a model without adding it.
 *
 * @param source https address of a manifest, path of one or of its folder, or path of an .onnx file
 * @throws RestorationError when there is no model, or none that can be used
 */
export async function previewModel(
  source: string,
  options: Pick<AddModelOptions, 'hints' | 'signal'> = {},
): Promise<ModelPreview> {
  const { source: found, notes } = await open(source, options);
  return { offer: found.offer, notes, manifest: found.json };
}

/**
 * Adds a model: fetches its files, verifies size and SHA-256 of each, tries the model on a small picture, and only then
 * puts it where `restore` finds it by its id. A model of the same id is replaced. A download that was interrupted goes on
 * where it stopped when it is called again.
 *
 * @param source https address of a manifest, path of one or of its folder, or path of an .onnx file
 * @throws RestorationError `no-consent`, `download-failed`, `bad-model`, `unwritable`, `cancelled`
 * @example
 * await addModel('https://example.org/models/sharp/manifest.json', { consent: true });
 * await restore('photo.jpg', { task: 'deblurring', model: 'sharp' });
 */
export async function addModel(source: string, options: AddModelOptions = {}): Promise<ModelEntry> {
  const { source: found, notes } = await open(source, options);
  const { consent = false, signal, onProgress } = options;
  const preview: ModelPreview = { offer: found.offer, notes, manifest: found.json };
  if (!(typeof consent === 'function' ? await consent(preview) : consent)) {
    const { id, license, downloadBytes, hosts } = found.offer;
    const amount = downloadBytes > 0 ? `, ${mebibytes(downloadBytes)} from ${hosts.join(', ')}` : '';
    throw new RestorationError(
      'no-consent',
      `${id} (licence ${license}${amount}) was not added: nobody agreed to it.`,
      'Agree with consent: true, or with --yes on the command line.',
    );
  }
  let file: string | undefined;
  return new ModelStore().install(found, {
    signal,
    onFile: (next) => (file = next),
    onProgress: (done, total) => onProgress?.({ stage: 'fetch', done, total, ...(file ? { file } : {}) }),
    check: async (folder) => {
      onProgress?.({ stage: 'check', done: 0, total: 0 });
      await tryModel(folder, signal);
    },
  });
}

/**
 * Deletes a model that was added; what ships inside stays.
 *
 * @throws RestorationError `unknown-model`, or `bad-argument` for a model of the package
 */
export function removeModel(id: string): Promise<ModelEntry> {
  return new ModelStore().remove(id);
}

/** Compares the files of a model, or of all, with the sizes and hashes in its manifest. */
export function verifyModels(id?: string): Promise<ModelCheck[]> {
  return new ModelStore().verify(id);
}

/** The same under one name. */
export const models = {
  list: listModels,
  preview: previewModel,
  add: addModel,
  remove: removeModel,
  verify: verifyModels,
};

async function open(
  source: string,
  { hints = {}, signal }: Pick<AddModelOptions, 'hints' | 'signal'>,
): Promise<{ source: ModelSource; notes: string[] }> {
  if (typeof source !== 'string' || source === '') {
    throw new RestorationError(
      'bad-argument',
      'A model has to be named.',
      'Name a folder, a manifest, an .onnx file, or the https address of a manifest.',
    );
  }
  if (isUrl(source) || path.extname(source).toLowerCase() !== '.onnx') {
    return { source: await openModelSource(source, { signal }), notes: [] };
  }
  const file = path.resolve(source);
  const { manifest, notes } = await inferenceClient().describe({ file, hints }, signal ? { signal } : {});
  return { source: fileSource(file, manifest), notes };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** One run on a picture of our own: a model that fails there is not added. */
async function tryModel(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const { manifest } = await readManifest(folder);
  if (manifest.kind === 'metric') return;
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-try-'));
  try {
    const input = path.join(temporary, 'sample.png');
    await writeFileAtomically(input, await encodePng(samplePicture()));
    for (const task of manifest.tasks) {
      const request: RestoreRequest = {
        input,
        task,
        frames: 2,
        model: folder,
        device: 'cpu',
        priority: 'interactive',
      };
      await inferenceClient().restore(request, signal ? { signal } : {});
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function samplePicture(): Pixels {
  const pixels = createPixels(SAMPLE_WIDTH, SAMPLE_HEIGHT);
  for (let i = 0; i < pixels.data.length; i++) {
    const x = Math.floor(i / 3) % SAMPLE_WIDTH;
    pixels.data[i] = 40 + ((x * 3 + i * 7) % 170);
  }
  return pixels;
}
