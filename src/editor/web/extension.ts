import * as vscode from 'vscode';
import { SavedStrips } from './saved-strips';

/**
 * The extension in a browser. Nothing can be started there: the renderer shows what notebooks keep, and full frames are read from
 * the folder beside the notebook through whatever file system holds it.
 */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Progressive Restoration', { log: true });
  context.subscriptions.push(log, new SavedStrips(log));
}
