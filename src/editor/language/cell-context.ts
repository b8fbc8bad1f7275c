import * as vscode from 'vscode';
import type { CellContext } from '../../protocol';

/** Languages of cells that the kernel compiles. */
export const CELL_LANGUAGES: readonly string[] = ['typescript', 'javascript'];

/** The cells of a notebook that the kernel would run, in order. */
export function codeCells(notebook: vscode.NotebookDocument): vscode.NotebookCell[] {
  return notebook
    .getCells()
    .filter(
      ({ kind, document }) => kind === vscode.NotebookCellKind.Code && CELL_LANGUAGES.includes(document.languageId),
    );
}

/** What the language process has to know about the cell of `document`; undefined when it is none of the notebook's. */
export function contextOf(notebook: vscode.NotebookDocument, document: vscode.TextDocument): CellContext | undefined {
  const cells = codeCells(notebook);
  const index = cells.findIndex((cell) => cell.document === document);
  if (index < 0) return undefined;
  return { above: cells.slice(0, index).map((cell) => cell.document.getText()), code: document.getText() };
}

export function rangeOf(document: vscode.TextDocument, { start, end }: { start: number; end: number }): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}

/** Aborted when `token` is cancelled. */
export function signalOf(token: vscode.CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
