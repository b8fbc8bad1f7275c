import { RestorationError } from '../protocol';
import { runNotebook, type NotebookRunOptions } from '../kernel';

export interface NotebookCommand {
  file: string;
  /** The notebook itself unless given. */
  out?: string;
  /** The caller prints the result as JSON instead of a sentence. */
  json?: boolean;
  allowErrors?: boolean;
  signal: AbortSignal;
  onProgress?: (done: number, total: number, text: string) => void;
  kernel?: NotebookRunOptions['kernel'];
}

export interface NotebookCommandResult {
  /** Absolute paths. */
  file: string;
  out: string;
  framesFolder: string;
  /** Code cells that ran. */
  cells: number;
  seconds: number;
  /** Cells that failed, with `allowErrors` only. */
  failed?: { cell: number; message: string };
}

/**
 * `notebook run FILE.ipynb [--out FILE] [--allow-errors]`: runs a notebook without an editor. Throws a RestorationError:
 * 'cell-failed' names the cell and its line, 'cancelled' leaves every file as it was.
 */
export async function runNotebookCommand(command: NotebookCommand): Promise<NotebookCommandResult> {
  if (!/\.ipynb$/i.test(command.file)) {
    throw new RestorationError(
      'bad-argument',
      `Expected a notebook (.ipynb), got "${command.file}".`,
      'Name a Jupyter notebook file.',
    );
  }
  const run = await runNotebook(command);
  const message = run.failure && describeFailure(run.failure);
  if (message !== undefined && !command.allowErrors) {
    const remedy = run.written
      ? `Correct the cell; the outputs up to there are in ${run.written}.`
      : `Correct the cell; ${run.file} was left as it was.`;
    throw new RestorationError('cell-failed', message, remedy);
  }
  return {
    file: run.file,
    out: run.written ?? run.file,
    framesFolder: run.framesFolder,
    cells: run.executed,
    seconds: run.seconds,
    ...(run.failure && message !== undefined && { failed: { cell: run.failure.cell, message } }),
  };
}

function describeFailure({ cell, error }: { cell: number; error: { message: string; line?: number } }): string {
  const place = error.line === undefined ? `Cell ${cell}` : `Cell ${cell}, line ${error.line}`;
  return `${place} failed: ${error.message.replace(/\.?\s*$/, '.')}`;
}
