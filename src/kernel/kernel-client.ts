import {
  RestorationError,
  type CellError,
  type CellOutcome,
  type KernelEvent,
  type MimeBundle,
  type RunDefaults,
  type RunState,
  type ServiceAddress,
} from '../protocol';
import { KernelProcess, describeExit, detailOf, type LaunchOptions, type ProcessExit } from './kernel-process';
import { failureIn, finished, isUnfinished, withoutReason } from './unfinished';

export interface KernelOptions extends LaunchOptions {
  /** Where the inference service listens; without it the library in the kernel starts its own. */
  service?: () => Promise<ServiceAddress>;
  /** What runs use unless their options say otherwise; asked for every cell. */
  defaults?: () => RunDefaults;
  /** Milliseconds that an interrupted cell may go on before its process is killed; 5000 unless given. */
  gracePeriod?: number;
  /** Output that arrives after its cell has ended (a timer, an unhandled rejection); it belongs to the last cell. */
  onBackground?: (output: KernelOutput) => void;
}

export type KernelOutput = Extract<KernelEvent, { type: 'stream' | 'display' }>;

/** Called while a cell runs, in the order of its output. */
export interface ExecutionHandlers {
  /** The cell leaves the queue. */
  onStart?(): void;
  onStream?(name: 'stdout' | 'stderr', text: string): void;
  /** Show, or replace in place what the same execution showed under this id. */
  onDisplay?(displayId: string, bundle: MimeBundle): void;
}

export interface ExecutionResult {
  outcome: CellOutcome;
  error?: CellError;
}

/** Why a kernel process ended. Its variables are lost in every case. */
export interface KernelExit {
  reason: 'crashed' | 'interrupted' | 'restarted' | 'disposed';
  /** One sentence for the user. */
  message: string;
}

interface Job {
  id: number;
  code: string;
  handlers: ExecutionHandlers;
  /** Runs that were last shown as unfinished. */
  unfinished: Map<string, MimeBundle>;
  /** Runs that were last shown as failed. */
  failed: Map<string, MimeBundle>;
  settle: (result: ExecutionResult) => void;
}

const INTERRUPTED = { kind: 'interrupted' } as const satisfies RunState;
const FAILED = { kind: 'failed', message: '' } as const satisfies RunState;

const GRACE_MS = 5000;
/** A kernel that has not answered an interruption for so long is in a loop. */
const ANSWER_MS = 400;

/**
 * The host's end of a notebook kernel. Nothing is started before the first `start` or `execute`; executions run one
 * after the other; each settles, also when the process dies, and the next one starts a new process.
 */
export class KernelClient {
  private process: KernelProcess | undefined;
  private readonly queue: Job[] = [];
  private running: Job | undefined;
  /** The running job was sent to the process. */
  private sent = false;
  private nextId = 1;
  private escalation: NodeJS.Timeout | undefined;
  private nudge: NodeJS.Timeout | undefined;
  /** Why the process is being ended on purpose. */
  private ending: KernelExit['reason'] | undefined;
  private disposed = false;
  private readonly exitListeners = new Set<(exit: KernelExit) => void>();

  constructor(private readonly options: KernelOptions) {}

  /** Starts the process unless it runs already; resolves to the versions of its parts. Rejects with a RestorationError. */
  async start(): Promise<Record<string, string>> {
    if (this.disposed) throw new RestorationError('internal', 'This kernel was closed.', 'Open the notebook again.');
    // A process that is being ended takes no more cells.
    if (this.ending) await this.process?.exited;
    this.process ??= this.launch();
    return this.process.ready;
  }

  /** The process id, while there is a process. */
  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** True while a cell runs or waits. */
  get busy(): boolean {
    return this.running !== undefined || this.queue.length > 0;
  }

  /**
   * Runs `code` as a cell after the cells before it. Never rejects: what goes wrong is the result's `error`.
   * Aborting `signal` takes a waiting cell out of the queue and interrupts a running one.
   */
  execute(code: string, handlers: ExecutionHandlers = {}, signal?: AbortSignal): Promise<ExecutionResult> {
    return new Promise((resolve) => {
      const abort = (): void => {
        if (this.running === job) return void this.interrupt();
        const index = this.queue.indexOf(job);
        if (index < 0) return;
        this.queue.splice(index, 1);
        job.settle({ outcome: 'interrupted' });
      };
      const job: Job = {
        id: this.nextId++,
        code,
        handlers,
        unfinished: new Map(),
        failed: new Map(),
        settle: (result) => {
          signal?.removeEventListener('abort', abort);
          resolve(result);
        },
      };
      if (signal?.aborted) return job.settle({ outcome: 'interrupted' });
      signal?.addEventListener('abort', abort, { once: true });
      this.queue.push(job);
      void this.pump();
    });
  }

  /**
   * Stops the running cell; resolves when it has ended. A cell that does not stop within the grace period takes its
   * process with it: its outcome is 'interrupted', and `onExit` tells that the variables are lost.
   */
  async interrupt(): Promise<void> {
    const job = this.running;
    if (!job) return;
    const ended = new Promise<void>((resolve) => {
      const settle = job.settle;
      job.settle = (result) => {
        settle(result);
        resolve();
      };
    });
    if (!this.sent) {
      this.finish(job, { outcome: 'interrupted' });
    } else {
      this.process?.send({ type: 'interrupt' });
      this.nudge ??= setInterval(() => this.process?.breakLoop(), ANSWER_MS);
      this.escalation ??= setTimeout(() => this.end('interrupted'), this.options.gracePeriod ?? GRACE_MS);
    }
    await ended;
  }

  /** Ends the process (running and waiting cells are 'interrupted') and starts a new one without variables. */
  async restart(): Promise<Record<string, string>> {
    const old = this.process;
    this.end('restarted');
    await old?.exited;
    return this.start();
  }

  /** Ends the process and settles every execution as 'interrupted'. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    const old = this.process;
    this.ending = 'disposed';
    this.settleAll({ outcome: 'interrupted' });
    await old?.shutdown();
    this.exitListeners.clear();
  }

  /** Called whenever a process of this kernel has ended; returns a function that stops the calls. */
  onExit(listener: (exit: KernelExit) => void): () => void {
    this.exitListeners.add(listener);
    return () => this.exitListeners.delete(listener);
  }

  private launch(): KernelProcess {
    this.ending = undefined;
    const started: KernelProcess = new KernelProcess(
      { ...this.options, offersService: this.options.service !== undefined },
      {
        onEvent: (event) => this.onEvent(started, event),
        onText: (name, text) => this.output({ type: 'stream', id: this.running?.id ?? this.nextId - 1, name, text }),
        onExit: (exit) => this.onProcessExit(started, exit),
      },
    );
    return started;
  }

  private async pump(): Promise<void> {
    if (this.running) return;
    const job = this.queue.shift();
    if (!job) return;
    this.running = job;
    this.sent = false;
    job.handlers.onStart?.();
    try {
      await this.start();
    } catch (error) {
      if (this.running === job)
        this.finish(job, { outcome: 'error', error: cellError(RestorationError.from(error).message) });
      return;
    }
    // Interrupted while the process started.
    if (this.running !== job) return;
    this.sent = true;
    this.process?.send({ type: 'execute', id: job.id, code: job.code, defaults: this.options.defaults?.() });
  }

  private onEvent(source: KernelProcess, event: KernelEvent): void {
    if (source !== this.process) return;
    switch (event.type) {
      case 'ready':
        break;
      case 'stream':
      case 'display':
        this.output(event);
        break;
      case 'done':
        if (this.running?.id === event.id) this.finish(this.running, { outcome: event.outcome, error: event.error });
        break;
      case 'interrupting':
        this.stopNudging();
        break;
      case 'service-wanted':
        void this.answer(source, event.sequence);
        break;
    }
  }

  private output(event: KernelOutput): void {
    const job = this.running;
    if (job?.id !== event.id) return this.options.onBackground?.(event);
    if (event.type === 'stream') return job.handlers.onStream?.(event.name, event.text);
    if (isUnfinished(event.bundle)) job.unfinished.set(event.displayId, event.bundle);
    else job.unfinished.delete(event.displayId);
    if (failureIn(event.bundle) !== undefined) job.failed.set(event.displayId, event.bundle);
    else job.failed.delete(event.displayId);
    job.handlers.onDisplay?.(event.displayId, event.bundle);
  }

  private async answer(source: KernelProcess, sequence: number): Promise<void> {
    try {
      if (!this.options.service) throw new Error('This host offers no inference service.');
      source.send({ type: 'service', sequence, address: await this.options.service() });
    } catch (error) {
      source.send({ type: 'service', sequence, error: RestorationError.from(error).message });
    }
  }

  /** Settles the running job and takes the next one. */
  private finish(job: Job, result: ExecutionResult): void {
    this.stopNudging();
    clearTimeout(this.escalation);
    this.escalation = undefined;
    this.running = undefined;
    this.sent = false;
    if (result.outcome !== 'ok') {
      // The error of the cell says why, below the strip.
      const end = result.outcome === 'interrupted' ? INTERRUPTED : FAILED;
      for (const [displayId, bundle] of job.unfinished) job.handlers.onDisplay?.(displayId, finished(bundle, end));
      for (const [displayId, bundle] of job.failed) {
        const said = failureIn(bundle);
        if (said && result.error?.message.includes(said)) job.handlers.onDisplay?.(displayId, withoutReason(bundle));
      }
    }
    job.settle(result);
    void this.pump();
  }

  private stopNudging(): void {
    clearInterval(this.nudge);
    this.nudge = undefined;
  }

  private settleAll(result: ExecutionResult): void {
    for (const job of this.queue.splice(0)) job.settle(result);
    if (this.running) this.finish(this.running, result);
  }

  /** Ends the process on purpose; everything that runs or waits is 'interrupted'. */
  private end(reason: 'interrupted' | 'restarted'): void {
    if (reason === 'interrupted') this.running?.handlers.onStream?.('stderr', `${this.exitOf(reason).message}\n`);
    if (this.process) this.ending = reason;
    const old = this.process;
    this.settleAll({ outcome: 'interrupted' });
    old?.kill();
  }

  private onProcessExit(source: KernelProcess, exit: ProcessExit): void {
    if (source !== this.process) return;
    // The signal that breaks loops came at the one moment at which it ends the process.
    if (exit.signal === 'SIGINT' && this.escalation) this.end('interrupted');
    const reason = this.ending ?? 'crashed';
    this.process = undefined;
    this.ending = undefined;
    const { message } = reason === 'crashed' ? (source.failure ?? crash(exit)) : this.exitOf(reason);
    // Before the cells that end with it are settled: who starts the next ones knows then that there is a new process.
    for (const listener of [...this.exitListeners]) listener({ reason, message });
    if (reason !== 'crashed') return;
    // At whatever moment it died, also before the running cell was sent to it: no cell waits for a process that is gone.
    this.settleAll({ outcome: 'error', error: cellError(message) });
  }

  private exitOf(reason: Exclude<KernelExit['reason'], 'crashed'>): KernelExit {
    const seconds = (this.options.gracePeriod ?? GRACE_MS) / 1000;
    const messages = {
      interrupted: `The cell could not be stopped within ${seconds} s, so its process was ended: all variables are lost. Run the cells above again.`,
      restarted: 'The kernel was restarted: all variables are lost.',
      disposed: 'The kernel was closed.',
    };
    return { reason, message: messages[reason] };
  }
}

function crash(exit: ProcessExit): RestorationError {
  if (/heap out of memory|allocation failed/i.test(exit.stderr)) {
    return new RestorationError(
      'internal',
      'The notebook kernel ran out of memory, and all variables are lost.',
      'Keep fewer or smaller values in variables, then run the cells again from the top.',
    );
  }
  return new RestorationError(
    'internal',
    `The notebook kernel ended unexpectedly (${describeExit(exit)})${detailOf(exit)}; all variables are lost.`,
    'Run the cells again from the top: a new kernel starts by itself.',
  );
}

function cellError(message: string): CellError {
  return { name: 'KernelError', message, stack: '' };
}
