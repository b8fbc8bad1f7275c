import { copyFile, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { RestorationError } from '../../protocol';

export interface SaveFrameOptions {
  /** Absolute path of the frame. */
  source: string;
  /** Folder that the dialog opens in. */
  folder: string;
  /** File name that the dialog offers. */
  suggestedName: string;
  /** The picture that was restored: it is never overwritten. */
  input?: string;
}

/**
 * Asks for a name and writes a frame there at full size. Resolves to the file that was written, or to undefined when
 * the user closed the dialog.
 */
export async function saveFrameAs(options: SaveFrameOptions): Promise<vscode.Uri | undefined> {
  const extension = path.extname(options.source).slice(1).toLowerCase();
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save Restored Picture'),
    defaultUri: vscode.Uri.file(path.join(options.folder, options.suggestedName)),
    filters: { [extension.toUpperCase()]: [extension] },
  });
  if (target === undefined) return undefined;
  if (path.extname(target.fsPath).slice(1).toLowerCase() !== extension) {
    throw new RestorationError(
      'bad-argument',
      vscode.l10n.t('Expected a file name that ends in .{0}, got "{1}".', extension, path.basename(target.fsPath)),
      vscode.l10n.t('Choose a name that ends in .{0}.', extension),
    );
  }
  if (options.input !== undefined && (await isSameFile(options.input, target.fsPath))) {
    throw new RestorationError(
      'unwritable',
      vscode.l10n.t(
        '"{0}" is the picture that was restored, and it is never overwritten.',
        path.basename(options.input),
      ),
      vscode.l10n.t('Choose another name.'),
    );
  }
  await copyWhole(options.source, target.fsPath);
  return target;
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [realA, realB] = await Promise.all([realpath(a).catch(() => a), realpath(b).catch(() => b)]);
  // Case is ignored everywhere: two names that differ in case only are one file on most Macs and on Windows.
  return realA.toLowerCase() === realB.toLowerCase();
}

/** Copies beside the target first, so that an interrupted copy never leaves half a picture under the chosen name. */
async function copyWhole(source: string, target: string): Promise<void> {
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.partial`);
  try {
    await copyFile(source, temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new RestorationError(
      'unwritable',
      vscode.l10n.t('"{0}" could not be written: {1}.', target, (error as Error).message),
      vscode.l10n.t('Choose a folder that you may write to.'),
      { cause: error },
    );
  }
}
