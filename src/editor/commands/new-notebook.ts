import path from 'node:path';
import * as vscode from 'vscode';
import { DEFAULT_FRAMES } from '../../protocol';
import { NOTEBOOK_TYPE } from '../ids';
import { typescriptMetadata } from '../notebook/notebook-metadata';
import { restoreCell } from '../notebook/restoration-cells';

/** New Restoration Notebook: an unsaved notebook with a cell that restores a picture of the workspace. */
export async function newNotebook(): Promise<void> {
  const cell = new vscode.NotebookCellData(
    vscode.NotebookCellKind.Code,
    restoreCell({ picture: await examplePicture(), task: 'deblurring', prompt: '', frames: DEFAULT_FRAMES }),
    'typescript',
  );
  const data = new vscode.NotebookData([cell]);
  data.metadata = { metadata: typescriptMetadata(), nbformat: 4, nbformat_minor: 5 };
  await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument(NOTEBOOK_TYPE, data));
}

/** A picture that the cell can name: the one that is shown, else the workspace's first, else an invitation. */
async function examplePicture(): Promise<string> {
  const shown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const uri =
    shown instanceof vscode.TabInputCustom && /\.(?:png|jpe?g|webp|avif|tiff?)$/i.test(shown.uri.path)
      ? shown.uri
      : (
          await vscode.workspace.findFiles('**/*.{png,jpg,jpeg,webp,avif,tif,tiff}', '**/{node_modules,*.frames}/**', 1)
        )[0];
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (uri === undefined || folder === undefined) return 'picture.png';
  return path.relative(folder.uri.fsPath, uri.fsPath).replaceAll(path.sep, '/');
}
