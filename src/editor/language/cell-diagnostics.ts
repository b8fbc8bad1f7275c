import * as vscode from 'vscode';
import type { LanguageClient } from '../../kernel';
import type { CellProblem } from '../../protocol';
import { codeCells, rangeOf } from './cell-context';

/** How long the keyboard rests before the cells are looked at, in milliseconds. */
const REST_MS = 400;
/** Names our diagnostics among those of others. */
const SOURCE = 'notebook cell';

/** Keeps the problems of one notebook's cells up to date while it is shown: the edited cell and those below it. */
export class CellDiagnostics implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection(`progressiveRestoration.cells`);
  private readonly found = new Map<string, { document: vscode.TextDocument; problems: CellProblem[] }>();
  private readonly subscriptions: vscode.Disposable[];
  /** First cell that was not looked at since it, or one above it, changed. */
  private outdated = 0;
  private timer: NodeJS.Timeout | undefined;
  private sweep = new AbortController();

  constructor(
    private readonly notebook: vscode.NotebookDocument,
    private readonly client: LanguageClient,
  ) {
    this.subscriptions = [
      this.collection,
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        const index = codeCells(notebook).findIndex((cell) => cell.document === document);
        if (index >= 0 && contentChanges.length > 0) this.schedule(index);
      }),
      vscode.workspace.onDidChangeNotebookDocument((event) => {
        if (event.notebook === notebook && event.contentChanges.length > 0) this.schedule(0);
      }),
      vscode.window.onDidChangeVisibleNotebookEditors(() => this.schedule(this.outdated)),
      // A local module that was edited may have changed what holds for every cell.
      vscode.workspace.onDidSaveTextDocument(({ uri }) => {
        if (uri.scheme === 'file') this.schedule(0);
      }),
      vscode.languages.onDidChangeDiagnostics(({ uris }) => {
        for (const uri of uris) this.publish(uri.toString());
      }),
    ];
    this.schedule(0);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.sweep.abort();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private schedule(from: number): void {
    this.outdated = Math.min(this.outdated, from);
    this.sweep.abort();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), REST_MS);
  }

  private async look(): Promise<void> {
    if (!vscode.window.visibleNotebookEditors.some(({ notebook }) => notebook === this.notebook)) return;
    this.sweep = new AbortController();
    const { signal } = this.sweep;
    const cells = codeCells(this.notebook);
    this.forget(new Set(cells.map(({ document }) => document.uri.toString())));
    const sources = cells.map(({ document }) => document.getText());
    for (let index = this.outdated; index < cells.length; index++) {
      const document = cells[index]?.document;
      const code = sources[index];
      if (document === undefined || code === undefined) break;
      const problems = await this.client.ask({ above: sources.slice(0, index), code }, { kind: 'check' }, signal);
      if (signal.aborted) return;
      this.outdated = index + 1;
      // Without an answer nothing is known: old problems would stand at wrong places.
      this.found.set(document.uri.toString(), { document, problems: problems ?? [] });
      this.publish(document.uri.toString());
    }
  }

  /** Drops what was found in cells that are gone. */
  private forget(cells: ReadonlySet<string>): void {
    for (const [key, { document }] of this.found) {
      if (cells.has(key)) continue;
      this.found.delete(key);
      this.collection.delete(document.uri);
    }
  }

  /** Shows the problems of a cell, but for those that the editor's own TypeScript shows, too: it reports syntax errors. */
  private publish(key: string): void {
    const entry = this.found.get(key);
    if (entry === undefined) return;
    const { document, problems } = entry;
    const others = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source !== SOURCE);
    const own = problems
      .map((problem) => asDiagnostic(document, problem))
      .filter(
        ({ code, range }) => !others.some((other) => codeOf(other) === code && other.range.start.isEqual(range.start)),
      );
    // Setting the same again would report a change, which would bring us here again.
    if (!sameDiagnostics(this.collection.get(document.uri) ?? [], own)) this.collection.set(document.uri, own);
  }
}

function asDiagnostic(document: vscode.TextDocument, problem: CellProblem): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(rangeOf(document, problem), problem.message);
  diagnostic.source = SOURCE;
  if (problem.code > 0) diagnostic.code = problem.code;
  return diagnostic;
}

function codeOf({ code }: vscode.Diagnostic): unknown {
  return typeof code === 'object' ? code.value : code;
}

function sameDiagnostics(a: readonly vscode.Diagnostic[], b: readonly vscode.Diagnostic[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, index) => {
      const other = b[index];
      return other !== undefined && one.message === other.message && one.range.isEqual(other.range);
    })
  );
}
