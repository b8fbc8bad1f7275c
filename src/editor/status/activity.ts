import * as vscode from 'vscode';
import { COMMANDS } from '../ids';

/** One status bar item that is there only while something runs, and says what. */
export class Activity implements vscode.Disposable {
  private readonly labels = new Map<symbol, string>();
  private item: vscode.StatusBarItem | undefined;

  /** Shows `label` until the result is disposed. The newest of several labels is shown, with the number of others. */
  begin(label: string): vscode.Disposable {
    const key = Symbol(label);
    this.labels.set(key, label);
    this.update();
    return new vscode.Disposable(() => {
      this.labels.delete(key);
      this.update();
    });
  }

  private update(): void {
    const labels = [...this.labels.values()];
    const newest = labels.at(-1);
    if (newest === undefined) {
      this.item?.dispose();
      this.item = undefined;
      return;
    }
    this.item ??= this.createItem();
    const others = labels.length - 1;
    this.item.text = `$(loading~spin) ${newest}${others > 0 ? ` (+${others})` : ''}`;
    this.item.tooltip = [...labels, vscode.l10n.t('Click for the log.')].join('\n');
    this.item.show();
  }

  private createItem(): vscode.StatusBarItem {
    const item = vscode.window.createStatusBarItem('activity', vscode.StatusBarAlignment.Left);
    item.name = vscode.l10n.t('Progressive Restoration');
    item.command = COMMANDS.showLog;
    return item;
  }

  dispose(): void {
    this.labels.clear();
    this.update();
  }
}
