import { copyFile, mkdir, realpath, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import {
  RestorationError,
  TASKS,
  type DegradeResult,
  type DegradedFrame,
  type Degradation,
  type DegradationWishes,
  type Task,
} from '../protocol';
import { decodePicture } from '../restoration/image/decode';
import { anySignal } from './restore';
import type { Picture } from './run';
import { displayHost, framesFolder, inferenceClient } from './session';

/** Parameters of the degradation stand beside the options: absent ones are drawn from the seed. */
export interface DegradeOptions extends DegradationWishes {
  task: Task;
  /** From 0 (the picture itself) to 1 (fully degraded); 1 unless said otherwise. */
  severity?: number;
  /** Whole number; 0 unless said otherwise. The same picture, task, parameters and seed give the same pixels. */
  seed?: number;
  /** All parameters, from an earlier result or from a data set, instead of drawing any. */
  degradation?: Degradation;
  /** Path of the dark photograph of a real pair, low-light only: severities between the two. */
  pair?: string;
  /** super-resolution: leave the picture at its low resolution (`scale ** severity` times smaller), as input of `restore`. */
  small?: boolean;
  signal?: AbortSignal;
}

/** A degraded picture. */
export class DegradedPicture {
  /** @internal */
  constructor(
    private readonly frame: DegradedFrame,
    private readonly folder: string,
    private readonly result: DegradeResult,
    private readonly source: string,
  ) {}

  /** 1 = fully degraded, 0 = the picture itself. */
  get severity(): number {
    return this.frame.severity;
  }

  get width(): number {
    return this.frame.width;
  }

  get height(): number {
    return this.frame.height;
  }

  /** Path of the picture as a PNG. */
  get file(): string {
    return path.join(this.folder, this.frame.file);
  }

  /** Everything that was drawn, as JSON: with it `degrade` gives the same pixels again, and so does the Python recipe. */
  get degradation(): Degradation {
    return this.result.degradation;
  }

  /** The picture that was degraded. */
  get input(): DegradeResult['input'] {
    return this.result.input;
  }

  /** What the decoder changed, in plain sentences. */
  get notes(): readonly string[] {
    return this.result.notes;
  }

  /** The pixels, decoded when asked for. */
  get image(): Promise<Picture> {
    return decodePicture(this.file).then(({ pixels }) => pixels);
  }

  /**
   * Copies the picture to a file of its own; one that is there is replaced, but never the picture that was degraded.
   *
   * @param file path ending in .png
   * @throws RestorationError `bad-argument` or `unwritable`
   */
  async save(file: string): Promise<string> {
    const target = path.resolve(file);
    if (path.extname(target).toLowerCase() !== '.png') {
      throw new RestorationError(
        'bad-argument',
        `${file} does not end in .png.`,
        'Degraded pictures are saved as PNG.',
      );
    }
    if (await isSameFile(target, this.source)) {
      throw new RestorationError('bad-argument', `${file} is the picture itself.`, 'Save it somewhere else.');
    }
    const temporary = path.join(
      path.dirname(target),
      `.${path.basename(target)}.${randomBytes(6).toString('hex')}.part`,
    );
    try {
      await mkdir(path.dirname(target), { recursive: true });
      await copyFile(this.file, temporary);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      throw new RestorationError(
        'unwritable',
        `${target} could not be written (${code}).`,
        'Choose a folder that can be written to.',
        { cause: error },
      );
    }
    return target;
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const real = (file: string): Promise<string> => realpath(file).catch(() => path.resolve(file));
  return (await real(a)) === (await real(b));
}

/**
 * Degrades a picture as the model's training data is degraded: resolution, exposure time or exposure level, at any severity.
 *
 * @param picture path of the clean picture
 * @returns the degraded picture, of the same size (with `small`, of the low resolution)
 * @throws RestorationError in one sentence with a remedy
 * @example
 * const dark = await degrade('cat.png', { task: 'low-light', severity: 0.5, seed: 3 });
 * await dark.save('cat-dark.png');
 */
export async function degrade(picture: string, options: DegradeOptions): Promise<DegradedPicture> {
  const [degraded] = await degradePath(picture, [options?.severity ?? 1], options);
  return degraded as DegradedPicture;
}

/**
 * The same at several severities: one degradation, whose noise is drawn once, so that the pictures form a clip.
 *
 * @param severities each from 0 to 1, in any order
 * @example const path = await degradePath('cat.png', [1, 0.75, 0.5, 0.25, 0], { task: 'deblurring', seed: 1 });
 */
export async function degradePath(
  picture: string,
  severities: readonly number[],
  options: Omit<DegradeOptions, 'severity'>,
): Promise<DegradedPicture[]> {
  if (typeof picture !== 'string' || picture === '') {
    throw new RestorationError(
      'bad-argument',
      'degrade needs the path of a picture.',
      "Call degrade('photo.jpg', { task: 'low-light' }).",
    );
  }
  if (options?.task === undefined) {
    throw new RestorationError('bad-argument', 'degrade needs a task.', `Give task: one of ${TASKS.join(', ')}.`);
  }
  const { task, seed, degradation, pair, small, signal: given, ...rest } = options;
  const wishes: DegradationWishes & { severity?: number } = rest;
  delete wishes.severity;
  const folder = framesFolder();
  const signal = anySignal([given, displayHost()?.signal]);
  const input = path.resolve(picture);
  const result = await inferenceClient().degrade(
    {
      input,
      ...(pair === undefined ? {} : { partner: path.resolve(pair) }),
      task,
      severities: [...severities],
      seed: seed ?? 0,
      wishes,
      ...(degradation === undefined ? {} : { degradation }),
      form: small ? 'small' : 'full',
      framesFolder: folder,
      priority: 'interactive',
    },
    signal ? { signal } : {},
  );
  return result.frames.map((frame) => new DegradedPicture(frame, folder, result, input));
}
