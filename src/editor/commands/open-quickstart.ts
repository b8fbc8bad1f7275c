import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { RestorationError } from '../../protocol';
import { NOTEBOOK_TYPE } from '../ids';
import { diskPath } from '../preconditions';

const NOTEBOOK = '01-quickstart.ipynb';
const FOLDER = 'progressive-restoration-quickstart';

/**
 * Open Quickstart: copies the quickstart with its pictures into a folder of the workspace, once, and opens it there; a copy that is
 * there already is opened as it is.
 *
 * @param source folder of the notebooks that come with the extension
 */
export async function openQuickstart(source: string): Promise<void> {
  const parent = await parentFolder();
  if (parent === undefined) return;
  const target = path.join(parent, FOLDER);
  if (!existsSync(target)) await copyQuickstart(source, target);
  const notebook = path.join(target, NOTEBOOK);
  if (!existsSync(notebook)) {
    throw new RestorationError(
      'missing-file',
      vscode.l10n.t('Expected the quickstart in "{0}"; the folder is there, its notebook is not.', target),
      vscode.l10n.t('Rename or remove the folder, and open the quickstart again.'),
    );
  }
  await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(notebook), NOTEBOOK_TYPE);
}

/** The workspace's first folder on the disk, else one that the user chooses. */
async function parentFolder(): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  if (folder !== undefined) return folder.uri.fsPath;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Folder for the Quickstart'),
      openLabel: vscode.l10n.t('Put It Here'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  return chosen === undefined ? undefined : diskPath(chosen);
}

/** Copied beside the target first: a copy that was broken off is never taken for the quickstart. */
async function copyQuickstart(source: string, target: string): Promise<void> {
  let temporary: string | undefined;
  try {
    temporary = await mkdtemp(`${target}.`);
    await cp(path.join(source, NOTEBOOK), path.join(temporary, NOTEBOOK));
    await cp(path.join(source, 'pictures'), path.join(temporary, 'pictures'), { recursive: true });
    await rename(temporary, target);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    throw new RestorationError(
      'unwritable',
      vscode.l10n.t('The quickstart could not be copied to "{0}": {1}.', target, (error as Error).message),
      vscode.l10n.t('Open a folder that you may write to.'),
      { cause: error },
    );
  }
}
