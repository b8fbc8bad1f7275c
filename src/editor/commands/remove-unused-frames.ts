import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { RestorationError } from '../../protocol';
import { findUnusedFrames } from '../frames/unused-frames';
import { NOTEBOOK_TYPE } from '../ids';
import type { TypescriptController } from '../notebook/controller';
import type { NotebookFiles } from '../notebook/notebook-files';
import { assertTrusted } from '../preconditions';

/** Remove Unused Frames: deletes, once confirmed, the full frames of earlier runs that no notebook names any more. */
export async function removeUnusedFrames(
  files: NotebookFiles,
  controller: Pick<TypescriptController, 'isWorking'>,
): Promise<void> {
  const notebook = vscode.window.activeNotebookEditor?.notebook;
  if (notebook === undefined) return;
  assertTrusted();
  if (controller.isWorking(notebook) === true) {
    throw new RestorationError(
      'bad-argument',
      vscode.l10n.t('Expected a notebook that is idle; a cell of this one works and may write frames.'),
      vscode.l10n.t('Wait until it has ended, then try again.'),
    );
  }
  const folder = files.framesFolder(notebook);
  const unused = await findUnusedFrames(folder, openTexts());
  if (unused.files.length === 0) {
    await vscode.window.showInformationMessage(vscode.l10n.t('Every frame in {0} is in use.', path.basename(folder)));
    return;
  }
  const remove = vscode.l10n.t('Remove');
  const choice = await vscode.window.showWarningMessage(
    vscode.l10n.t(
      'Remove {0} frames ({1} MB) from {2} that no notebook in its folder shows?',
      unused.files.length,
      (unused.bytes / 1e6).toFixed(1),
      path.basename(folder),
    ),
    { modal: true, detail: vscode.l10n.t('Runs that are only in variables of a kernel lose their full frames.') },
    remove,
  );
  if (choice !== remove) return;
  // The question may have stood there for long: only what is still unused goes.
  const still = await findUnusedFrames(folder, openTexts());
  const asked = new Set(unused.files);
  for (const file of still.files) if (asked.has(file)) await rm(file, { force: true });
}

/** All outputs of all open notebooks: what is not saved counts, too. */
function* openTexts(): Generator<string> {
  const decoder = new TextDecoder();
  for (const notebook of vscode.workspace.notebookDocuments) {
    if (notebook.notebookType !== NOTEBOOK_TYPE) continue;
    for (const { outputs } of notebook.getCells()) {
      for (const { items } of outputs) {
        for (const { mime, data } of items) if (!mime.startsWith('image/')) yield decoder.decode(data);
      }
    }
  }
}
