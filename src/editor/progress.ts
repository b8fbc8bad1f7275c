import type * as vscode from 'vscode';
import type { OnProgress } from './panel/picture-restorer';

/** A cancellation token as the signal that the library knows. Dispose it when the work has ended. */
export function asSignal(token: vscode.CancellationToken): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  const subscription = token.onCancellationRequested(() => controller.abort());
  const dispose = (): void => {
    subscription.dispose();
  };
  return { signal: controller.signal, dispose };
}

/** Reports shares of the whole, in [0,1], as the increments in percent that a notification wants; never backwards. */
export function nonDecreasing(progress: vscode.Progress<{ message?: string; increment?: number }>): OnProgress {
  let reported = 0;
  return (share, message) => {
    const percent = 100 * Math.min(1, Math.max(0, share));
    const increment = Math.max(0, percent - reported);
    reported += increment;
    progress.report({ message, increment });
  };
}
