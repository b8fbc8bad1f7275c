import path from 'node:path';
import * as vscode from 'vscode';
import {
  isPanelToExtension,
  RestorationError,
  type ExtensionToPanel,
  type PanelToExtension,
  type RunView,
  type Task,
} from '../../protocol';
import { findFrame, readFrame } from '../frames/frame-store';
import { saveFrameAs } from '../frames/save-frame';
import type { Log } from '../status/log';
import type { PictureRestorer } from './picture-restorer';
import { panelHtml } from './panel-html';
import type { PanelRecord, PanelStore } from './panel-store';

export interface RestorePanelServices {
  store: PanelStore;
  restorer: PictureRestorer;
  log: Log;
  /** The panel's script. */
  script: vscode.Uri;
  openAsNotebook(run: FinishedRun): Promise<void>;
}

/** A run that came to its end, with all that is needed to show it elsewhere. */
export interface FinishedRun {
  /** Absolute path of the picture. */
  input: string;
  /** Empty for the model's uniform sentence. */
  prompt: string;
  view: RunView;
  framesFolder: string;
}

export interface RunObserver {
  /** Share of the work that is done, in [0,1], and what is being done. */
  onProgress?: (share: number, activity: string) => void;
}

export type RunOutcome = { kind: 'done' } | { kind: 'cancelled' } | { kind: 'failed'; reason: string };

/** One Restore panel: the picture, its newest run, and what the user may do with it. */
export class RestorePanel {
  private readonly subscriptions: vscode.Disposable[] = [];
  private running: AbortController | undefined;
  private lastError: string | undefined;
  private disposed = false;

  constructor(
    readonly id: string,
    private readonly panel: vscode.WebviewPanel,
    private record: PanelRecord,
    private readonly services: RestorePanelServices,
    onDispose: () => void,
  ) {
    const { webview } = panel;
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(services.script, '..')],
    };
    panel.title = vscode.l10n.t('Restore {0}', this.name);
    this.subscriptions.push(
      webview.onDidReceiveMessage((message: unknown) => {
        this.receive(message).catch((error: unknown) => this.showError(error));
      }),
      panel.onDidDispose(() => {
        this.disposed = true;
        this.running?.abort();
        vscode.Disposable.from(...this.subscriptions).dispose();
        onDispose();
      }),
    );
    webview.html = panelHtml(webview, services.script);
  }

  get active(): boolean {
    return this.panel.active;
  }

  private get name(): string {
    return path.basename(this.record.input);
  }

  private get framesFolder(): string {
    return this.services.store.framesFolder(this.id);
  }

  reveal(): void {
    this.panel.reveal();
  }

  /**
   * Restores the picture with the panel's task and prompt. A failure is shown in the panel, written to the log and comes
   * back as the reason; cancelling (by the panel, by closing it or by `cancel`) is one.
   */
  async run(observer: RunObserver = {}): Promise<RunOutcome> {
    if (this.running !== undefined) {
      return { kind: 'failed', reason: vscode.l10n.t('"{0}" is being restored already.', this.name) };
    }
    const controller = new AbortController();
    this.running = controller;
    this.record = { ...this.record, view: undefined };
    this.lastError = undefined;
    const failure = await this.restore(controller.signal, observer).then(
      () => undefined,
      (error: unknown) => this.services.log.failure(error),
    );
    this.running = undefined;
    if (failure !== undefined) this.closeView(failure);
    if (!this.disposed) {
      await this.services.store.save(this.id, this.record);
      this.postState();
      if (this.lastError !== undefined) this.post({ type: 'error', message: this.lastError });
    }
    if (failure === undefined) return { kind: 'done' };
    return failure.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', reason: failure.message };
  }

  private async restore(signal: AbortSignal, observer: RunObserver): Promise<void> {
    const { input, task, prompt } = this.record;
    await this.services.store.save(this.id, this.record);
    this.postState();
    const view = await this.services.restorer.restore({
      input,
      task,
      prompt: prompt === '' ? undefined : prompt,
      framesFolder: this.framesFolder,
      signal,
      onProgress: observer.onProgress,
      onView: (unfinished) => {
        this.record = { ...this.record, view: unfinished };
        this.postState();
      },
    });
    this.record = { ...this.record, view };
  }

  cancel(): void {
    this.running?.abort();
  }

  /** Asks for a name and writes frame `index` (1-based; the last one by default) there. */
  async saveAs(index?: number): Promise<void> {
    const { view } = this.finished();
    const frame = view.record.frames.find((candidate) => candidate.index === (index ?? view.record.frames.length));
    const source = frame === undefined ? undefined : await findFrame(this.framesFolder, frame.file);
    if (frame === undefined || source === undefined) throw missingFrame();
    const suffix = frame.index === view.record.frames.length ? 'restored' : `frame-${frame.index}`;
    const folder = path.dirname(this.record.input);
    const suggestedName = `${path.basename(this.record.input, path.extname(this.record.input))}.${suffix}.png`;
    await saveFrameAs({ source, folder, suggestedName, input: this.record.input });
  }

  async openAsNotebook(): Promise<void> {
    await this.services.openAsNotebook(this.finished());
  }

  private finished(): FinishedRun {
    const { input, prompt, view } = this.record;
    if (view === undefined || view.state.kind !== 'done') {
      throw new RestorationError(
        'bad-argument',
        vscode.l10n.t('Expected a finished restoration of "{0}"; there is none yet.', this.name),
        vscode.l10n.t('Restore the picture first.'),
      );
    }
    return { input, prompt, view, framesFolder: this.framesFolder };
  }

  /** Ends what a failed or cancelled run left unfinished, so that nothing claims to be running any more. */
  private closeView(failure: RestorationError): void {
    const cancelled = failure.code === 'cancelled';
    if (!cancelled) this.lastError = failure.message;
    const { view } = this.record;
    if (view === undefined) return;
    const state: RunView['state'] = cancelled ? { kind: 'interrupted' } : { kind: 'failed', message: failure.message };
    this.record = { ...this.record, view: { ...view, state } };
  }

  private async receive(message: unknown): Promise<void> {
    if (!isPanelToExtension(message)) {
      this.services.log.info('A message of a Restore panel was ignored: it has not the expected shape.');
      return;
    }
    await this.handle(message);
  }

  private async handle(message: PanelToExtension): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.postState();
        if (this.lastError !== undefined) this.post({ type: 'error', message: this.lastError });
        return;
      case 'run':
        await this.rerun(message.task, message.prompt.trim());
        return;
      case 'cancel':
        this.cancel();
        return;
      case 'save':
        await this.saveAs(message.frame);
        return;
      case 'open-as-notebook':
        await this.openAsNotebook();
        return;
      case 'frame':
        await this.sendFrame(message.requestId, message.file);
        return;
    }
  }

  private async rerun(task: Task, prompt: string): Promise<void> {
    if (this.running !== undefined) return;
    this.record = { ...this.record, task, prompt };
    await this.run();
  }

  private async sendFrame(requestId: number, file: string): Promise<void> {
    let dataUrl: string | undefined;
    try {
      dataUrl = await readFrame(this.framesFolder, file);
    } finally {
      // Every request is answered; a frame that cannot be read counts as gone.
      this.post({ type: 'frame', requestId, dataUrl });
    }
  }

  private showError(error: unknown): void {
    this.post({ type: 'error', message: this.services.log.failure(error).message });
  }

  private postState(): void {
    const { task, prompt, view } = this.record;
    const running = this.running !== undefined;
    this.post({ type: 'state', id: this.id, input: { name: this.name }, task, prompt, view, running });
  }

  /** Never waited for: a panel behind another one takes no messages, and asks for its state when it is shown again. */
  private post(message: ExtensionToPanel): void {
    if (this.disposed) return;
    this.panel.webview.postMessage(message).then(undefined, (error: unknown) => {
      if (!this.disposed) this.services.log.failure(error);
    });
  }
}

function missingFrame(): RestorationError {
  return new RestorationError(
    'missing-file',
    vscode.l10n.t('The full frame is no longer there.'),
    vscode.l10n.t('Restore the picture again.'),
  );
}
