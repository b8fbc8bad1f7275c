import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError, type CellError } from '../protocol';
import { CellOutputs } from './cell-outputs';
import { KernelClient, type KernelOptions } from './kernel-client';
import { readNotebook, sourceOf, writeNotebook, type NotebookCell, type NotebookDocument } from './nbformat';

export interface NotebookRunOptions {
  /** The notebook; its folder is the working directory of the cells. */
  file: string;
  /** Where the executed notebook goes; the notebook itself unless given. */
  out?: string;
  /** Goes on after a cell that failed, and also writes in place then. */
  allowErrors?: boolean;
  /** Aborting stops the running cell and leaves every file as it was. */
  signal?: AbortSignal;
  /** After every cell; `text` is the first line of the next one, empty at the end. */
  onProgress?(done: number, total: number, text: string): void;
  /** How the kernel is started, beside the paths. */
  kernel?: Omit<KernelOptions, 'notebook' | 'framesFolder' | 'onBackground'>;
}

export interface NotebookRun {
  /** Absolute path of the notebook that was read. */
  file: string;
  /** Absolute path that the outputs were written to; undefined when the file was left as it was. */
  written?: string;
  /** Absolute path of the folder for full frames. */
  framesFolder: string;
  document: NotebookDocument;
  /** Code cells that ran, and how many there are. */
  executed: number;
  cells: number;
  /** The first cell that failed, by its number among the code cells (1-based). */
  failure?: { cell: number; error: CellError };
  /** Wall clock. */
  seconds: number;
}

/** Folder for the full frames of a notebook: `NAME.frames` beside it. */
export function framesFolderOf(notebook: string): string {
  return path.join(path.dirname(notebook), `${path.basename(notebook, path.extname(notebook))}.frames`);
}

/**
 * Runs the code cells of a notebook from top to bottom in a fresh kernel and stores what they put out. Stops at the first
 * cell that fails; its outputs and the error are kept: written to `out` if that is another file, while the notebook
 * itself is only replaced after success (or with `allowErrors`). Throws a RestorationError for a bad notebook, an
 * unwritable place, or 'cancelled'.
 */
export async function runNotebook(options: NotebookRunOptions): Promise<NotebookRun> {
  const started = performance.now();
  const file = path.resolve(options.file);
  const out = path.resolve(options.out ?? options.file);
  const document = structuredClone(await readNotebook(file));
  const cells = document.cells.filter((cell) => cell.cell_type === 'code' && sourceOf(cell).trim() !== '');
  const framesFolder = framesFolderOf(out);
  const framesBefore = await entriesOf(framesFolder);

  let outputs = new CellOutputs();
  const kernel = new KernelClient({
    ...options.kernel,
    notebook: file,
    framesFolder,
    onBackground: (event) => {
      if (event.type === 'stream') outputs.stream(event.name, event.text);
      else outputs.display(event.displayId, event.bundle);
    },
  });
  const run: NotebookRun = { file, framesFolder, document, executed: 0, cells: cells.length, seconds: 0 };
  const gathered: [NotebookCell, CellOutputs][] = [];
  for (const cell of document.cells) if (cell.cell_type === 'code') Object.assign(cell, CLEARED);
  try {
    for (const [index, cell] of cells.entries()) {
      options.onProgress?.(index, cells.length, firstLine(cell));
      const own = (outputs = new CellOutputs());
      gathered.push([cell, own]);
      const result = await kernel.execute(
        sourceOf(cell),
        {
          onStream: (name, text) => own.stream(name, text),
          onDisplay: (displayId, bundle) => own.display(displayId, bundle),
        },
        options.signal,
      );
      if (options.signal?.aborted) throw cancelled();
      run.executed = cell.execution_count = index + 1;
      if (result.outcome === 'ok') continue;
      const error = result.error ?? { name: 'Interrupted', message: 'The cell was interrupted.', stack: '' };
      own.error(error);
      run.failure ??= { cell: index + 1, error };
      if (!options.allowErrors) break;
    }
    options.onProgress?.(run.executed, cells.length, '');
    await kernel.dispose();
    for (const [cell, own] of gathered) cell.outputs = own.toNotebook();
    if (!run.failure || options.allowErrors || out !== file) {
      await writeNotebook(out, document);
      run.written = out;
    }
  } finally {
    await kernel.dispose();
    if (run.written === undefined) await removeNewFrames(framesFolder, framesBefore);
  }
  run.seconds = (performance.now() - started) / 1000;
  return run;
}

const CLEARED: Pick<NotebookCell, 'outputs' | 'execution_count'> = { outputs: [], execution_count: null };

function cancelled(): RestorationError {
  return new RestorationError('cancelled', 'The notebook run was cancelled.', 'No file was changed.');
}

function firstLine(cell: NotebookCell): string {
  return (
    sourceOf(cell)
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}

/** Names in a folder; undefined when there is none. */
async function entriesOf(folder: string): Promise<Set<string> | undefined> {
  return readdir(folder).then(
    (names) => new Set(names),
    () => undefined,
  );
}

/** Frames of outputs that nobody keeps would only take space. */
async function removeNewFrames(folder: string, before: ReadonlySet<string> | undefined): Promise<void> {
  if (!before) return rm(folder, { recursive: true, force: true });
  for (const name of (await entriesOf(folder)) ?? []) {
    if (!before.has(name)) await rm(path.join(folder, name), { recursive: true, force: true });
  }
}
