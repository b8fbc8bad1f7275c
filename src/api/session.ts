import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DISPLAY_HOST, type DisplayHost } from '../protocol';
import { InferenceClient } from '../inference/client';
import { ServiceHost } from '../inference/service-host';

/** The notebook kernel that this library runs in, if it does. */
export function displayHost(): DisplayHost | undefined {
  return (globalThis as { [DISPLAY_HOST]?: DisplayHost })[DISPLAY_HOST];
}

let client: InferenceClient | undefined;
let host: ServiceHost | undefined;

/** The process-wide client: of the editor's service inside a notebook there, of a service of our own elsewhere. */
export function inferenceClient(): InferenceClient {
  if (client) return client;
  const shared = displayHost()?.service;
  if (shared) {
    client = new InferenceClient(shared);
  } else {
    const owned = new ServiceHost({
      // What a native library prints is for whoever looks for a fault, not for the output of a script.
      onLog: (line) => {
        if (process.env.PROGRESSIVE_RESTORATION_LOG) process.stderr.write(`[inference] ${line}\n`);
      },
    });
    host = owned;
    client = new InferenceClient(() => owned.address(), { forceCancel: () => owned.kill() });
  }
  return client;
}

/**
 * Ends the inference process of this library. Scripts need not call it: an idle service does not keep a program alive,
 * and ends with it.
 */
export async function shutdown(): Promise<void> {
  client?.close();
  client = undefined;
  const owned = host;
  host = undefined;
  await owned?.dispose();
}

let temporary: string | undefined;

/** Where full frames go: beside the notebook, or into a temporary folder that is removed when the program ends. */
export function framesFolder(): string {
  const notebook = displayHost();
  if (notebook) return notebook.framesFolder;
  if (!temporary) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'progressive-restoration-frames-'));
    temporary = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return temporary;
}
