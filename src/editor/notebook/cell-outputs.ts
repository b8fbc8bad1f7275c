import * as vscode from 'vscode';
import type { CellError, MimeBundle } from '../../protocol';
import { bundleItems, errorOutput } from './output-items';

/** Shortest time between two updates of a cell's outputs, in milliseconds: four a second read smoothly and stay cheap. */
const UPDATE_INTERVAL = 250;

interface StreamOutput {
  kind: 'stream';
  name: 'stdout' | 'stderr';
  /** Text that is not shown yet. */
  pending: string;
  output: vscode.NotebookCellOutput | undefined;
}

interface DisplayOutput {
  kind: 'display';
  bundle: MimeBundle;
  changed: boolean;
  output: vscode.NotebookCellOutput | undefined;
}

/**
 * The outputs of one execution. Text is appended to the output it belongs to, a display replaces the one with its id in
 * place, and the editor hears of it at most four times a second, in the order in which things happened.
 */
export class CellOutputs {
  private readonly entries: (StreamOutput | DisplayOutput)[] = [];
  private readonly displays = new Map<string, DisplayOutput>();
  private timer: NodeJS.Timeout | undefined;
  private lastUpdate = 0;
  private updates: Promise<void> = Promise.resolve();

  /** @param onFailure is told when the editor refuses an update (the cell or the notebook is gone). */
  constructor(
    private readonly execution: vscode.NotebookCellExecution,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Removes what the cell showed before; what comes after follows it. */
  clear(): void {
    this.enqueue(() => this.execution.clearOutput());
  }

  stream(name: 'stdout' | 'stderr', text: string): void {
    const last = this.entries.at(-1);
    if (last?.kind === 'stream' && last.name === name) last.pending += text;
    else this.entries.push({ kind: 'stream', name, pending: text, output: undefined });
    this.schedule();
  }

  display(id: string, bundle: MimeBundle): void {
    const known = this.displays.get(id);
    if (known !== undefined) {
      known.bundle = bundle;
      known.changed = true;
    } else {
      const entry: DisplayOutput = { kind: 'display', bundle, changed: true, output: undefined };
      this.displays.set(id, entry);
      this.entries.push(entry);
    }
    this.schedule();
  }

  /** Shows what is still pending, and the error that ended the cell if one did; resolves when the editor has it. */
  async finish(error: CellError | undefined): Promise<void> {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    this.update();
    if (error !== undefined) this.enqueue(() => this.execution.appendOutput(errorOutput(error)));
    await this.updates;
  }

  private schedule(): void {
    if (this.timer !== undefined) return;
    const wait = Math.max(0, this.lastUpdate + UPDATE_INTERVAL - Date.now());
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.update();
    }, wait);
  }

  private update(): void {
    this.lastUpdate = Date.now();
    const created: vscode.NotebookCellOutput[] = [];
    for (const entry of this.entries) {
      if (entry.kind === 'stream') {
        if (entry.pending === '') continue;
        const { name } = entry;
        const item = vscode.NotebookCellOutputItem[name](entry.pending);
        entry.pending = '';
        if (entry.output === undefined) {
          entry.output = new vscode.NotebookCellOutput([item]);
          created.push(entry.output);
        } else {
          const { output } = entry;
          this.enqueue(() => this.execution.appendOutputItems(item, output));
        }
      } else if (entry.changed) {
        const items = bundleItems(entry.bundle);
        entry.changed = false;
        if (entry.output === undefined) {
          entry.output = new vscode.NotebookCellOutput(items);
          created.push(entry.output);
        } else {
          const { output } = entry;
          this.enqueue(() => this.execution.replaceOutputItems(items, output));
        }
      }
    }
    if (created.length > 0) this.enqueue(() => this.execution.appendOutput(created));
  }

  private enqueue(change: () => Thenable<void>): void {
    this.updates = this.updates.then(change).then(undefined, this.onFailure);
  }
}
