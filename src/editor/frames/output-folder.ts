import { link, lstat, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { RestorationError } from '../../protocol';

/** Name of the folder that results of many pictures go to; folders of this name are no input. */
export const OUTPUT_FOLDER = /^restored(?:-\d+)?$/;
const MOST_NAMES = 1000;

/** Makes a folder `restored` in `parent`, or with the first free number: results never mix with earlier ones. */
export async function createOutputFolder(parent: string): Promise<string> {
  for (let number = 1; number <= MOST_NAMES; number += 1) {
    const folder = path.join(parent, numbered('restored', number));
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw unwritable(folder, error);
    }
  }
  throw new RestorationError(
    'unwritable',
    vscode.l10n.t('"{0}" holds {1} folders of results already.', parent, MOST_NAMES),
    vscode.l10n.t('Remove those that you no longer need.'),
  );
}

/**
 * Has `write` make a file and gives it the first free name of `wanted`, `NAME-2.EXT`, `NAME-3.EXT`, ... Nothing that exists is
 * overwritten, and the name is taken when the file is complete.
 *
 * @param write gets a path in the same folder, with the same ending
 * @returns the path of the file
 */
export async function writeBesideOthers<T>(
  wanted: string,
  write: (temporary: string) => Promise<T>,
): Promise<{ file: string; result: T }> {
  const { dir, name, ext } = path.parse(wanted);
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw unwritable(dir, error);
  });
  const temporary = path.join(dir, `.${name}.${process.pid}.partial${ext}`);
  try {
    const result = await write(temporary);
    for (let number = 1; number <= MOST_NAMES; number += 1) {
      const file = path.join(dir, `${numbered(name, number)}${ext}`);
      if (await take(temporary, file)) return { file, result };
    }
    throw unwritable(wanted, new Error('no free name'));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Gives `temporary` the name `file` unless that is taken. */
async function take(temporary: string, file: string): Promise<boolean> {
  try {
    // A link is refused where the name exists; a rename would replace what is there.
    await link(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // File systems without links (FAT, some shares) leave looking before.
    if (await exists(file)) return false;
    await rename(temporary, file).catch((failure: unknown) => {
      throw unwritable(file, failure);
    });
    return true;
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

function numbered(name: string, number: number): string {
  return number === 1 ? name : `${name}-${number}`;
}

function unwritable(target: string, error: unknown): RestorationError {
  return new RestorationError(
    'unwritable',
    vscode.l10n.t('"{0}" could not be written: {1}.', target, (error as Error).message),
    vscode.l10n.t('Choose a folder that you may write to.'),
    { cause: error },
  );
}
