import { RestorationError } from '../protocol';
import { allowOnly, type Call } from './arguments';
import { runNotebookCommand } from './notebook-run';
import type { Terminal } from './terminal';

/** `notebook run FILE.ipynb [--out FILE]`. */
export async function notebookCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'notebook', ['out']);
  const [verb, file, ...more] = call.words;
  if (verb !== 'run' || file === undefined || more.length > 0) {
    throw new RestorationError('bad-argument', 'The call is: notebook run FILE.ipynb [--out FILE].', '');
  }
  const result = await runNotebookCommand({
    file,
    ...(call.out === undefined ? {} : { out: call.out }),
    json: call.json,
    signal,
    onProgress: (done, total, text) => terminal.progress(text, done, total),
  });
  terminal.json(result);
  terminal.text(`Saved with its outputs: ${result.out}`);
}
