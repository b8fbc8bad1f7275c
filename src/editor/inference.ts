import * as vscode from 'vscode';
import { InferenceClient } from '../inference/client';
import { ServiceHost } from '../inference/service-host';
import type { ServiceAddress } from '../protocol';
import type { Log } from './status/log';

/** This window's inference service: one process for the panels and for all notebook kernels, started by the first that needs it. */
export class WindowInference implements vscode.Disposable {
  private readonly host: ServiceHost;
  readonly client: InferenceClient;

  /**
   * @param entry absolute path of the service's bundle
   * @param environment of a process that starts now
   */
  constructor(entry: string, environment: () => Promise<NodeJS.ProcessEnv>, log: Log) {
    this.host = new ServiceHost({
      entry,
      execPath: process.execPath,
      env: environment,
      onLog: (line) => log.info(line),
    });
    this.host.onExit(({ code, signal }) => log.info(`The inference process ended (${signal ?? `exit code ${code}`}).`));
    this.client = new InferenceClient(() => this.address(), { forceCancel: () => this.host.kill() });
  }

  /** Where the service listens; starts it when it is not running. */
  address(): Promise<ServiceAddress> {
    return this.host.address();
  }

  /**
   * Tells that something takes effect when the inference process starts next; when one runs, offers to end it, which would
   * break off what it works on.
   */
  async offerRestart(message: string): Promise<void> {
    if (this.host.pid === undefined) {
      void vscode.window.showInformationMessage(message);
      return;
    }
    const restart = vscode.l10n.t('Restart Inference');
    const detail = vscode.l10n.t('It takes effect when the inference process starts again.');
    const choice = await vscode.window.showInformationMessage(`${message} ${detail}`, restart);
    if (choice === restart) this.host.kill();
  }

  dispose(): void {
    this.client.close();
    void this.host.dispose();
  }
}
