import { mkdtemp, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { KernelClient, type ExecutionResult, type KernelOptions, type KernelOutput } from '../../src/kernel';
import type { MimeBundle } from '../../src/protocol';

export const ROOT = path.resolve(__dirname, '..', '..');
/** The built kernel: tests run what is shipped. */
export const KERNEL_ENTRY = path.join(ROOT, 'dist', 'kernel.js');

export type CellResult = ExecutionResult & {
  stdout: string;
  stderr: string;
  /** Streams in their order, neighbours of one name joined. */
  streams: { name: string; text: string }[];
  /** Displays in the order in which they first appeared, as last shown. */
  displays: { displayId: string; bundle: MimeBundle; updates: number }[];
  /** text/plain of the last display. */
  text: unknown;
};

/** A real kernel process for a notebook in a temporary folder far from the repository. */
export class TestKernel {
  private constructor(
    readonly folder: string,
    readonly client: KernelClient,
    /** What arrived after its cell had ended. */
    readonly background: KernelOutput[],
  ) {}

  static async create(options: Partial<KernelOptions> = {}): Promise<TestKernel> {
    const folder = await temporaryFolder();
    const background: KernelOutput[] = [];
    const client = new KernelClient({
      notebook: path.join(folder, 'test.ipynb'),
      framesFolder: path.join(folder, 'test.frames'),
      entry: KERNEL_ENTRY,
      onBackground: (output) => background.push(output),
      ...options,
    });
    return new TestKernel(folder, client, background);
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  async run(code: string, signal?: AbortSignal, onOutput?: () => void): Promise<CellResult> {
    const streams: CellResult['streams'] = [];
    const displays: CellResult['displays'] = [];
    const result = await this.client.execute(
      code,
      {
        onStream: (name, text) => {
          onOutput?.();
          const last = streams.at(-1);
          if (last?.name === name) last.text += text;
          else streams.push({ name, text });
        },
        onDisplay: (displayId, bundle) => {
          onOutput?.();
          const shown = displays.find((display) => display.displayId === displayId);
          if (shown) Object.assign(shown, { bundle, updates: shown.updates + 1 });
          else displays.push({ displayId, bundle, updates: 1 });
        },
      },
      signal,
    );
    const textOf = (wanted: string): string =>
      streams
        .filter(({ name }) => name === wanted)
        .map(({ text }) => text)
        .join('');
    return {
      ...result,
      stdout: textOf('stdout'),
      stderr: textOf('stderr'),
      streams,
      displays,
      text: displays.at(-1)?.bundle['text/plain'],
    };
  }

  /** Runs a cell and interrupts it as soon as it has printed or shown something. */
  async runInterrupted(code: string): Promise<CellResult> {
    const controller = new AbortController();
    return this.run(code, controller.signal, () => setTimeout(() => controller.abort(), 100));
  }

  async dispose(): Promise<void> {
    await this.client.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Real path of a new temporary folder (on some systems the usual one is a link). */
export async function temporaryFolder(): Promise<string> {
  return realpath(await mkdtemp(path.join(os.tmpdir(), 'pir-kernel-')));
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Aborts after some milliseconds. */
export function abortAfter(milliseconds: number): AbortSignal {
  return AbortSignal.timeout(milliseconds);
}

/** True while a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until `condition` holds; fails after `limit` milliseconds. */
export async function until(condition: () => boolean, limit: number, what: string): Promise<void> {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited ${limit} ms in vain until ${what}.`);
    await delay(50);
  }
}
