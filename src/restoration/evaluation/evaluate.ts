import { RestorationError, type ErrorCode } from '../../protocol';
import type { Pair } from './pairs';
import {
  composeReport,
  type EvaluatedItem,
  type EvaluationReport,
  type EvaluationSubject,
  type ItemResult,
} from './report';

/** Failures that the next picture would meet as well: they end the evaluation. */
const HOPELESS: readonly ErrorCode[] = ['cancelled', 'unknown-model', 'bad-model', 'bad-adapter', 'device-unavailable'];

export interface EvaluationOptions extends EvaluationSubject {
  /** Restores `pair.input` and measures every frame against `pair.reference`. */
  restoreAndMeasure: (pair: Pair, signal: AbortSignal) => Promise<ItemResult>;
  /** Most pictures to take, from the beginning; all when left out. A whole number of at least 1. */
  limit?: number;
  /** Results of an earlier evaluation by name: these pictures are not measured again. */
  known?: ReadonlyMap<string, ItemResult>;
  /** Called with every new result or failure before the next picture is begun: where rows are kept. */
  onRow?: (pair: Pair, row: { result: ItemResult } | { error: string }) => Promise<void>;
  signal: AbortSignal;
  /** Seconds on a clock that never goes back; only differences are used. */
  now?: () => number;
}

/** One picture is done. */
export interface EvaluationProgress {
  name: string;
  done: number;
  total: number;
  /** Estimate from the pictures so far. */
  secondsLeft: number;
  /** Why this picture was not measured. */
  error?: string;
  /** The report of what is measured up to here. */
  report: () => EvaluationReport;
}

/**
 * Takes pictures through restoration and measurement, one after the other. A picture that fails is listed and the next
 * one is taken; yields after every picture and returns the report.
 *
 * @throws RestorationError `cancelled` when `signal` aborts, and at once for a model or a device that cannot work
 */
export async function* evaluate(
  pairs: readonly Pair[],
  options: EvaluationOptions,
): AsyncGenerator<EvaluationProgress, EvaluationReport, void> {
  const { restoreAndMeasure, limit, known, onRow, signal, now = () => performance.now() / 1000 } = options;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
    throw new RestorationError(
      'bad-argument',
      `The limit must be a whole number of at least 1, but ${limit} came.`,
      'Leave it out to take all pictures.',
    );
  }
  const taken = pairs.slice(0, limit);
  const items: EvaluatedItem[] = [];
  const failures: EvaluationReport['failures'] = [];
  const report = (): EvaluationReport => composeReport(options, [...items], [...failures]);
  const start = now();
  const toMeasure = known ? taken.filter(({ name }) => !known.has(name)).length : taken.length;
  let measured = 0;
  for (const [i, pair] of taken.entries()) {
    throwIfAborted(signal);
    const before = known?.get(pair.name);
    if (before) {
      items.push({ name: pair.name, result: before });
      continue;
    }
    let error: string | undefined;
    let result: ItemResult | undefined;
    try {
      result = await restoreAndMeasure(pair, signal);
      items.push({ name: pair.name, result });
    } catch (thrown) {
      throwIfAborted(signal);
      const failure = RestorationError.from(thrown);
      if (HOPELESS.includes(failure.code)) throw failure;
      error = failure.message;
      failures.push({ name: pair.name, error });
    }
    await onRow?.(pair, result ? { result } : { error: error ?? '' });
    measured++;
    const done = i + 1;
    const secondsLeft = ((now() - start) / measured) * (toMeasure - measured);
    yield {
      name: pair.name,
      done,
      total: taken.length,
      secondsLeft,
      ...(error === undefined ? {} : { error }),
      report,
    };
  }
  return report();
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new RestorationError('cancelled', 'The evaluation was cancelled.', 'Start it again to measure all pictures.');
}
