import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { RestorationError, type ServiceAddress } from '../protocol';
import { bundlePath } from '../restoration/models/locations';
import { makeSocketFolder, removeAbandonedFolders, socketIn } from './socket-folder';

/** A service that has not answered by then will not. */
const START_MILLISECONDS = 30_000;

export interface ServiceHostOptions {
  /** Path of the service bundle; the package's own by default. */
  entry?: string;
  /** Node to run it with; the current one by default. */
  execPath?: string;
  /** Environment of the process; a function is asked at every start. */
  env?: NodeJS.ProcessEnv | (() => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>);
  /** A line that the service wrote to its standard output or error. */
  onLog?: (line: string) => void;
}

/** How a service process ended. */
export interface ServiceExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * Owns one inference service: starts it when somebody asks for its address, starts it again after it died, ends it when
 * disposed. Path and token stay the same for the life of the host, so that clients find a new process where the old was.
 */
export class ServiceHost {
  private readonly listeners = new Set<(exit: ServiceExit) => void>();
  private readonly token = randomBytes(32).toString('hex');
  private folder: string | undefined;
  private child: ChildProcess | undefined;
  private starting: Promise<ServiceAddress> | undefined;
  private disposed = false;

  constructor(private readonly options: ServiceHostOptions = {}) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /**
   * Where the service listens; starts it when it is not running.
   *
   * @throws RestorationError `service-died` when it cannot be started
   */
  address(): Promise<ServiceAddress> {
    if (this.disposed) {
      return Promise.reject(closed());
    }
    this.starting ??= this.start().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  onExit(listener: (exit: ServiceExit) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ends a service that does not answer; the next call of `address` starts another. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    const child = this.child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // While somebody waits for its end, it counts again.
      child.ref();
      child.kill('SIGKILL');
      await gone;
    }
    this.removeFolder();
  }

  private async start(): Promise<ServiceAddress> {
    const address = { path: this.socketPath(), token: this.token };
    const { entry = bundlePath('service.js'), execPath, onLog } = this.options;
    const env = typeof this.options.env === 'function' ? await this.options.env() : this.options.env;
    if (this.disposed) throw closed();
    const child = fork(entry, [], {
      ...(execPath === undefined ? {} : { execPath }),
      // An editor's own executable runs as plain Node only with this set.
      env: { ...(env ?? process.env), ELECTRON_RUN_AS_NODE: '1' },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) if (stream) forwardLines(stream, onLog);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
      }, START_MILLISECONDS);
      child.once('error', (error) => {
        clearTimeout(timer);
        this.forget(child, { code: null, signal: null });
        reject(cannotStart(error.message));
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        this.forget(child, { code, signal });
        reject(cannotStart(`it ended with ${signal ?? `code ${code}`}`));
      });
      child.once('message', (message: { type?: unknown; message?: unknown }) => {
        clearTimeout(timer);
        if (message.type === 'listening') {
          // An idle service does not keep its owner alive.
          child.unref();
          child.channel?.unref();
          resolve(address);
        } else {
          reject(cannotStart(String(message.message)));
        }
      });
      child.send({ type: 'listen', ...address });
    });
  }

  private forget(child: ChildProcess, exit: ServiceExit): void {
    if (this.child !== child) return;
    this.child = undefined;
    this.starting = undefined;
    if (process.platform !== 'win32' && this.folder) rmSync(socketIn(this.folder), { force: true });
    for (const listener of this.listeners) listener(exit);
  }

  private socketPath(): string {
    if (process.platform === 'win32') return `\\\\.\\pipe\\progressive-restoration-${this.token.slice(0, 24)}`;
    if (!this.folder) {
      this.folder = makeSocketFolder();
      process.once('exit', () => this.removeFolder());
      // Nobody waits for it: what a killed owner left behind takes no room.
      void removeAbandonedFolders();
    }
    return socketIn(this.folder);
  }

  private removeFolder(): void {
    if (this.folder) rmSync(this.folder, { recursive: true, force: true });
  }
}

function closed(): RestorationError {
  return new RestorationError('service-died', 'The inference service was closed.', 'Start again.');
}

function cannotStart(reason: string): RestorationError {
  return new RestorationError(
    'service-died',
    `The inference process could not be started: ${reason.replace(/\.$/, '')}.`,
    'Try again; if it stays so, install the package again.',
  );
}

function forwardLines(stream: Readable, onLog: ((line: string) => void) | undefined): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLog?.(line);
  });
  // A socket underneath, in fact: it must not keep the process alive either.
  (stream as Readable & { unref?: () => void }).unref?.();
}
