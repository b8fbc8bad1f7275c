import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { RestorationError, isKernelEvent, type KernelEvent, type KernelRequest } from '../protocol';

/** How the process of a kernel is started. */
export interface LaunchOptions {
  /** Absolute path of the notebook; its folder becomes the working directory. It need not exist. */
  notebook: string;
  /** Absolute path of the folder for full frames. */
  framesFolder: string;
  /** Node to run the kernel with; the one that runs this code unless given. */
  execPath?: string;
  execArgv?: string[];
  /** Added to a copy of this process's environment. */
  env?: Record<string, string | undefined>;
  /** The kernel's bundle; `kernel.js` beside the running bundle unless given. */
  entry?: string;
}

/** Why a process ended: its exit code or signal, and the end of what it wrote to stderr by itself. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

export interface ProcessListeners {
  onEvent(event: KernelEvent): void;
  /** Text that bypassed the kernel's own streams: native code, or a child that inherited them. */
  onText(name: 'stdout' | 'stderr', text: string): void;
  onExit(exit: ProcessExit): void;
}

/** Longest start: the compiler alone takes two seconds of a free processor, and much longer on a busy one. */
const START_LIMIT_MS = 180_000;
const STDERR_KEPT = 4_000;
/** How long a process that was asked to end may take before it is killed. */
const SHUTDOWN_MS = 500;

/** A process group of its own: killing it takes everything that cells started with it. Windows has no such groups. */
const OWN_GROUP = process.platform !== 'win32';

/** One kernel process, from fork to exit. */
export class KernelProcess {
  readonly ready: Promise<Record<string, string>>;
  readonly exited: Promise<ProcessExit>;
  /** Why it never became ready; undefined while it may still, and once it has. */
  failure: RestorationError | undefined;
  private readonly child: ChildProcess;
  private ended = false;
  private isReady = false;

  constructor(
    options: LaunchOptions & { offersService: boolean },
    private readonly listeners: ProcessListeners,
  ) {
    this.child = fork(options.entry ?? path.join(__dirname, 'kernel.js'), [], {
      execPath: options.execPath,
      execArgv: options.execArgv ?? [],
      // In a desktop editor the executable is Electron, which is Node only when told so.
      env: { ...process.env, ...options.env, ELECTRON_RUN_AS_NODE: '1' },
      // The fifth channel carries nothing: it closes when this process dies, which a kernel in a busy loop notices too.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      detached: OWN_GROUP,
    });
    let stderr = '';
    this.forward('stdout');
    this.forward('stderr', (text) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    this.child.stdio[4]?.on('error', () => this.kill());

    let resolveReady: (versions: Record<string, string>) => void;
    let rejectReady: (error: RestorationError) => void;
    this.ready = new Promise((resolve, reject) => {
      resolveReady = resolve;
      rejectReady = reject;
    });
    const fail = (error: RestorationError): void => {
      if (this.isReady || this.failure) return;
      this.failure = error;
      rejectReady(error);
    };
    // A caller that is gone before the start ends must not turn its failure into an unhandled rejection.
    this.ready.catch(() => undefined);
    const limit = setTimeout(() => {
      fail(
        new RestorationError(
          'internal',
          `The notebook kernel did not start within ${START_LIMIT_MS / 1000} seconds.`,
          'Close other programs that keep the processor busy, then run the cell again.',
        ),
      );
      this.kill();
    }, START_LIMIT_MS);

    this.child.on('message', (message: unknown) => {
      if (!isKernelEvent(message)) return;
      if (message.type === 'ready') {
        clearTimeout(limit);
        this.isReady = true;
        resolveReady(message.versions);
      }
      this.listeners.onEvent(message);
    });

    this.exited = new Promise((resolve) => {
      const settle = (code: number | null, signal: NodeJS.Signals | null, failure?: Error): void => {
        if (this.ended) return;
        this.ended = true;
        clearTimeout(limit);
        this.killGroup();
        const exit = { code, signal, stderr: failure ? failure.message : stderr };
        fail(startFailure(exit));
        this.listeners.onExit(exit);
        resolve(exit);
      };
      // `close` comes after the last output; a grandchild that holds the pipes open must not delay it for ever.
      this.child.once('exit', (code, signal) => {
        const timer = setTimeout(() => settle(code, signal), 250);
        this.child.once('close', () => {
          clearTimeout(timer);
          settle(code, signal);
        });
      });
      this.child.once('error', (error) => settle(null, null, error));
    });

    this.send({
      type: 'start',
      notebook: options.notebook,
      framesFolder: options.framesFolder,
      offersService: options.offersService,
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Sends a request; a process that is gone reports itself through `onExit`. */
  send(request: KernelRequest): void {
    if (this.child.connected) this.child.send(request, () => undefined);
  }

  /**
   * Breaks a loop of the running cell. Only for a process that does not answer: a signal that arrives just before or
   * after a stretch of a cell ends the process. Does nothing on Windows, where the signal would always do that.
   */
  breakLoop(): void {
    if (OWN_GROUP) this.child.kill('SIGINT');
  }

  kill(): void {
    this.killGroup();
    this.child.kill('SIGKILL');
  }

  /** Ends the process, by force if it does not go by itself. */
  async shutdown(): Promise<void> {
    this.send({ type: 'shutdown' });
    const timer = setTimeout(() => this.kill(), SHUTDOWN_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private killGroup(): void {
    if (!OWN_GROUP || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // No process of the group is left.
    }
  }

  private forward(name: 'stdout' | 'stderr', also?: (text: string) => void): void {
    const decoder = new StringDecoder('utf8');
    this.child[name]?.on('data', (data: Buffer) => {
      const text = decoder.write(data);
      if (text === '') return;
      also?.(text);
      this.listeners.onText(name, text);
    });
  }
}

function startFailure(exit: ProcessExit): RestorationError {
  return new RestorationError(
    'internal',
    `The notebook kernel could not start (${describeExit(exit)})${detailOf(exit)}.`,
    'Check that the package is installed completely, then run the cell again.',
  );
}

/** "exit code 1" or "signal SIGKILL". */
export function describeExit(exit: ProcessExit): string {
  if (exit.signal) return `signal ${exit.signal}`;
  return exit.code === null ? 'it could not be run' : `exit code ${exit.code}`;
}

/** The line of stderr that names the cause, led by a colon, or nothing. */
export function detailOf(exit: ProcessExit): string {
  const lines = exit.stderr.split('\n').map((line) => line.trim());
  const line = lines.find((text) => /^(?:\w*Error|FATAL ERROR)\b/.test(text)) ?? lines.find((text) => text !== '');
  return line ? `: ${line.replace(/[.\s]+$/, '')}` : '';
}
