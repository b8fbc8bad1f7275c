import { copyFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { endingOfMade, RestorationError } from '../../protocol';

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
  const target = await askForName(vscode.l10n.t('Save Restored Picture'), extension, options);
  if (target === undefined) return undefined;
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
  await writeWhole(target.fsPath, (temporary) => copyFile(options.source, temporary));
  return target;
}

/** Asks for a name and writes there what a view has made: `dataUrl` has passed `isMadeFile`. Resolves as `saveFrameAs`. */
export async function saveMadeAs(options: {
  dataUrl: string;
  folder: string;
  suggestedName: string;
}): Promise<vscode.Uri | undefined> {
  const { dataUrl } = options;
  const target = await askForName(vscode.l10n.t('Save'), endingOfMade(dataUrl), options);
  if (target === undefined) return undefined;
  const bytes = Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
  await writeWhole(target.fsPath, (temporary) => writeFile(temporary, bytes));
  return target;
}

async function askForName(
  title: string,
  extension: string,
  { folder, suggestedName }: { folder: string; suggestedName: string },
): Promise<vscode.Uri | undefined> {
  const target = await vscode.window.showSaveDialog({
    title,
    defaultUri: vscode.Uri.file(path.join(folder, suggestedName)),
    filters: { [extension.toUpperCase()]: [extension] },
  });
  if (target === undefined || path.extname(target.fsPath).slice(1).toLowerCase() === extension) return target;
  throw new RestorationError(
    'bad-argument',
    vscode.l10n.t('Expected a file name that ends in .{0}, got "{1}".', extension, path.basename(target.fsPath)),
    vscode.l10n.t('Choose a name that ends in .{0}.', extension),
  );
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [realA, realB] = await Promise.all([realpath(a).catch(() => a), realpath(b).catch(() => b)]);
  // Case is ignored everywhere: two names that differ in case only are one file on most Macs and on Windows.
  return realA.toLowerCase() === realB.toLowerCase();
}

/** Writes beside the target first, so that an interruption never leaves half a file under the chosen name. */
async function writeWhole(target: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.partial`);
  try {
    await write(temporary);
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
