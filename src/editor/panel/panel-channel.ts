import * as vscode from 'vscode';
import { readFrame } from '../frames/frame-store';
import type { Log } from '../status/log';
import { panelHtml, type PanelKind } from './panel-html';

export interface PanelChannelOptions<In> {
  kind: PanelKind;
  /** The panels' script. */
  script: vscode.Uri;
  log: Log;
  /** Everything that comes out of a webview is checked. */
  guard(message: unknown): message is In;
  handle(message: In): Promise<void> | void;
  onDispose(): void;
}

type Answer = { type: 'error'; message: string } | { type: 'frame'; requestId: number; dataUrl?: string };

/** A webview panel as a channel of checked messages. A handler that throws becomes an error in the panel. */
export class PanelChannel<In, Out extends { type: string }> {
  private readonly subscriptions: vscode.Disposable[] = [];
  private isDisposed = false;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly options: PanelChannelOptions<In>,
  ) {
    const { webview } = panel;
    const { script, kind } = options;
    webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(script, '..')] };
    this.subscriptions.push(
      webview.onDidReceiveMessage((message: unknown) => void this.receive(message)),
      panel.onDidDispose(() => {
        this.isDisposed = true;
        vscode.Disposable.from(...this.subscriptions).dispose();
        options.onDispose();
      }),
    );
    webview.html = panelHtml(webview, script, kind);
  }

  get active(): boolean {
    return this.panel.active;
  }

  get visible(): boolean {
    return this.panel.visible;
  }

  get disposed(): boolean {
    return this.isDisposed;
  }

  set title(title: string) {
    this.panel.title = title;
  }

  reveal(): void {
    this.panel.reveal();
  }

  /** Never waited for: a panel behind another one takes no messages, and asks for its state when it is shown again. */
  post(message: Out | Answer): void {
    if (this.isDisposed) return;
    this.panel.webview.postMessage(message).then(undefined, (error: unknown) => {
      if (!this.isDisposed) this.options.log.failure(error);
    });
  }

  /** Answers a request for a full frame. Every request is answered; a frame that cannot be read counts as gone. */
  async sendFrame(folder: string, requestId: number, file: string): Promise<void> {
    let dataUrl: string | undefined;
    try {
      dataUrl = await readFrame(folder, file);
    } finally {
      this.post({ type: 'frame', requestId, dataUrl });
    }
  }

  showError(error: unknown): void {
    this.post({ type: 'error', message: this.options.log.failure(error).message });
  }

  private async receive(message: unknown): Promise<void> {
    if (!this.options.guard(message)) {
      this.options.log.info('A message of a panel was ignored: it has not the expected shape.');
      return;
    }
    try {
      await this.options.handle(message);
    } catch (error) {
      this.showError(error);
    }
  }
}
