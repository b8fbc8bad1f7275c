import * as vscode from 'vscode';
import { RestorationError } from '../protocol';

/** Throws unless the workspace is trusted: pictures and notebooks from elsewhere start no process of ours. */
export function assertTrusted(): void {
  if (vscode.workspace.isTrusted) return;
  throw new RestorationError(
    'bad-argument',
    vscode.l10n.t('Expected a trusted workspace; this one is in Restricted Mode.'),
    vscode.l10n.t('Trust it with the command "Workspaces: Manage Workspace Trust" first.'),
  );
}

/** The path of a file on this machine's disk. Throws for files that live elsewhere. */
export function diskPath(uri: vscode.Uri): string {
  if (uri.scheme === 'file') return uri.fsPath;
  throw new RestorationError(
    'bad-argument',
    vscode.l10n.t('Expected a file on a disk, got one of the virtual file system "{0}".', uri.scheme),
    vscode.l10n.t('Save it to a folder on the disk first.'),
  );
}
