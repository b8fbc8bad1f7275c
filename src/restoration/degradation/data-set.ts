import { createHash } from 'node:crypto';
import {
  RestorationError,
  TASKS,
  type DegradationWishes,
  type ErrorCode,
  type SampleRequest,
  type SampleResult,
  type Task,
} from '../../protocol';
import { DataSetFolder, type SampleRecord } from './data-set-folder';

/** A clean picture that samples are made of. */
export interface SourcePicture {
  /** Path below its folder, without ending. */
  name: string;
  file: string;
  /** The degraded photograph of a real low-light pair. */
  partner?: string;
}

export interface SamplePrompt {
  text: string;
  source: 'uniform' | 'scene' | 'user';
}

export interface DataSetOptions {
  /** Sorted, so that sample numbers are the same everywhere. */
  pictures: readonly SourcePicture[];
  tasks: readonly Task[];
  out: string;
  frames: number;
  seed: number;
  size: { width: number; height: number };
  /** Samples of each picture for each task. */
  perPicture: number;
  wishes: DegradationWishes;
  clip: boolean;
  /** Pictures to take, from the beginning; all when left out. */
  limit?: number;
  /** What tells one choice of prompts from another, for resuming. */
  promptsId: string;
  promptOf: (picture: SourcePicture, task: Task) => Promise<SamplePrompt> | SamplePrompt;
  /** Makes one sample in the folder that the request names. */
  makeSample: (request: SampleRequest, signal: AbortSignal) => Promise<SampleResult>;
  signal: AbortSignal;
  /** Seconds on a clock that never goes back; only differences are used. */
  now?: () => number;
}

/** One sample lies in the data set. */
export interface DataSetSample extends SampleRecord {
  /** Paths of its frames, the degraded one first. */
  frameFiles: string[];
  clipFile?: string;
  /** It was there before this run. */
  resumed: boolean;
}

/** A picture that no samples were made of. */
export interface DataSetFailure {
  file: string;
  error: string;
}

/** After every sample and every picture that failed. */
export interface DataSetStep {
  /** Samples that are there or failed, of all that are planned. */
  done: number;
  total: number;
  /** Estimate from the samples of this run. */
  secondsLeft?: number;
  sample?: DataSetSample;
  failure?: DataSetFailure;
}

export interface DataSetSummary {
  out: string;
  /** Samples in the data set. */
  count: number;
  /** Those made by this run. */
  made: number;
  failures: DataSetFailure[];
}

/** Changes when the same parameters give other pixels: samples of different versions do not mix. */
const PATHS_VERSION = 1;

/** Failures that lie in a picture: the others end the work. */
const PICTURE_FAILURES: readonly ErrorCode[] = [
  'unreadable-picture',
  'picture-too-large',
  'size-mismatch',
  'missing-file',
  'service-died',
];

/**
 * Makes a progression data set, one sample after the other; nothing but one sample is in memory. Samples that are there are
 * not made again: a run that was killed goes on where it stopped, and what it leaves is, byte for byte, what a run without a
 * break leaves. Pictures that cannot be used are listed and passed over.
 *
 * @throws RestorationError `bad-argument` when `out` holds something else or a data set with other settings, `unwritable`,
 *   `cancelled`
 */
export async function* makeDataSet(options: DataSetOptions): AsyncGenerator<DataSetStep, DataSetSummary, void> {
  const { pictures, perPicture, signal, now = () => performance.now() / 1000 } = options;
  const tasks = TASKS.filter((task) => options.tasks.includes(task));
  const perSource = tasks.length * perPicture;
  const taken = pictures.slice(0, options.limit);
  const total = taken.length * perSource;
  const folder = await DataSetFolder.open(options.out, settingsOf(options, tasks));
  const failures: DataSetFailure[] = [];
  let done = 0;
  let made = 0;
  const start = now();
  for (const [i, picture] of taken.entries()) {
    let failure: DataSetFailure | undefined;
    for (let j = 0; j < perSource; j++) {
      stopIfAborted(signal);
      const number = i * perSource + j;
      done++;
      if (folder.has(number)) {
        yield { done, total, sample: { ...(await folder.read(number)), resumed: true } };
        continue;
      }
      if (failure) continue;
      const task = tasks[Math.floor(j / perPicture)]!;
      try {
        const sample = await makeOne(folder, options, picture, task, number);
        made++;
        const secondsLeft = ((now() - start) / made) * (total - done);
        yield { done, total, secondsLeft, sample: { ...sample, resumed: false } };
      } catch (thrown) {
        stopIfAborted(signal);
        const error = RestorationError.from(thrown);
        if (!PICTURE_FAILURES.includes(error.code)) throw error;
        failure = { file: picture.file, error: error.message };
        failures.push(failure);
        yield { done, total, failure };
      }
    }
  }
  const count = await folder.finish(failures.map(({ file, error }) => ({ file: nameIn(pictures, file), error })));
  return { out: options.out, count, made, failures };
}

type Listed = Omit<DataSetSample, 'resumed'>;

async function makeOne(
  folder: DataSetFolder,
  options: DataSetOptions,
  picture: SourcePicture,
  task: Task,
  number: number,
): Promise<Listed> {
  const { frames, seed, size, wishes, clip, signal } = options;
  const prompt = await options.promptOf(picture, task);
  const text = prompt.text.replace(/\s+/g, ' ').trim();
  if (text === '') {
    throw new RestorationError(
      'bad-argument',
      `The prompt for ${picture.name} is empty.`,
      'Give every picture a text.',
    );
  }
  const staging = await folder.stage(number);
  const request: SampleRequest = {
    input: picture.file,
    ...(picture.partner === undefined ? {} : { partner: picture.partner }),
    task,
    frames,
    seed,
    stream: number,
    size,
    wishes,
    folder: staging,
    clip,
    priority: 'batch',
  };
  try {
    const result = await options.makeSample(request, signal);
    return await folder.commit(number, staging, {
      sample: number,
      task,
      prompt: { text, source: prompt.source },
      seed,
      source: { name: picture.name, ...result.source },
      crop: result.crop,
      degradation: result.degradation,
      severities: result.frames.map(({ severity }) => severity),
    });
  } catch (error) {
    await folder.discard(staging);
    throw error;
  }
}

/** What makes two runs the same data set. The limit is not part of it: a data set may be continued with more pictures. */
function settingsOf(options: DataSetOptions, tasks: readonly Task[]): Record<string, unknown> {
  const names = options.pictures.map(({ name }) => name).join('\n');
  return {
    paths: PATHS_VERSION,
    tasks,
    frames: options.frames,
    seed: options.seed,
    size: options.size,
    perPicture: options.perPicture,
    wishes: options.wishes,
    clip: options.clip ? 'mp4' : 'none',
    pairs: options.pictures.some(({ partner }) => partner !== undefined),
    prompts: options.promptsId,
    pictures: { count: options.pictures.length, sha256: createHash('sha256').update(names).digest('hex') },
  };
}

function nameIn(pictures: readonly SourcePicture[], file: string): string {
  return pictures.find((picture) => picture.file === file)?.name ?? file;
}

function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new RestorationError(
    'cancelled',
    'The data set was cancelled.',
    'Start it again: it goes on where it stopped.',
  );
}
