import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { isFolderName, RestorationError } from '../../protocol';

const FRAMES_SUFFIX = '.frames';

/** Where a notebook's relative paths start from, and where its full frames lie. */
export class NotebookFiles {
  /** @param storage takes the frames of notebooks that have no file yet. */
  constructor(private readonly storage: string) {}

  /** Absolute path of the notebook. One that was never saved gets a name in the workspace's folder; the file need not exist. */
  notebookPath(notebook: vscode.NotebookDocument): string {
    if (notebook.uri.scheme === 'file') return notebook.uri.fsPath;
    if (notebook.isUntitled) {
      const folder = vscode.workspace.workspaceFolders?.find((candidate) => candidate.uri.scheme === 'file');
      return path.join(folder?.uri.fsPath ?? os.homedir(), `${untitledName(notebook.uri)}.ipynb`);
    }
    throw new RestorationError(
      'bad-argument',
      vscode.l10n.t('Expected a notebook on a disk, got one of the virtual file system "{0}".', notebook.uri.scheme),
      vscode.l10n.t('Save it to a folder on the disk first.'),
    );
  }

  /** `NAME.frames` beside the notebook. */
  framesFolder(notebook: vscode.NotebookDocument): string {
    const file = this.notebookPath(notebook);
    const name = `${path.basename(file, path.extname(file))}${FRAMES_SUFFIX}`;
    return path.join(notebook.isUntitled ? this.storage : path.dirname(file), name);
  }

  /**
   * The folder that an output of `notebook` names, or undefined when it may not be read. Outputs are untrusted: only a
   * frames folder right beside the notebook is looked into (under another name after the notebook was renamed).
   */
  outputFolder(notebook: vscode.NotebookDocument, name: string): string | undefined {
    if (!isFolderName(name) || !name.endsWith(FRAMES_SUFFIX)) return undefined;
    return path.join(path.dirname(this.framesFolder(notebook)), name);
  }
}

/** `Untitled-1` of `untitled:Untitled-1.ipynb`. */
function untitledName(uri: vscode.Uri): string {
  const base = path.posix.basename(uri.path).replace(/\.ipynb$/i, '');
  return isFolderName(base) ? base : 'Untitled';
}
