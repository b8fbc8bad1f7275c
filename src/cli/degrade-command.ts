import path from 'node:path';
import { RestorationError, type Degradation } from '../protocol';
import { degradePath } from '../api/degrade';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

/** One entry of what `degrade --json` prints. */
interface Degraded {
  input: { file: string; sha256: string; width: number; height: number };
  task: Degradation['task'];
  severity: number;
  seed: number;
  /** Name in the output folder. */
  file: string;
  width: number;
  height: number;
  degradation: Degradation;
}

/** `degrade IMAGE... --task T --out DIR`: pictures one after the other; a failing one does not stop the others. */
export async function degradeCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'degrade', ['task', 'severity', 'seed', 'scale', 'small', 'parameters', 'out']);
  const images = call.words;
  if (images.length === 0)
    throw new RestorationError('bad-argument', 'degrade needs a picture.', 'Name a PNG or JPEG.');
  const task = required(call.task, '--task');
  const out = required(call.out, '--out');
  const severities = call.severities ?? [1];
  const seed = call.seed ?? 0;
  const targets = targetsOf(images, severities, out);
  const results: Degraded[] = [];
  let failed: RestorationError | undefined;
  for (const [i, image] of images.entries()) {
    terminal.progress(`degrading ${path.basename(image)}`, i, images.length);
    try {
      const pictures = await degradePath(image, severities, {
        ...call.parameters,
        task,
        seed,
        ...(call.scale === undefined ? {} : { scale: call.scale }),
        small: call.small,
        signal,
      });
      for (const [k, picture] of pictures.entries()) {
        const file = await picture.save(targets[i]![k]!);
        const { input, width, height, degradation, severity } = picture;
        results.push({ input, task, severity, seed, file: path.basename(file), width, height, degradation });
        terminal.text(`${image}, ${task}, severity ${severity}: ${file}`);
      }
      for (const note of pictures[0]?.notes ?? []) terminal.note(note);
    } catch (error) {
      const failure = RestorationError.from(error);
      // With one picture, or a call that is wrong for all, there is nothing to go on with.
      if (images.length === 1 || failure.code === 'cancelled' || failure.code === 'bad-argument') throw failure;
      terminal.note(`${image}: ${failure.message}`);
      failed ??= failure;
    }
  }
  terminal.json(results);
  if (failed) {
    const count = images.length - results.length / severities.length;
    throw new RestorationError(failed.code, `${count} of ${images.length} pictures failed.`, '');
  }
}

/** Where each picture goes; two of one name, or one that would replace a picture of the call, are refused before any work. */
function targetsOf(images: readonly string[], severities: readonly number[], out: string): string[][] {
  const inputs = new Set(images.map((image) => path.resolve(image)));
  const taken = new Set<string>();
  return images.map((image) =>
    severities.map((severity) => {
      const { name } = path.parse(image);
      const suffix = severities.length > 1 ? `.severity-${severity}` : '';
      const target = path.resolve(out, `${name}${suffix}.png`);
      if (inputs.has(target)) {
        throw new RestorationError('bad-argument', `${target} is a picture of this call.`, 'Choose another folder.');
      }
      if (taken.has(target)) {
        throw new RestorationError(
          'bad-argument',
          `Two results of this call would be written to ${target}.`,
          'Degrade pictures of one name into different folders, and name every severity once.',
        );
      }
      taken.add(target);
      return target;
    }),
  );
}
