import { RestorationError } from '../protocol';
import { allowOnly, type Call } from './arguments';
import { runNotebookCommand } from './notebook-run';
import type { Terminal } from './terminal';

/** `notebook run FILE.ipynb [--out FILE] [--allow-errors]`. */
export async function notebookCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'notebook', ['out', 'allow-errors']);
  const [verb, file, ...more] = call.words;
  if (verb !== 'run' || file === undefined || more.length > 0) {
    throw new RestorationError(
      'bad-argument',
      'The call is: notebook run FILE.ipynb [--out FILE] [--allow-errors].',
      '',
    );
  }
  const result = await runNotebookCommand({
    file,
    ...(call.out === undefined ? {} : { out: call.out }),
    allowErrors: call.allowErrors,
    json: call.json,
    signal,
    onProgress: (done, total, text) => terminal.progress(text, done, total),
  });
  terminal.json(result);
  if (result.failed) terminal.text(result.failed.message);
  terminal.text(`Saved with its outputs: ${result.out}`);
}
