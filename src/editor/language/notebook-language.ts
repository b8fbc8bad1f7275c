import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { LanguageClient } from '../../kernel/language/language-client';
import { chosenNodePath } from '../configuration';
import type { NotebookFiles } from '../notebook/notebook-files';
import type { Log } from '../status/log';
import { CellDiagnostics } from './cell-diagnostics';
import { registerCellProviders } from './cell-providers';

export interface LanguageServices {
  files: NotebookFiles;
  log: Log;
  /** The language process's bundle. */
  entry: string;
}

/** A process for the notebooks of one folder: imports start from there. */
interface Shared {
  client: LanguageClient;
  users: number;
}

/**
 * Completion, hover, signatures and problems in the notebooks that our kernel runs. A process for each folder with such a
 * notebook, started by the first question and ended with the folder's last notebook; none in a workspace that is not trusted.
 */
export class NotebookLanguage implements vscode.Disposable {
  private readonly wanted = new Set<vscode.NotebookDocument>();
  private readonly attached = new Map<vscode.NotebookDocument, vscode.Disposable>();
  private readonly shared = new Map<string, Shared>();
  private readonly trust: vscode.Disposable;

  constructor(private readonly services: LanguageServices) {
    this.trust = vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const notebook of this.wanted) this.attach(notebook);
    });
  }

  /** Begins or ends to help in `notebook`. */
  use(notebook: vscode.NotebookDocument, used: boolean): void {
    if (used) {
      this.wanted.add(notebook);
      this.attach(notebook);
    } else {
      this.wanted.delete(notebook);
      this.attached.get(notebook)?.dispose();
      this.attached.delete(notebook);
    }
  }

  /** Ends the help in notebooks that are not shown: the editor keeps their documents for minutes. */
  keepOnly(isShown: (notebook: vscode.NotebookDocument) => boolean): void {
    for (const notebook of [...this.wanted]) if (!isShown(notebook)) this.use(notebook, false);
  }

  private attach(notebook: vscode.NotebookDocument): void {
    if (!vscode.workspace.isTrusted || this.attached.has(notebook)) return;
    // Files of a virtual file system have no folder that a compiler could look into.
    if (notebook.uri.scheme !== 'file' && !notebook.isUntitled) return;
    const folder = nearestFolder(path.dirname(this.services.files.notebookPath(notebook)));
    const shared = this.shared.get(folder) ?? { client: this.launch(folder), users: 0 };
    this.shared.set(folder, shared);
    shared.users += 1;
    this.attached.set(
      notebook,
      vscode.Disposable.from(
        registerCellProviders(notebook, shared.client),
        new CellDiagnostics(notebook, shared.client),
        new vscode.Disposable(() => {
          shared.users -= 1;
          if (shared.users > 0) return;
          shared.client.dispose();
          this.shared.delete(folder);
        }),
      ),
    );
  }

  private launch(folder: string): LanguageClient {
    const { entry, log } = this.services;
    return new LanguageClient({
      entry,
      folder,
      execPath: chosenNodePath() ?? process.execPath,
      onLog: (line) => log.info(line),
    });
  }

  dispose(): void {
    this.trust.dispose();
    for (const notebook of [...this.attached.keys()]) this.use(notebook, false);
  }
}

/** The folder of a new notebook may not exist yet. */
function nearestFolder(folder: string): string {
  return existsSync(folder) || folder === path.dirname(folder) ? folder : nearestFolder(path.dirname(folder));
}
