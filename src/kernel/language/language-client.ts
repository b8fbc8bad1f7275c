import { fork, type ChildProcess } from 'node:child_process';
import {
  isLanguageAnswer,
  languageResult,
  type CellContext,
  type LanguageQuery,
  type LanguageRequest,
  type LanguageResults,
} from '../../protocol';

export interface LanguageOptions {
  /** Absolute path of the process's bundle. */
  entry: string;
  /** The notebooks' folder: where imports start from. */
  folder: string;
  /** Node to run it with; the one that runs this code unless given. */
  execPath?: string;
  onLog(line: string): void;
  /** Milliseconds that one answer may take; 60 000 unless given. A compiler that takes longer is ended. */
  patience?: number;
}

interface Question {
  request: LanguageRequest;
  /** Asked by somebody who waits at the cursor. */
  urgent: boolean;
  settle(result: unknown): void;
}

const PATIENCE_MS = 60_000;
/** A process that ended so often within this time is left alone for as long. */
const CRASHES = 3;
const CRASH_WINDOW_MS = 60_000;
/** Heap of the process in MB: the compiler holds some 200 for Node's types and the library's. */
const HEAP_MB = 1024;

/**
 * The host's end of a language process. It is started by the first question and by the first one after it ended; one
 * question is asked at a time, so that what is outdated never reaches it. A question that cannot be answered (the process
 * died, or took too long) resolves to undefined: the editor shows nothing rather than an error at every key.
 */
export class LanguageClient {
  private child: ChildProcess | undefined;
  private readonly queue: Question[] = [];
  private asked: Question | undefined;
  private nextId = 1;
  private patience: NodeJS.Timeout | undefined;
  private crashes: number[] = [];
  private disposed = false;

  constructor(private readonly options: LanguageOptions) {}

  /** The process id, while there is a process. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Aborting `signal` takes a question that waits out of the queue. */
  ask<Query extends LanguageQuery>(
    cell: CellContext,
    query: Query,
    signal?: AbortSignal,
  ): Promise<LanguageResults[Query['kind']] | undefined> {
    return new Promise((resolve) => {
      if (this.disposed || signal?.aborted) return resolve(undefined);
      const abort = (): void => {
        const index = this.queue.indexOf(question);
        if (index >= 0) this.queue.splice(index, 1);
        question.settle(undefined);
      };
      const question: Question = {
        request: { id: this.nextId++, cell, query },
        urgent: query.kind !== 'check',
        settle: (result) => {
          signal?.removeEventListener('abort', abort);
          resolve(languageResult<Query['kind']>(query.kind, result));
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.queue.push(question);
      this.pump();
    });
  }

  /** Ends the process; every question is answered with undefined. */
  dispose(): void {
    this.disposed = true;
    for (const question of this.queue.splice(0)) question.settle(undefined);
    const { child } = this;
    this.end();
    child?.kill('SIGKILL');
  }

  private pump(): void {
    if (this.asked) return;
    if (this.resting()) for (const question of this.queue.splice(0)) question.settle(undefined);
    const urgent = this.queue.findIndex((question) => question.urgent);
    const [question] = this.queue.splice(Math.max(0, urgent), 1);
    if (!question) return;
    this.asked = question;
    this.child ??= this.launch();
    const { child } = this;
    this.patience = setTimeout(() => {
      this.options.onLog('The language process took too long to answer and was ended.');
      child.kill('SIGKILL');
    }, this.options.patience ?? PATIENCE_MS);
    // A process that is gone reports itself through its end.
    child.send(question.request, () => undefined);
  }

  private resting(): boolean {
    const now = Date.now();
    this.crashes = this.crashes.filter((time) => now - time < CRASH_WINDOW_MS);
    return this.crashes.length >= CRASHES;
  }

  private launch(): ChildProcess {
    const child = fork(this.options.entry, [], {
      cwd: this.options.folder,
      execPath: this.options.execPath,
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      // In a desktop editor the executable is Electron, which is Node only when told so.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (message: unknown) => {
      if (child !== this.child || !isLanguageAnswer(message) || message.id !== this.asked?.request.id) return;
      if (message.error !== undefined) this.options.onLog(`The compiler failed: ${message.error}`);
      this.settle(message.error === undefined ? message.result : undefined);
      this.pump();
    });
    const ended = (how: string): void => {
      if (child !== this.child) return;
      this.options.onLog(`The language process ended (${how}); the next question starts another.`);
      this.crashes.push(Date.now());
      this.end();
      this.pump();
    };
    child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
    child.once('error', (error) => ended(error.message));
    return child;
  }

  private end(): void {
    this.child = undefined;
    this.settle(undefined);
  }

  private settle(result: unknown): void {
    clearTimeout(this.patience);
    const { asked } = this;
    this.asked = undefined;
    asked?.settle(result);
  }
}
