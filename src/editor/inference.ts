import type * as vscode from 'vscode';
import { InferenceClient } from '../inference/client';
import { ServiceHost } from '../inference/service-host';
import type { ServiceAddress } from '../protocol';
import type { Log } from './status/log';

/** This window's inference service: one process for the panels and for all notebook kernels, started by the first that needs it. */
export class WindowInference implements vscode.Disposable {
  private readonly host: ServiceHost;
  readonly client: InferenceClient;

  /** @param entry absolute path of the service's bundle */
  constructor(entry: string, log: Log) {
    this.host = new ServiceHost({
      entry,
      execPath: process.execPath,
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      onLog: (line) => log.info(line),
    });
    this.host.onExit(({ code, signal }) => log.info(`The inference process ended (${signal ?? `exit code ${code}`}).`));
    this.client = new InferenceClient(() => this.address(), { forceCancel: () => this.host.kill() });
  }

  /** Where the service listens; starts it when it is not running. */
  address(): Promise<ServiceAddress> {
    return this.host.address();
  }

  dispose(): void {
    this.client.close();
    void this.host.dispose();
  }
}
