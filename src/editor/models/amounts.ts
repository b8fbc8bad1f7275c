import * as vscode from 'vscode';

/** Bytes for people. */
export function amount(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes >= 1024) return vscode.l10n.t('{0} GiB', (mebibytes / 1024).toFixed(1));
  return mebibytes < 0.1
    ? vscode.l10n.t('{0} KiB', Math.max(1, Math.round(bytes / 1024)))
    : vscode.l10n.t('{0} MiB', mebibytes.toFixed(1));
}

/** Turns counts of bytes into increments of a progress notification. */
export class ByteProgress {
  private reported = 0;

  constructor(private readonly progress: vscode.Progress<{ message?: string; increment?: number }>) {}

  /** @param what file that is being fetched */
  report(done: number, total: number, what: string): void {
    const percent = total > 0 ? (100 * done) / total : 0;
    const increment = Math.max(0, percent - this.reported);
    this.reported += increment;
    const message = vscode.l10n.t('{0}: {1} of {2}', what, amount(done), amount(total));
    this.progress.report({ message, increment });
  }
}

/** An AbortSignal that follows a CancellationToken of the editor. */
export function signalOf(token: vscode.CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
