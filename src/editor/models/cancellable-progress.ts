import * as vscode from 'vscode';
import type { Activity } from '../status/activity';
import { signalOf } from './amounts';

/** Work with a cancellable notification and the status item. */
export function withCancellableProgress<T>(
  activity: Activity,
  title: string,
  work: (signal: AbortSignal, progress: vscode.Progress<{ message?: string; increment?: number }>) => Promise<T>,
): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return Promise.resolve(
    vscode.window.withProgress(options, async (progress, token) => {
      const busy = activity.begin(title);
      try {
        return await work(signalOf(token), progress);
      } finally {
        busy.dispose();
      }
    }),
  );
}
