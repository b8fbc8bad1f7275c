import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { InferenceClient } from '../inference/client';
import {
  RestorationError,
  type DegradationWishes,
  type Device,
  type NetworkHints,
  type RunView,
  type Task,
} from '../protocol';
import { samplePictureFile } from '../restoration/models/locations';
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

/** What a model made of a sample picture, before it is added. */
export interface ModelTrial {
  task: Task;
  /** Two frames or more with their metrics against the picture before it was degraded. */
  view: RunView;
  /** Folder with the frames and the reference; gone when the model has been added or refused. */
  framesFolder: string;
  /** The undegraded sample. */
  reference: string;
}

export interface AddModelOptions {
  /**
   * Nothing is added without it: true, or a function that is shown what would be added (licence, size, host, files) and
   * says whether it may be.
   */
  consent?: boolean | ((preview: ModelPreview) => boolean | Promise<boolean>);
  /** What cannot be read out of a plain .onnx file. */
  hints?: NetworkHints;
  /**
   * Is shown what the model made of a sample picture, one trial a task, and says whether it is to be added; it is unless
   * this is given.
   */
  accept?: (trials: ModelTrial[], preview: ModelPreview) => boolean | Promise<boolean>;
  /** Device of the trial; the CPU unless given. */
  device?: Device;
  signal?: AbortSignal;
  onProgress?: (progress: ModelProgress) => void;
}

/** The models of this machine, with an inference client that tries new ones. */
export class ModelLibrary {
  /**
   * @param client of the service that looks at networks and tries them
   * @param store where models are; the usual folders unless given, asked for each time
   */
  constructor(
    private readonly client: () => InferenceClient,
    private readonly store: () => ModelStore = () => new ModelStore(),
  ) {}

  /** The models that restore pictures: those that ship inside and those that were added. Damaged ones say why. */
  list(): Promise<ModelEntry[]> {
    return this.store().list();
  }

  /**
   * Looks at a model without adding it.
   *
   * @param source https address of a manifest, path of one or of its folder, or path of an .onnx file
   * @throws RestorationError when there is no model, or none that can be used
   */
  async preview(source: string, options: Pick<AddModelOptions, 'hints' | 'signal'> = {}): Promise<ModelPreview> {
    const { source: found, notes } = await this.open(source, options);
    return { offer: found.offer, notes, manifest: found.json };
  }

  /** See `addModel`. */
  async add(source: string, options: AddModelOptions = {}): Promise<ModelEntry> {
    const { source: found, notes } = await this.open(source, options);
    const { consent = false, accept, signal, onProgress, device = 'cpu' } = options;
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
    return this.store().install(found, {
      signal,
      onFile: (next) => (file = next),
      onProgress: (done, total) => onProgress?.({ stage: 'fetch', done, total, ...(file ? { file } : {}) }),
      check: async (folder) => {
        onProgress?.({ stage: 'check', done: 0, total: 0 });
        const accepted = await this.tried(folder, { device, signal }, async (trials) => {
          return accept === undefined || accept(trials, preview);
        });
        if (!accepted) {
          throw new RestorationError(
            'no-consent',
            `${found.offer.id} was not added.`,
            'Add it again when it is wanted.',
          );
        }
      },
    });
  }

  /** Deletes a model that was added; what ships inside stays. */
  remove(id: string): Promise<ModelEntry> {
    return this.store().remove(id);
  }

  /** Compares the files of a model, or of all, with the sizes and hashes in its manifest. */
  verify(id?: string): Promise<ModelCheck[]> {
    return this.store().verify(id);
  }

  private async open(
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
    const { manifest, notes } = await this.client().describe({ file, hints }, signal ? { signal } : {});
    return { source: fileSource(file, manifest), notes };
  }

  /**
   * Degrades the sample photograph as each task of the model expects it, and has the model restore it: a model that fails
   * there is not added. The pictures are there until `use` has ended.
   */
  private async tried<T>(
    folder: string,
    { device, signal }: { device: Device; signal: AbortSignal | undefined },
    use: (trials: ModelTrial[]) => Promise<T>,
  ): Promise<T> {
    const { manifest } = await readManifest(folder);
    if (manifest.kind === 'metric') return use([]);
    const video = manifest.kind === 'cogvideox';
    const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
    // Its files were compared with their hashes; a run plans its memory and checks every network's result.
    if (video && bytes > TRIED_VIDEO_BYTES) return use([]);
    const framesFolder = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-try-'));
    const options = signal ? { signal } : {};
    const reference = samplePictureFile();
    const usual = { framesFolder, priority: 'interactive' } as const;
    try {
      const trials: ModelTrial[] = [];
      for (const task of manifest.tasks) {
        const scale = manifest.kind === 'network' && manifest.scale > 1 ? manifest.scale : USUAL_SCALE;
        const { frames } = await this.client().degrade(
          {
            ...usual,
            input: reference,
            task,
            severities: [1],
            seed: SAMPLE_SEED,
            wishes: task === 'super-resolution' ? { scale } : SAMPLE_WISHES[task],
            form: task === 'super-resolution' ? 'small' : 'full',
          },
          options,
        );
        const input = path.join(framesFolder, frames[0]?.file ?? '');
        const view = await this.client().restore(
          {
            ...usual,
            input,
            reference,
            task,
            frames: TRIAL_FRAMES,
            model: folder,
            device,
            ...(task === 'super-resolution' ? { scale } : {}),
            ...(video ? { diffusion: { steps: 1 } } : {}),
          },
          options,
        );
        trials.push({ task, view, framesFolder, reference });
      }
      return await use(trials);
    } finally {
      await rm(framesFolder, { recursive: true, force: true });
    }
  }
}

/** A video model with more bytes is not tried: one step of gigabytes takes a GPU, or many minutes. */
const TRIED_VIDEO_BYTES = 500 * 1024 ** 2;
/** Enlargement of a model that does not say its own. */
const USUAL_SCALE = 4;
/** The same degradation each time, so that models can be told apart by their figures. */
const SAMPLE_SEED = 1;
/** What a person sees at once in so small a picture. */
const SAMPLE_WISHES: Record<Exclude<Task, 'super-resolution'>, DegradationWishes> = {
  deblurring: { blur: 'shake', length: 8 },
  'low-light': { gain: 0.05 },
};
/** A model with a trajectory is shown at both ends and in the middle. */
const TRIAL_FRAMES = 3;

const library = new ModelLibrary(inferenceClient);

/** The models that restore pictures: those that ship inside and those that were added. Damaged ones say why. */
export function listModels(): Promise<ModelEntry[]> {
  return library.list();
}

/**
 * Looks at a model without adding it.
 *
 * @param source https address of a manifest, path of one or of its folder, or path of an .onnx file
 * @throws RestorationError when there is no model, or none that can be used
 */
export function previewModel(
  source: string,
  options: Pick<AddModelOptions, 'hints' | 'signal'> = {},
): Promise<ModelPreview> {
  return library.preview(source, options);
}

/**
 * Adds a model: fetches its files, verifies size and SHA-256 of each, tries the model on a sample picture, and only then
 * puts it where `restore` finds it by its id. A model of the same id is replaced. A download that was interrupted goes on
 * where it stopped when it is called again.
 *
 * @param source https address of a manifest, path of one or of its folder, or path of an .onnx file
 * @throws RestorationError `no-consent`, `download-failed`, `bad-model`, `unwritable`, `cancelled`
 * @example
 * await addModel('https://example.org/models/sharp/manifest.json', { consent: true });
 * await restore('photo.jpg', { task: 'deblurring', model: 'sharp' });
 */
export function addModel(source: string, options: AddModelOptions = {}): Promise<ModelEntry> {
  return library.add(source, options);
}

/**
 * Deletes a model that was added; what ships inside stays.
 *
 * @throws RestorationError `unknown-model`, or `bad-argument` for a model of the package
 */
export function removeModel(id: string): Promise<ModelEntry> {
  return library.remove(id);
}

/** Compares the files of a model, or of all, with the sizes and hashes in its manifest. */
export function verifyModels(id?: string): Promise<ModelCheck[]> {
  return library.verify(id);
}

/** The same under one name. */
export const models = {
  list: listModels,
  preview: previewModel,
  add: addModel,
  remove: removeModel,
  verify: verifyModels,
};

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
