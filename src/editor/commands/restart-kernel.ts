import * as vscode from 'vscode';
import { isObject } from '../../protocol/checks';
import type { TypescriptController } from '../notebook/controller';

/** Restart Kernel: of the notebook whose toolbar was used, else of the one with the focus. */
export async function restartKernel(controller: TypescriptController, context: unknown): Promise<void> {
  const notebook = fromToolbar(context) ?? vscode.window.activeNotebookEditor?.notebook;
  if (notebook === undefined) return;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Restarting the kernel') },
    () => controller.restart(notebook),
  );
}

/** Restart Kernel and Run All Cells. */
export async function restartAndRunAll(controller: TypescriptController, context: unknown): Promise<void> {
  const notebook = fromToolbar(context) ?? vscode.window.activeNotebookEditor?.notebook;
  if (notebook !== undefined) await controller.restartAndRunAll(notebook);
}

function fromToolbar(context: unknown): vscode.NotebookDocument | undefined {
  if (!isObject(context) || !isObject(context.notebookEditor)) return undefined;
  const { notebookUri } = context.notebookEditor;
  if (!(notebookUri instanceof vscode.Uri)) return undefined;
  return vscode.workspace.notebookDocuments.find((notebook) => notebook.uri.toString() === notebookUri.toString());
}
