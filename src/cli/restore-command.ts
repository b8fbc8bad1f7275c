import path from 'node:path';
import { RestorationError, type RunRecord } from '../protocol';
import { restore } from '../api/restore';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

const LABELS = { queued: 'waiting', decode: 'reading', network: 'restoring', metrics: 'measuring', encode: 'writing' };

/** `restore IMAGE... --task T --out DIR`: pictures one after the other; a failing one does not stop the others. */
export async function restoreCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'restore', ['task', 'prompt', 'reference', 'frames', 'scale', 'model', 'device', 'protocol', 'out']);
  const images = call.words;
  if (images.length === 0)
    throw new RestorationError('bad-argument', 'restore needs a picture.', 'Name a PNG or JPEG.');
  const out = required(call.out, '--out');
  if (call.reference !== undefined && images.length > 1) {
    throw new RestorationError(
      'bad-argument',
      'One --reference cannot belong to several pictures.',
      'Restore them one by one, or use evaluate.',
    );
  }
  refuseEqualNames(images);
  const records: RunRecord[] = [];
  let failed: RestorationError | undefined;
  for (const [i, image] of images.entries()) {
    const label = images.length > 1 ? `${path.basename(image)} (${i + 1}/${images.length})` : path.basename(image);
    try {
      const run = await restore(image, {
        ...(call.task === undefined ? {} : { task: call.task }),
        prompt: call.prompt,
        reference: call.reference,
        frames: call.frames,
        scale: call.scale,
        model: call.model,
        device: call.device,
        protocol: call.protocol,
        signal,
        onProgress: ({ stage, done, total, secondsLeft }) =>
          terminal.progress(`${LABELS[stage]} ${label}`, done, total, secondsLeft),
      });
      const saved = await run.save(out);
      const frames = run.record.frames.map((frame, k) => ({
        ...frame,
        file: path.basename(saved.frames[k] as string),
      }));
      records.push({ ...run.record, frames });
      terminal.text(`${run.toString()}\n\nFrames, strip and record: ${saved.record.replace(/run\.json$/, '*')}\n`);
      for (const warning of run.record.warnings ?? []) terminal.note(warning);
    } catch (error) {
      const failure = RestorationError.from(error);
      if (failure.code === 'cancelled') throw failure;
      // With one picture, or a call that is wrong for all, there is nothing to go on with.
      if (images.length === 1 || failure.code === 'bad-argument' || failure.code === 'unknown-model') throw failure;
      terminal.note(`${image}: ${failure.message}`);
      failed ??= failure;
    }
  }
  terminal.json(records);
  if (failed) {
    throw new RestorationError(
      failed.code,
      `${images.length - records.length} of ${images.length} pictures failed.`,
      '',
    );
  }
}

/** `a/x.png` and `b/x.jpg` would write the same files. */
function refuseEqualNames(images: string[]): void {
  const seen = new Map<string, string>();
  for (const image of images) {
    const { name } = path.parse(image);
    const before = seen.get(name);
    if (before !== undefined) {
      throw new RestorationError(
        'bad-argument',
        `${before} and ${image} have the same base name, so their results would overwrite each other.`,
        'Restore them into different folders.',
      );
    }
    seen.set(name, image);
  }
}
