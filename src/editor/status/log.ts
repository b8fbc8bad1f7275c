import * as vscode from 'vscode';
import { COMMANDS } from '../ids';
import { RestorationError } from '../../protocol';

/** The log channel, and the one way in which a failure reaches the user. */
export class Log implements vscode.Disposable {
  private readonly channel = vscode.window.createOutputChannel('Progressive Restoration', { log: true });

  info(line: string): void {
    this.channel.info(line);
  }

  /** Writes the whole error to the log; the user sees its sentence elsewhere. */
  failure(error: unknown): RestorationError {
    const failure = RestorationError.from(error);
    this.channel.error(failure.message);
    const cause = failure.cause ?? failure;
    if (cause instanceof Error && cause.stack !== undefined) this.channel.debug(cause.stack);
    return failure;
  }

  /** Writes the error to the log and shows its sentence with a way to the log. */
  async report(error: unknown): Promise<void> {
    const failure = this.failure(error);
    const show = vscode.l10n.t('Show Log');
    const choice = await vscode.window.showErrorMessage(failure.message, show);
    if (choice === show) await vscode.commands.executeCommand(COMMANDS.showLog);
  }

  show(): void {
    this.channel.show(true);
  }

  dispose(): void {
    this.channel.dispose();
  }
}
