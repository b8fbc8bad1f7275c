import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { RestorationError, type MimeBundle, type RunView } from '../../protocol';
import { findFrame } from '../frames/frame-store';
import { NOTEBOOK_TYPE } from '../ids';
import { ipynb, restoreCell } from '../notebook/restoration-cells';
import type { FinishedRun } from '../panel/restore-panel';

/** A finished run as the outputs of a cell. */
export type Draw = (run: FinishedRun) => Promise<MimeBundle>;

const MOST_NAMES = 1000;

/**
 * Writes a notebook beside the picture that holds the cell which repeats the run, and the run's strip as its output, then
 * opens it. The full frames are copied to the folder beside it, so that the notebook stays inspectable when the panel is gone.
 */
export async function openAsNotebook(run: FinishedRun, draw: Draw): Promise<void> {
  const notebook = await createBeside(run.input);
  const stem = path.basename(notebook, '.ipynb');
  const framesFolder = path.join(path.dirname(notebook), `${stem}.frames`);
  await copyFrames(run, framesFolder);
  const view: RunView = { ...run.view, framesFolder: path.basename(framesFolder) };
  const picture = path.basename(run.input);
  const code = restoreCell({
    picture,
    task: view.record.task,
    prompt: run.wish.prompt,
    model: run.wish.model,
    device: run.wish.device,
    frames: view.record.frames.length,
  });
  const outputs = [await draw({ ...run, view, framesFolder })];
  await writeFile(
    notebook,
    ipynb([
      { kind: 'markdown', source: `# ${picture}` },
      { kind: 'code', source: code, outputs },
    ]),
  );
  const document = await vscode.workspace.openNotebookDocument(vscode.Uri.file(notebook));
  await vscode.window.showNotebookDocument(document);
  if (document.notebookType !== NOTEBOOK_TYPE) throw new Error(`Expected a notebook of type ${NOTEBOOK_TYPE}.`);
}

/** Makes an empty file `NAME.restored.ipynb`, or with the first free number: no notebook is ever overwritten. */
async function createBeside(picture: string): Promise<string> {
  const stem = path.join(path.dirname(picture), `${path.basename(picture, path.extname(picture))}.restored`);
  for (let number = 1; number <= MOST_NAMES; number += 1) {
    const file = `${stem}${number === 1 ? '' : `-${number}`}.ipynb`;
    try {
      await writeFile(file, ipynb([]), { flag: 'wx' });
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new RestorationError(
        'unwritable',
        vscode.l10n.t('A notebook could not be written beside the picture: {0}.', (error as Error).message),
        vscode.l10n.t('Copy the picture to a folder that you may write to, and restore it there.'),
        { cause: error },
      );
    }
  }
  throw new RestorationError(
    'unwritable',
    vscode.l10n.t('There are {0} notebooks of this picture already.', MOST_NAMES),
    vscode.l10n.t('Remove those that you no longer need.'),
  );
}

async function copyFrames(run: FinishedRun, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { file } of run.view.record.frames) {
    const source = await findFrame(run.framesFolder, file);
    // A frame that is gone is shown from its thumbnail.
    if (source !== undefined) await copyFile(source, path.join(folder, file));
  }
}
