import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import {
  DEVICES,
  isBatchRow,
  isBatchToExtension,
  MOST_ROWS,
  RestorationError,
  TASKS,
  type BatchRow,
  type BatchToExtension,
  type ExtensionToBatch,
  type RestoreWish,
  type RunView,
  type Task,
} from '../../protocol';
import { isObject, isOneOf, isText } from '../../protocol/checks';
import { createOutputFolder, writeBesideOthers } from '../frames/output-folder';
import { suggestedResultName } from '../frames/save-result';
import { assertTrusted } from '../preconditions';
import type { Log } from '../status/log';
import { PanelChannel } from './panel-channel';
import type { OpenPanel } from './panel-registry';
import type { PanelStore } from './panel-store';
import type { OnProgress, PictureRestorer } from './picture-restorer';

/** What many pictures are restored with; without a task each one's own is detected. */
export type BatchWish = Omit<RestoreWish, 'task'> & { task?: Task };

/** What a panel needs to come back after the window was reloaded. */
export interface BatchRecord {
  /** Absolute path of the folder that the names of the rows begin in. */
  root: string;
  /** Absolute path of the output folder. Absent until there is a result: then `restored` in `root`, with a free number. */
  folder?: string;
  wish: BatchWish;
  rows: BatchRow[];
}

export interface BatchPanelServices {
  store: PanelStore;
  restorer: PictureRestorer;
  log: Log;
  /** The panels' script. */
  script: vscode.Uri;
  /** Opens a picture in a Restore panel and restores it there. */
  openPicture(input: string, wish: RestoreWish): Promise<void>;
}

export interface BatchOutcome {
  cancelled: boolean;
  done: number;
  failed: number;
}

export function isBatchRecord(value: unknown): value is BatchRecord {
  return (
    isObject(value) &&
    isText(value.root, 4096) &&
    path.isAbsolute(value.root) &&
    (value.folder === undefined || (isText(value.folder, 4096) && path.isAbsolute(value.folder))) &&
    isBatchWish(value.wish) &&
    Array.isArray(value.rows) &&
    value.rows.length <= MOST_ROWS &&
    value.rows.every((row, index) => isBatchRow(row) && row.index === index)
  );
}

function isBatchWish(value: unknown): value is BatchWish {
  return (
    isObject(value) &&
    (value.task === undefined || isOneOf(TASKS, value.task)) &&
    isText(value.prompt) &&
    isText(value.model, 128) &&
    isOneOf(DEVICES, value.device)
  );
}

/** The record of a panel whose window was gone: nothing runs any more. */
export function closedBatchRecord(record: BatchRecord): BatchRecord {
  return {
    ...record,
    rows: record.rows.map((row) => (row.state === 'running' ? { ...row, state: 'cancelled' } : row)),
  };
}

/** Many pictures, a row each: what was done to it, how long it took, where the result is, or why there is none. */
export class BatchPanel implements OpenPanel {
  private readonly channel: PanelChannel<BatchToExtension, ExtensionToBatch>;
  private running: AbortController | undefined;

  constructor(
    private readonly id: string,
    panel: vscode.WebviewPanel,
    private record: BatchRecord,
    private readonly services: BatchPanelServices,
    onDispose: () => void,
  ) {
    this.channel = new PanelChannel(panel, {
      kind: 'batch',
      script: services.script,
      log: services.log,
      guard: isBatchToExtension,
      handle: (message) => this.handle(message),
      onDispose: () => {
        this.cancel();
        onDispose();
      },
    });
    this.channel.title = vscode.l10n.t('Restore {0} Pictures', record.rows.length);
  }

  get active(): boolean {
    return this.channel.active;
  }

  cancel(): void {
    this.running?.abort();
  }

  /**
   * Restores all pictures that are not done, one after the other, with one notification that can be cancelled. A picture that
   * fails does not stop the others. The end is told by a notification that leads to the panel, if there is something to tell.
   */
  async run(): Promise<void> {
    if (this.running !== undefined) return;
    const outcome = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Restoring pictures'),
        cancellable: true,
      },
      async (progress, token) => {
        token.onCancellationRequested(() => this.cancel());
        let reported = 0;
        return this.restoreAll((share, message) => {
          const increment = Math.max(0, 100 * share - reported);
          reported += increment;
          progress.report({ message, increment });
        });
      },
    );
    await this.tell(outcome);
  }

  /** @param onProgress share of all pictures, in [0,1] */
  private async restoreAll(onProgress: OnProgress): Promise<BatchOutcome> {
    const controller = new AbortController();
    this.running = controller;
    const todo = this.record.rows.filter(({ state }) => state !== 'done');
    for (const { index, name } of todo) this.put({ index, name, state: 'waiting' });
    this.postState();
    let done = 0;
    let failed = 0;
    for (const [position, { index, name }] of todo.entries()) {
      if (controller.signal.aborted) break;
      const label = vscode.l10n.t('{0} ({1} of {2})', name, position + 1, todo.length);
      onProgress(position / todo.length, label);
      const row = await this.restore({ index, name, state: 'running' }, controller.signal, (share, activity) =>
        onProgress((position + share) / todo.length, `${label}: ${activity}`),
      );
      this.put(row);
      if (row.state === 'done') done += 1;
      if (row.state === 'failed') failed += 1;
      onProgress((position + 1) / todo.length, label);
      await this.keep();
    }
    for (const { index, name, state } of this.record.rows) {
      if (state === 'waiting') this.put({ index, name, state: 'cancelled' });
    }
    this.running = undefined;
    await this.keep();
    this.postState();
    return { cancelled: controller.signal.aborted, done, failed };
  }

  /** One picture, from beginning to end. Resolves to its row, whatever happened. */
  private async restore(row: BatchRow, signal: AbortSignal, onProgress: OnProgress): Promise<BatchRow> {
    this.put(row);
    const { restorer, store, log } = this.services;
    const { root, wish } = this.record;
    const input = path.join(root, row.name);
    const framesFolder = store.framesFolder(this.id);
    const started = performance.now();
    try {
      const view = await restorer.restoreEnds({ input, wish, framesFolder, signal, onProgress });
      const folder = await this.outputFolder();
      const wanted = path.join(folder, path.dirname(row.name), suggestedResultName(input, 0));
      const { file, result } = await writeBesideOthers(wanted, (output) =>
        restorer.save({ view, input, framesFolder, wish, severity: 0, output, priority: 'batch', signal }),
      );
      const { width, height, notes } = result;
      return {
        ...row,
        state: 'done',
        ...shown(view),
        width,
        height,
        seconds: (performance.now() - started) / 1000,
        output: path.relative(folder, file),
        ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
      };
    } catch (error) {
      const failure = RestorationError.from(error);
      if (failure.code === 'cancelled') return { ...row, state: 'cancelled' };
      log.failure(error);
      return { ...row, state: 'failed', note: failure.message };
    } finally {
      // The result is saved and the rows keep their thumbnails: frames of thousands of pictures would fill the disk.
      await rm(framesFolder, { recursive: true, force: true });
    }
  }

  /** Made with the first result, so that a batch in which everything fails leaves nothing behind. */
  private async outputFolder(): Promise<string> {
    const folder = this.record.folder ?? (await createOutputFolder(this.record.root));
    this.record = { ...this.record, folder };
    this.postState();
    return folder;
  }

  private async tell({ cancelled, done, failed }: BatchOutcome): Promise<void> {
    const { channel } = this;
    if (channel.disposed || (failed === 0 && (cancelled || channel.visible))) return;
    const show = vscode.l10n.t('Show Results');
    const count = this.record.rows.length;
    const choice =
      failed > 0
        ? await vscode.window.showWarningMessage(
            vscode.l10n.t('{0} of {1} pictures could not be restored.', failed, count),
            show,
          )
        : await vscode.window.showInformationMessage(vscode.l10n.t('{0} pictures are restored.', done), show);
    if (choice === show && !channel.disposed) channel.reveal();
  }

  private async handle(message: BatchToExtension): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.postState();
        this.channel.post({ type: 'rows', rows: this.record.rows });
        return;
      case 'cancel':
        this.cancel();
        return;
      case 'resume':
        assertTrusted();
        await this.run();
        return;
      case 'open-row':
        assertTrusted();
        await this.openRow(message.row);
        return;
      case 'reveal':
        if (this.record.folder !== undefined) await reveal(this.record.folder);
        return;
    }
  }

  private async openRow(index: number): Promise<void> {
    const row = this.record.rows[index];
    const task = row?.task ?? this.record.wish.task;
    if (row === undefined || task === undefined) return;
    await this.services.openPicture(path.join(this.record.root, row.name), { ...this.record.wish, task });
  }

  private put(row: BatchRow): void {
    const rows = [...this.record.rows];
    rows[row.index] = row;
    this.record = { ...this.record, rows };
    this.channel.post({ type: 'rows', rows: [row] });
  }

  private async keep(): Promise<void> {
    if (!this.channel.disposed) await this.services.store.save(this.id, this.record);
  }

  private postState(): void {
    const { root, folder, wish, rows } = this.record;
    this.channel.post({
      type: 'state',
      id: this.id,
      task: wish.task ?? 'detect',
      prompt: wish.prompt,
      model: wish.model,
      folder: folder ?? path.join(root, 'restored'),
      running: this.running !== undefined,
      count: rows.length,
    });
  }
}

/** What a row shows of a run of two frames. */
function shown({ record, pictures }: RunView): Partial<BatchRow> {
  const change = record.frames.at(-1)?.change;
  return {
    task: record.task,
    ...(record.taskConfidence === undefined ? {} : { confidence: record.taskConfidence }),
    before: pictures[0]?.thumbnail,
    after: pictures.at(-1)?.thumbnail,
    ...(change === undefined ? {} : { change }),
  };
}

/** In the explorer when the folder belongs to the workspace, else in the file manager of the operating system. */
async function reveal(folder: string): Promise<void> {
  const uri = vscode.Uri.file(folder);
  const isOurs = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(isOurs ? 'revealInExplorer' : 'revealFileInOS', uri);
}
