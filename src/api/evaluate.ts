import path from 'node:path';
import { RestorationError, protocolOf } from '../protocol';
import {
  evaluate as evaluatePairs,
  findPairs,
  type EvaluationProgress,
  type EvaluationReport,
} from '../restoration/evaluation';
import { anySignal, restoreRequest, DEFAULT_MODEL, type RestoreOptions } from './restore';
import { displayHost, inferenceClient } from './session';

export interface EvaluateOptions extends Omit<RestoreOptions, 'reference' | 'region' | 'onProgress'> {
  /** Most pictures to take, in the order of their names; all unless said otherwise. */
  limit?: number;
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
 *   a picture that fails is listed in `failures` instead
 * @example
 * const report = await evaluate('Set5', { task: 'super-resolution' });
 * report.frames[8].psnr; // mean of the last frame in dB
 */
export async function evaluate(folder: string, options: EvaluateOptions): Promise<EvaluationReport> {
  const protocol = options?.protocol ?? (options?.task === undefined ? 'rgb' : protocolOf(options.task));
  const { onProgress, limit, signal: given, ...rest } = options;
  const signal = anySignal([given, displayHost()?.signal]) ?? new AbortController().signal;
  const { pairs } = await findPairs(path.resolve(folder));
  const client = inferenceClient();
  const progress = evaluatePairs(pairs, {
    task: options.task,
    protocol,
    prompts: options.prompt ?? 'uniform',
    model: options.model ?? DEFAULT_MODEL,
    device: options.device ?? 'auto',
    ...(limit === undefined ? {} : { limit }),
    signal,
    restoreAndMeasure: async (pair, itemSignal) => {
      const request = restoreRequest(pair.input, { ...rest, protocol, reference: pair.reference }, undefined);
      const { record } = await client.restore({ ...request, priority: 'batch' }, { signal: itemSignal });
      return {
        frames: record.frames,
        seconds: record.seconds.total,
        model: record.model,
        device: record.device,
        ...(record.peakMemoryMiB === undefined ? {} : { peakMemoryMiB: record.peakMemoryMiB }),
      };
    },
  });
  for (;;) {
    const next = await progress.next();
    if (next.done) {
      if (next.value.count === 0 && next.value.failures.length > 0) {
        const [first] = next.value.failures;
        throw new RestorationError(
          'unreadable-picture',
          `All ${next.value.failures.length} pictures failed; the first, ${first?.name}: ${first?.error}`,
          '',
        );
      }
      return next.value;
    }
    onProgress?.(next.value);
  }
}
