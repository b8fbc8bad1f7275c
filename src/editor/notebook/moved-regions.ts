import * as vscode from 'vscode';
import {
  isMovedRegion,
  MOST_MOVED,
  RUN_MIME,
  type ExtensionToRenderer,
  type MovedRegion,
  type RendererToExtension,
  type Region,
} from '../../protocol';
import { isObject } from '../../protocol/checks';
import { NOTEBOOK_TYPE } from '../ids';

type RegionMessage = Extract<RendererToExtension, { type: 'regions' | 'region' }>;

/** Our part of a cell's metadata in the file: `{ regions: [{ frame, region }] }`. */
const OURS = 'progressive-restoration';

/**
 * Keeps where readers have moved the region of a run. It stands in the metadata of the cells that show the run: the file keeps it, an
 * edit of it can be undone, and the output, which only a kernel may change, goes on saying which region its crops are of.
 */
export class MovedRegions implements vscode.Disposable {
  private readonly subscription: vscode.Disposable;
  /** Edits one after the other: each is made of what the one before has left. */
  private edits: Promise<void> = Promise.resolve();

  constructor(
    private readonly send: (message: ExtensionToRenderer, editor: vscode.NotebookEditor) => Thenable<unknown>,
  ) {
    this.subscription = vscode.workspace.onDidChangeNotebookDocument(({ notebook, cellChanges }) => {
      if (!cellChanges.some(({ metadata }) => metadata !== undefined)) return;
      for (const editor of vscode.window.visibleNotebookEditors)
        if (editor.notebook === notebook) void this.tell(editor);
    });
  }

  /** What a strip asks or says about moved regions. */
  handle(message: RegionMessage, editor: vscode.NotebookEditor): Promise<void> {
    return message.type === 'regions' ? this.tell(editor) : this.keep(editor.notebook, message.frame, message.region);
  }

  /** Tells what shows the outputs of a notebook about the regions that were moved in it. */
  private async tell(editor: vscode.NotebookEditor): Promise<void> {
    const regions = editor.notebook.getCells().flatMap((cell) => regionsOf(cell));
    await this.send({ type: 'regions', regions: regions.slice(0, MOST_MOVED) }, editor);
  }

  /** Keeps the region of a run in every cell that shows it; undefined = back to the run's own. Without a change there is no edit. */
  private keep(notebook: vscode.NotebookDocument, frame: string, region: Region | undefined): Promise<void> {
    this.edits = this.edits
      .catch(() => undefined)
      .then(async () => {
        // Another type of notebook may not save what stands there.
        if (notebook.notebookType !== NOTEBOOK_TYPE || notebook.isClosed) return;
        const changes = notebook.getCells().flatMap((cell) => {
          const runs = runsOf(cell);
          if (!runs.includes(`"${frame}"`)) return [];
          const before = regionsOf(cell);
          // Those of runs that the cell no longer shows go with the next change.
          const others = before.filter((one) => one.frame !== frame && runs.includes(`"${one.frame}"`));
          const after = region === undefined ? others : [...others, { frame, region }];
          const isSame = JSON.stringify(before.find((one) => one.frame === frame)?.region) === JSON.stringify(region);
          return isSame ? [] : [vscode.NotebookEdit.updateCellMetadata(cell.index, withRegions(cell, after))];
        });
        if (changes.length === 0) return;
        const edit = new vscode.WorkspaceEdit();
        edit.set(notebook.uri, changes);
        await vscode.workspace.applyEdit(edit);
      });
    return this.edits;
  }

  dispose(): void {
    this.subscription.dispose();
  }
}

/** What the file says beside a cell; it may have come from anywhere. */
function fileMetadata(cell: vscode.NotebookCell): Record<string, unknown> {
  const metadata: unknown = cell.metadata.metadata;
  return isObject(metadata) ? metadata : {};
}

function regionsOf(cell: vscode.NotebookCell): MovedRegion[] {
  const ours = fileMetadata(cell)[OURS];
  const regions = isObject(ours) && Array.isArray(ours.regions) ? (ours.regions as unknown[]) : [];
  return regions.filter(isMovedRegion).map(({ frame, region: { x, y, width, height } }) => ({
    frame,
    region: { x, y, width, height },
  }));
}

/** The cell's metadata with these regions; without any, it is as if there never were one. */
function withRegions(cell: vscode.NotebookCell, regions: readonly MovedRegion[]): Record<string, unknown> {
  const { [OURS]: ours, ...others } = fileMetadata(cell);
  const next: Record<string, unknown> = { ...(isObject(ours) ? ours : {}), regions };
  if (regions.length === 0) delete next.regions;
  return {
    ...cell.metadata,
    metadata: { ...others, ...(Object.keys(next).length > 0 ? { [OURS]: next } : {}) },
  };
}

/** The text of the runs that a cell shows. */
function runsOf(cell: vscode.NotebookCell): string {
  const decoder = new TextDecoder();
  return cell.outputs
    .flatMap(({ items }) => items.filter(({ mime }) => mime === RUN_MIME))
    .map(({ data }) => decoder.decode(data))
    .join('\n');
}
