import { RestorationError, type DegradationGuess } from '../protocol';
import { detect } from '../api/look';
import { allowOnly, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `detect IMAGE...`: what seems to be wrong with each picture; one that cannot be read does not stop the others. */
export async function detectCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'detect', []);
  const images = call.words;
  if (images.length === 0) {
    throw new RestorationError('bad-argument', 'detect needs a picture.', 'Name one or several.');
  }
  const found: ({ file: string } & DegradationGuess)[] = [];
  let failed: RestorationError | undefined;
  for (const file of images) {
    try {
      const guess = await detect(file, { signal });
      found.push({ file, ...guess });
      terminal.text(`${file}\n  ${guess.task}, ${percent(guess.confidence)} sure\n  ${guess.evidence.join('\n  ')}\n`);
    } catch (error) {
      const failure = RestorationError.from(error);
      if (failure.code === 'cancelled' || images.length === 1) throw failure;
      terminal.note(`${file}: ${failure.message}`);
      failed ??= failure;
    }
  }
  terminal.json(found);
  if (failed) {
    throw new RestorationError(failed.code, `${images.length - found.length} of ${images.length} pictures failed.`, '');
  }
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
