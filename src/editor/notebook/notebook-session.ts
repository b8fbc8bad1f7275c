import type * as vscode from 'vscode';
import { RestorationError } from '../../protocol';
import type { KernelClient } from '../../kernel';
import { asCellError } from './cell-error';
import { CellOutputs } from './cell-outputs';

export interface SessionListeners {
  /** Called when the first cell of a queue starts; disposed when the queue is empty. */
  onBusy(): vscode.Disposable;
  onFailure(error: unknown): void;
}

/** A cell that waits, and what it was promised: the variables of the kernel that was there when it was run. */
interface Waiting {
  execution: vscode.NotebookCellExecution;
  generation: number;
}

/** One notebook's kernel and the cells that wait for it. */
export class NotebookSession {
  private readonly queue: Waiting[] = [];
  private readonly active = new Set<vscode.NotebookCell>();
  private pumping: Promise<void> | undefined;
  private order = 0;
  /** Counts the kernels of this notebook that ended unexpectedly. */
  private generation = 0;
  /** How the last one ended, until a cell has told it. */
  private untold: string | undefined;

  constructor(
    readonly client: KernelClient,
    private readonly listeners: SessionListeners,
  ) {
    client.onExit(({ reason, message }) => {
      this.order = 0;
      this.untold = undefined;
      if (reason !== 'crashed') return;
      this.generation += 1;
      this.untold = message;
      listeners.onFailure(new RestorationError('internal', message, ''));
    });
  }

  /** Runs `cells` in order after those that wait already. A cell that fails takes the cells behind it out of the queue. */
  async run(cells: readonly vscode.NotebookCell[], controller: vscode.NotebookController): Promise<void> {
    for (const cell of cells) {
      // The editor refuses a second execution of a cell that waits or runs.
      if (this.active.has(cell)) continue;
      this.active.add(cell);
      this.queue.push({ execution: controller.createNotebookCellExecution(cell), generation: this.generation });
    }
    await this.pump();
  }

  /** Stops the running cell and takes the others out of the queue. */
  async interrupt(): Promise<void> {
    this.dropQueue();
    await this.client.interrupt();
  }

  /** Starts over without variables. */
  async restart(): Promise<void> {
    this.dropQueue();
    await this.client.restart();
    // The cell that was ended is out of the way before another is run.
    await this.pumping;
  }

  async dispose(): Promise<void> {
    this.dropQueue();
    await this.client.dispose();
  }

  private dropQueue(): void {
    for (const { execution } of this.queue.splice(0)) this.end(execution, undefined);
  }

  private async pump(): Promise<void> {
    if (this.queue.length > 0) this.pumping ??= this.drain();
    await this.pumping;
  }

  private async drain(): Promise<void> {
    const busy = this.listeners.onBusy();
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        const success = await this.execute(next);
        this.end(next.execution, success);
        if (success !== true) this.dropQueue();
      }
    } finally {
      this.pumping = undefined;
      busy.dispose();
    }
  }

  /** Resolves to true for success, false for an error and undefined for an interrupted cell. */
  private async execute({ execution, generation }: Waiting): Promise<boolean | undefined> {
    this.order += 1;
    execution.executionOrder = this.order;
    execution.start(Date.now());
    const outputs = new CellOutputs(execution, (error) => this.listeners.onFailure(error));
    outputs.clear();
    const lost = this.untold;
    this.untold = undefined;
    // The cells above it ran in a kernel that is gone.
    if (lost !== undefined && generation !== this.generation) {
      await outputs.finish({ name: 'KernelError', message: lost, stack: '' });
      return false;
    }
    if (lost !== undefined) outputs.stream('stderr', `${lost}\n`);
    try {
      // Handed over in the same turn: were anything waited for first, a kernel that dies meanwhile would fail no cell.
      const { outcome, error } = await this.client.execute(execution.cell.document.getText(), {
        onStream: (name, text) => outputs.stream(name, text),
        onDisplay: (id, bundle) => outputs.display(id, bundle),
      });
      if (error !== undefined && error.message === this.untold) this.untold = undefined;
      await outputs.finish(error);
      return outcome === 'interrupted' ? undefined : outcome === 'ok';
    } catch (error) {
      this.listeners.onFailure(error);
      await outputs.finish(asCellError(error));
      return false;
    }
  }

  private end(execution: vscode.NotebookCellExecution, success: boolean | undefined): void {
    this.active.delete(execution.cell);
    execution.end(success, Date.now());
  }
}
