import { createHash } from 'node:crypto';
import path from 'node:path';
import { METRICS, RestorationError, TASKS, protocolOf, type Task } from '../protocol';
import {
  RowStore,
  evaluate as evaluatePairs,
  findPairs,
  isItemResult,
  type Configuration,
  type EvaluationProgress,
  type EvaluationReport,
  type ItemResult,
  type Pair,
} from '../restoration/evaluation';
import { readCaptions } from '../restoration/degradation/captions';
import { findModel } from '../restoration/models/manifest';
import { loadAdapters } from '../restoration/run/load-adapters';
import { finishEvaluation } from './finish-evaluation';
import { anySignal, restoreRequest, DEFAULT_MODEL, type RestoreOptions } from './restore';
import { displayHost, inferenceClient } from './session';

export interface EvaluateOptions extends Omit<
  RestoreOptions,
  'task' | 'reference' | 'region' | 'quiet' | 'onProgress'
> {
  /** What is wrong with the pictures. */
  task: Task;
  /**
   * A scene prompt for each picture instead of one `prompt` for all: the path of a file with a line
   * `{"file": "a.png", "scene": "A red door."}` a picture, or a function of the pair. Pictures without one get the task's
   * uniform sentence.
   */
  captions?: string | ((pair: { name: string; input: string; reference: string }) => string | undefined);
  /** Most pictures to take, in the order of their names; all unless said otherwise. */
  limit?: number;
  /**
   * Folder for the rows (`rows.jsonl`, one a picture, each on the disk before the next picture is begun) and the finished
   * report (`report.json`). Nothing is written when it is left out.
   */
  out?: string;
  /**
   * Go on with the rows in `out`: pictures that were measured with the same settings and weights are not measured again,
   * unless their files changed; those that failed are tried again.
   */
  resume?: boolean;
  /** Called after every picture. */
  onProgress?: (progress: EvaluationProgress) => void;
}

/**
 * Takes a test set through a model and measures every frame.
 *
 * @param folder holds `input/` and `reference/` with the same base names, any extension
 * @returns means of the pictures for each frame, shares of monotone curves, every picture's figures, and what failed; the
 *   fields are those of `evaluate --json`
 * @throws RestorationError when the folder is not a test set, when model or device cannot work, or when cancelled;
 *   a picture that fails is listed in `failures` instead. With `out`: when rows are there and `resume` is not set, or when
 *   they were measured with other settings
 * @example
 * const report = await evaluate('Set5', { task: 'super-resolution' });
 * report.frames[8].psnr; // mean of the last frame in dB
 */
export async function evaluate(folder: string, options: EvaluateOptions): Promise<EvaluationReport> {
  if (options?.task === undefined) {
    throw new RestorationError('bad-argument', 'evaluate needs a task.', `Give task: one of ${TASKS.join(', ')}.`);
  }
  const protocol = options.protocol ?? protocolOf(options.task);
  const { onProgress, limit, signal: given, out, resume, captions, ...rest } = options;
  const signal = anySignal([given, displayHost()?.signal]) ?? new AbortController().signal;
  const { pairs } = await findPairs(path.resolve(folder));
  const client = inferenceClient();
  const sceneOf = await scenesOf(captions, options.prompt);
  const requestOf = (pair: Pair) => ({
    ...restoreRequest(
      pair.input,
      { ...rest, ...sceneOf(pair), protocol, metrics: rest.metrics ?? [...METRICS], reference: pair.reference },
      undefined,
    ),
    priority: 'batch' as const,
  });
  const store = await openRows(out, resume, async () => ({
    ...(await configurationOf(requestOf(pairs[0]!))),
    ...(captions === undefined ? {} : { prompt: hashOf(pairs.map((pair) => [pair.name, sceneOf(pair).prompt])) }),
  }));
  try {
    const known = store && (await knownResults(store, pairs));
    const progress = evaluatePairs(pairs, {
      task: options.task,
      protocol,
      prompts: captions === undefined ? (options.prompt ?? 'uniform') : 'captions',
      model: options.model ?? DEFAULT_MODEL,
      device: options.device ?? 'auto',
      ...(limit === undefined ? {} : { limit }),
      ...(known ? { known } : {}),
      ...(store ? { onRow: (pair, row) => store.add(pair.name, filesOf(pair), row) } : {}),
      signal,
      restoreAndMeasure: async (pair, itemSignal) => {
        const { record } = await client.restore(requestOf(pair), { signal: itemSignal });
        return {
          frames: record.frames,
          seconds: record.seconds.total,
          model: record.model,
          device: record.device,
          ...(record.peakMemoryMiB === undefined ? {} : { peakMemoryMiB: record.peakMemoryMiB }),
        };
      },
    });
    return await finishEvaluation(progress, store, onProgress, ({ failures, count }) => ({
      failures,
      measured: count > 0,
    }));
  } finally {
    await store?.close();
  }
}

function filesOf({ input, reference }: Pair): string[] {
  return [input, reference];
}

async function knownResults(store: RowStore<ItemResult>, pairs: readonly Pair[]): Promise<Map<string, ItemResult>> {
  const known = new Map<string, ItemResult>();
  for (const pair of pairs) {
    const result = await store.known(pair.name, filesOf(pair));
    if (result) known.set(pair.name, result);
  }
  return known;
}

/** Opens the rows of an output folder; undefined where nothing is to be written. */
async function openRows(
  out: string | undefined,
  resume: boolean | undefined,
  configuration: () => Promise<Configuration>,
): Promise<RowStore<ItemResult> | undefined> {
  if (out === undefined) {
    if (resume) throw resumeWithoutFolder();
    return undefined;
  }
  return RowStore.open({
    folder: path.resolve(out),
    configuration: await configuration(),
    resume: resume === true,
    isResult: isItemResult,
  });
}

/** @internal */
export function resumeWithoutFolder(): RestorationError {
  return new RestorationError(
    'bad-argument',
    'There is nothing to resume without an output folder.',
    'Name the folder that holds the rows: --out DIR (out).',
  );
}

/** The prompt of each picture, where each has its own. */
async function scenesOf(
  captions: EvaluateOptions['captions'],
  prompt: string | undefined,
): Promise<(pair: Pair) => { prompt?: string }> {
  if (captions === undefined) return () => ({});
  if (prompt !== undefined) {
    throw new RestorationError(
      'bad-argument',
      'Both one prompt for all pictures and captions came.',
      'Leave out either prompt or captions.',
    );
  }
  if (typeof captions !== 'string' && typeof captions !== 'function') {
    throw new RestorationError(
      'bad-argument',
      `Captions cannot be a ${typeof captions}.`,
      'Give the path of a file, or a function.',
    );
  }
  const list = typeof captions === 'string' ? await readCaptions(path.resolve(captions)) : undefined;
  return (pair) => {
    const scene = typeof captions === 'function' ? captions(pair) : (list?.of(pair.reference) ?? list?.of(pair.input));
    return scene === undefined ? {} : { prompt: scene };
  };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Every setting that changes a row, and the weights by their hash. */
async function configurationOf(request: ReturnType<typeof restoreRequest>): Promise<Configuration> {
  const settings = Object.entries(request).filter(
    ([name]) => !['input', 'reference', 'framesFolder', 'priority', 'model', 'adapters'].includes(name),
  );
  const installed = await findModel(request.model);
  const adapters = await loadAdapters(installed, request.adapters ?? []);
  return {
    kind: 'evaluate',
    ...Object.fromEntries(
      settings.map(([name, value]) => [
        name,
        ['string', 'number', 'boolean'].includes(typeof value) ? (value as string) : JSON.stringify(value ?? null),
      ]),
    ),
    model: installed.manifest.id,
    weights: installed.sha256,
    ...(adapters.length > 0
      ? { adapters: JSON.stringify(adapters.map(({ record: { sha256, scale } }) => [sha256, scale])) }
      : {}),
  };
}
