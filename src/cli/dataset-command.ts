import path from 'node:path';
import { RestorationError } from '../protocol';
import { progression } from '../api/progression';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `dataset DIR --task T|all --out DIR`: prints the summary; failures make exit code 1, like those of `evaluate`. */
export async function datasetCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'dataset', [
    'task',
    'out',
    'frames',
    'seed',
    'size',
    'per-picture',
    'limit',
    'prompts',
    'clip',
    'pairs',
    'parameters',
  ]);
  const [folder, ...more] = call.words;
  if (folder === undefined || more.length > 0) {
    throw new RestorationError('bad-argument', `dataset takes one folder; got ${call.words.length}.`, 'Name one.');
  }
  const out = required(call.out, '--out');
  const set = progression(folder, {
    task: call.allTasks ? 'all' : required(call.task, '--task'),
    out,
    frames: call.frames,
    seed: call.seed,
    size: call.size,
    perPicture: call.perPicture,
    limit: call.limit,
    prompts: call.prompts,
    clip: call.clip,
    pairs: call.pairs,
    parameters: call.parameters,
    signal,
    onProgress: ({ done, total, secondsLeft, sample, failure }) => {
      if (failure) terminal.note(`${failure.file}: ${failure.error}`);
      const label = sample ? path.basename(sample.source.name) : path.basename(failure?.file ?? '');
      terminal.progress(`${done}/${total} ${label}`, done, total, secondsLeft);
    },
  });
  const summary = await set.finish();
  terminal.json(summary);
  const { count, made, failures } = summary;
  const earlier = count - made;
  terminal.text(`${count} samples in ${out}${earlier > 0 ? ` (${earlier} of them from an earlier run)` : ''}`);
  if (failures.length > 0) {
    throw new RestorationError(
      'unreadable-picture',
      failures.length === 1 ? 'One picture could not be used.' : `${failures.length} pictures could not be used.`,
      `See ${path.join(out, 'failures.jsonl')}; the data set holds the others.`,
    );
  }
}
