import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DEFAULT_FRAMES, RestorationError, TASKS, WISHES, type DegradationWishes, type Task } from '../protocol';
import { checkRequest } from '../inference/check-request';
import { readCaptions } from '../restoration/degradation/captions';
import {
  makeDataSet,
  type DataSetFailure,
  type DataSetSample,
  type DataSetStep,
  type DataSetSummary,
  type SamplePrompt,
  type SourcePicture,
} from '../restoration/degradation/data-set';
import { listPictures } from '../restoration/evaluation/list-pictures';
import { findPairs } from '../restoration/evaluation/pairs';
import { findModel } from '../restoration/models/manifest';
import { composePrompt } from '../restoration/prompts/compose';
import { DEFAULT_MODEL, anySignal } from './restore';
import { displayHost, inferenceClient } from './session';

export type { DataSetFailure, DataSetSample, DataSetStep, DataSetSummary, SamplePrompt, SourcePicture };

export interface ProgressionOptions {
  /** A task, several, or 'all' three; each picture gives samples of every task. */
  task: Task | readonly Task[] | 'all';
  /** Folder of the data set: new, empty, or holding an unfinished data set of the same call, which is continued. */
  out: string;
  /** Frames of a sample from degraded to clean; 9 unless said otherwise (CogVideoX takes 4k + 1). */
  frames?: number;
  /** Whole number; 0 unless said otherwise. */
  seed?: number;
  /** Sides of a sample in pixels, multiples of 16; 512 unless said otherwise. */
  size?: number | { width: number; height: number };
  /** Samples of each picture for each task, each another part and degradation; 1 unless said otherwise. */
  perPicture?: number;
  /**
   * `uniform` (one sentence a task), unless said otherwise; `captions` (that sentence and the description of the picture in
   * `captions.jsonl` in the folder), the path of such a file, or a function that gives the whole text. A picture that is not
   * in the file gets the sentence alone.
   */
  prompts?: 'uniform' | 'captions' | (string & {}) | ((picture: SourcePicture, task: Task) => Promise<string> | string);
  /** `mp4` unless said otherwise: the frames also as a clip. */
  clip?: 'mp4' | 'none';
  /** The folder holds real pairs in `input/` (dark) and `reference/` (bright); low-light only. */
  pairs?: boolean;
  /** Most pictures to take, in the order of their names; all unless said otherwise. */
  limit?: number;
  /** Parameters to fix instead of drawing them, for the task they belong to. */
  parameters?: DegradationWishes;
  signal?: AbortSignal;
  /** Called after every sample and every picture that failed. */
  onProgress?: (step: DataSetStep) => void;
}

/** A data set that is made while it is iterated. */
export class Progression implements AsyncIterable<DataSetSample> {
  /** Pictures that could not be used, so far. */
  readonly failures: DataSetFailure[] = [];
  private started = false;
  private result: DataSetSummary | undefined;

  /** @internal */
  constructor(
    private readonly steps: () => AsyncGenerator<DataSetStep, DataSetSummary, void>,
    private readonly onProgress: ((step: DataSetStep) => void) | undefined,
  ) {}

  /** What was made; undefined before the end. */
  get summary(): DataSetSummary | undefined {
    return this.result;
  }

  /** Each sample as soon as it lies in the folder; those of an earlier run come too, marked `resumed`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<DataSetSample, void, void> {
    if (this.started) {
      throw new RestorationError(
        'bad-argument',
        'This data set was already iterated.',
        'Call progression again: it goes on where it stopped.',
      );
    }
    this.started = true;
    const steps = this.steps();
    for (;;) {
      const next = await steps.next();
      if (next.done) {
        this.result = next.value;
        return;
      }
      const { sample, failure } = next.value;
      if (failure) this.failures.push(failure);
      this.onProgress?.(next.value);
      if (sample) yield sample;
    }
  }

  /** Makes all of it. */
  async finish(): Promise<DataSetSummary> {
    const samples = this[Symbol.asyncIterator]();
    while (!(await samples.next()).done);
    return this.result as DataSetSummary;
  }
}

/**
 * Makes a progression data set: clips that walk from a degraded picture to the clean one, with a prompt each, in the layout
 * that diffusers' fine-tuning script for CogVideoX reads (`videos/`, `prompts.txt`, `videos.txt`), with the frames as PNG,
 * `metadata.jsonl` and every parameter. It is reproducible from the seed, never holds more than one sample in memory, and
 * goes on where it stopped when it is called again after a kill. Pictures that cannot be used are listed and passed over.
 *
 * @param folder clean pictures, in folders or not
 * @throws RestorationError while iterating: wrong options, a folder without pictures, `out` that holds something else
 * @example
 * for await (const sample of progression('photos', { task: 'all', out: 'set', seed: 1 })) console.log(sample.prompt.text);
 * @example
 * await progression('photos', { task: 'deblurring', out: 'set' }).finish(); // in a notebook
 */
export function progression(folder: string, options: ProgressionOptions): Progression {
  return new Progression(() => steps(folder, options), options?.onProgress);
}

async function* steps(folder: string, options: ProgressionOptions): AsyncGenerator<DataSetStep, DataSetSummary, void> {
  const {
    out,
    frames = DEFAULT_FRAMES,
    seed = 0,
    size = 512,
    perPicture = 1,
    limit,
    parameters = {},
  } = checked(folder, options);
  const tasks = tasksOf(options);
  const sides = typeof size === 'number' ? { width: size, height: size } : size;
  const target = path.resolve(out);
  const source = path.resolve(folder);
  const clip = (options.clip ?? 'mp4') === 'mp4';
  const wishesOf = wishesByTask(parameters, tasks);
  // What every request will carry is checked before anything is written.
  for (const task of tasks) {
    const wishes = wishesOf(task);
    const request = { input: source, task, frames, seed, stream: 0, size: sides, wishes, folder: target, clip };
    checkRequest('sample', { ...request, priority: 'batch' });
  }
  const pictures = await picturesOf(source, options, tasks);
  const { promptsId, promptOf } = await promptsOf(source, options);
  const client = inferenceClient();
  const signal = anySignal([options.signal, displayHost()?.signal]) ?? new AbortController().signal;
  return yield* makeDataSet({
    pictures,
    tasks,
    out: target,
    frames,
    seed,
    size: { width: sides.width, height: sides.height },
    perPicture,
    wishes: parameters,
    clip,
    ...(limit === undefined ? {} : { limit }),
    promptsId,
    promptOf,
    makeSample: (request, abort) => client.sample({ ...request, wishes: wishesOf(request.task) }, { signal: abort }),
    signal,
  });
}

function wrong(problem: string, remedy: string): RestorationError {
  return new RestorationError('bad-argument', problem, remedy);
}

function checked(folder: string, options: ProgressionOptions): ProgressionOptions {
  if (typeof folder !== 'string' || folder === '') {
    throw wrong('progression needs a folder of pictures.', "Call progression('photos', { task: 'all', out: 'set' }).");
  }
  if (typeof options?.out !== 'string' || options.out === '') {
    throw wrong('progression needs a folder to write into.', "Give out: 'set'.");
  }
  for (const [name, value] of [
    ['perPicture', options.perPicture],
    ['limit', options.limit],
  ] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1)) {
      throw wrong(
        `${name} has to be a whole number above 0, not ${String(value)}.`,
        'Leave it out for the usual number.',
      );
    }
  }
  if (options.clip !== undefined && !['mp4', 'none'].includes(options.clip)) {
    throw wrong(`A clip cannot be ${JSON.stringify(options.clip)}.`, 'Choose mp4 or none.');
  }
  const inside = path.relative(path.resolve(folder), path.resolve(options.out));
  if (inside === '' || !(inside.startsWith('..') || path.isAbsolute(inside))) {
    throw wrong(
      `The data set cannot be written into ${folder}: its frames would be taken for pictures.`,
      'Choose a folder beside it.',
    );
  }
  return options;
}

function tasksOf({ task }: ProgressionOptions): readonly Task[] {
  const tasks: unknown = task === 'all' ? TASKS : typeof task === 'string' ? [task] : task;
  const list: readonly unknown[] = Array.isArray(tasks) ? tasks : [];
  const valid = list.length > 0;
  const unknown = valid ? list.find((one) => !(TASKS as readonly unknown[]).includes(one)) : task;
  if (valid && unknown === undefined) return list as readonly Task[];
  throw wrong(`There is no task ${JSON.stringify(unknown) ?? 'undefined'}.`, `Choose ${TASKS.join(', ')} or all.`);
}

/** Parameters that belong to a task; a name that belongs to none is left in, for the check to refuse. */
function wishesByTask(parameters: DegradationWishes, tasks: readonly Task[]): (task: Task) => DegradationWishes {
  const entries = Object.entries(parameters);
  return (task) =>
    Object.fromEntries(
      entries.filter(([name]) => {
        const owner = ownerOf(name);
        return owner === undefined || owner === task || !tasks.includes(owner);
      }),
    );
}

function ownerOf(name: string): Task | undefined {
  return Object.hasOwn(WISHES, name) ? WISHES[name as keyof DegradationWishes].task : undefined;
}

async function picturesOf(
  folder: string,
  { pairs }: ProgressionOptions,
  tasks: readonly Task[],
): Promise<SourcePicture[]> {
  if (!pairs) return listPictures(folder);
  if (tasks.some((task) => task !== 'low-light')) {
    throw wrong(
      'The path between real pairs is defined for low-light only.',
      "Give task: 'low-light', or leave pairs out.",
    );
  }
  const found = await findPairs(folder);
  return found.pairs.map(({ name, input, reference }) => ({ name, file: reference, partner: input }));
}

interface Prompts {
  promptsId: string;
  promptOf: (picture: SourcePicture, task: Task) => Promise<SamplePrompt> | SamplePrompt;
}

async function promptsOf(folder: string, { prompts = 'uniform' }: ProgressionOptions): Promise<Prompts> {
  if (typeof prompts === 'function') {
    return {
      promptsId: 'function',
      promptOf: async (picture, task) => ({ text: await prompts(picture, task), source: 'user' }),
    };
  }
  if (typeof prompts !== 'string' || prompts === '') {
    throw wrong(`Prompts cannot be ${JSON.stringify(prompts)}.`, "Choose 'uniform', 'captions', a file or a function.");
  }
  const uniform = await uniformSentences();
  if (prompts === 'uniform') {
    return { promptsId: 'uniform', promptOf: (_, task) => ({ text: uniform[task], source: 'uniform' }) };
  }
  const list = prompts === 'captions' ? path.join(folder, 'captions.jsonl') : path.resolve(prompts);
  const captions = await readCaptions(list);
  return {
    promptsId: `captions ${await hashOf(list)}`,
    promptOf: ({ file }, task) => {
      const scene = captions.of(file);
      const { text, source } = composePrompt(uniform[task], scene);
      return { text, source: source === 'uniform' ? 'uniform' : 'scene' };
    },
  };
}

/** The sentences that the model which ships was trained with. */
async function uniformSentences(): Promise<Record<Task, string>> {
  const { manifest } = await findModel(DEFAULT_MODEL);
  if (manifest.kind === 'trajectory') return manifest.uniformPrompts;
  throw new RestorationError(
    'bad-model',
    `The model "${DEFAULT_MODEL}" has no uniform prompts.`,
    'Install the package again.',
  );
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
