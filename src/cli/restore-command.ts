import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { PICTURE_EXTENSIONS, RestorationError, formatOfName, type RunRecord } from '../protocol';
import { restore } from '../api/restore';
import { savedRecord } from '../api/run';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

const LABELS = { queued: 'waiting', decode: 'reading', network: 'restoring', metrics: 'measuring', encode: 'writing' };

/** `restore IMAGE... --task T --out DIR`: pictures one after the other; a failing one does not stop the others. */
export async function restoreCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'restore', [
    'task',
    'prompt',
    'describe',
    'reference',
    'frames',
    'severity',
    'scale',
    'model',
    'adapter',
    'device',
    'precision',
    'steps',
    'seed',
    'scheduler',
    'guidance',
    'guidance-kind',
    'noise',
    'previews',
    'protocol',
    'metrics',
    'out',
    'save',
    'format',
    'depth',
    'quality',
  ]);
  const images = call.words;
  if (images.length === 0)
    throw new RestorationError('bad-argument', 'restore needs a picture.', 'Name a PNG, JPEG, WebP, AVIF or TIFF.');
  const out = call.out;
  if (out === undefined) required(call.save, '--out or --save');
  const target = await saveTarget(call);
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
        ...(call.describe === undefined ? {} : { describe: true as const }),
        reference: call.reference,
        frames: call.frames,
        severities: call.severities,
        scale: call.scale,
        model: call.model,
        ...(call.adapters.length > 0 ? { adapter: call.adapters } : {}),
        device: call.device,
        precision: call.precision,
        ...(call.diffusion === undefined ? {} : { diffusion: call.diffusion }),
        protocol: call.protocol,
        metrics: call.metrics,
        signal,
        onProgress: ({ stage, done, total, secondsLeft }) =>
          terminal.progress(`${LABELS[stage]} ${label}`, done, total, secondsLeft),
      });
      const written = [];
      if (target !== undefined) {
        const result = await run.saveAs(target, {
          ...(call.format === undefined ? {} : { format: call.format }),
          ...(call.depth === undefined ? {} : { depth: call.depth }),
          ...(call.quality === undefined ? {} : { quality: call.quality }),
          signal,
        });
        for (const note of result.notes) terminal.note(note);
        written.push(`Result: ${result.file}`);
      }
      let { record } = run;
      if (out !== undefined) {
        const saved = await run.save(out);
        record = savedRecord(record, saved);
        written.push(`Frames, strip and record: ${saved.record.replace(/run\.json$/, '*')}`);
      }
      records.push(record);
      const { taskSource, taskConfidence, task } = run.record;
      if (taskSource === 'detected' && taskConfidence !== undefined) {
        terminal.note(`No task was given: ${task} was detected, ${Math.round(taskConfidence * 100)} % sure.`);
      }
      terminal.text(`${run.toString()}\n\n${written.join('\n')}\n`);
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

/** Where results go; a folder for several is made. A name that says nothing is refused before the work. */
async function saveTarget({ save, format, depth, quality, words }: Call): Promise<string | undefined> {
  if (save === undefined) {
    if ((format ?? depth ?? quality) === undefined) return undefined;
    throw new RestorationError(
      'bad-argument',
      '--format, --depth and --quality belong to --save.',
      'Give --save FILE.',
    );
  }
  if (words.length > 1 || /[/\\]$/.test(save)) {
    await mkdir(save, { recursive: true }).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      throw new RestorationError(
        'unwritable',
        `The folder ${save} could not be made (${code ?? 'unknown error'}).`,
        'Name a folder for --save.',
      );
    });
    return save;
  }
  const folder = await stat(save).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!folder && format === undefined && formatOfName(save) === undefined) {
    throw new RestorationError(
      'bad-argument',
      `The name ${path.basename(save)} does not say what format to save.`,
      `Give --format, or an ending of ${Object.values(PICTURE_EXTENSIONS).flat().join(', ')}.`,
    );
  }
  return save;
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
