import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError } from '../../protocol';

/** Endings of files that may be pictures; what they are is decided by their content when they are read. */
const ENDINGS = new Set(['.png', '.jpg', '.jpeg', '.webp', '.avif', '.tif', '.tiff', '.bmp']);
/** Folders inside folders that are looked into: DATA/CLIP/PART/FRAME and one more. */
const DEPTH = 4;

export interface ListedPicture {
  /** Path below the folder without its ending, parts joined by "/": `000/00000013`. */
  name: string;
  /** Path of the file; absolute when the folder's was. */
  file: string;
}

/**
 * The pictures in `folder` and the folders inside it, sorted by name; hidden files and folders are passed over, and links
 * to folders are not followed.
 *
 * @throws RestorationError `missing-file` when the folder cannot be read or holds no picture
 */
export async function listPictures(folder: string): Promise<ListedPicture[]> {
  const pictures: ListedPicture[] = [];
  await collect(folder, [], pictures);
  if (pictures.length === 0) {
    throw new RestorationError(
      'missing-file',
      `There is no picture in ${folder}.`,
      `Name a folder that holds files ending in ${[...ENDINGS].join(', ')}.`,
    );
  }
  return pictures.sort((a, b) => compareText(a.name, b.name) || compareText(a.file, b.file));
}

async function collect(folder: string, parts: readonly string[], pictures: ListedPicture[]): Promise<void> {
  let entries;
  try {
    entries = await readdir(path.join(folder, ...parts), { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const where = path.join(folder, ...parts);
    throw new RestorationError(
      'missing-file',
      code === 'ENOENT'
        ? `There is no folder ${where}.`
        : code === 'ENOTDIR'
          ? `Expected a folder of pictures, but ${where} is a file.`
          : `The folder ${where} cannot be read (${code}).`,
      'Name a folder that holds pictures.',
      { cause: error },
    );
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) {
      if (parts.length < DEPTH) await collect(folder, [...parts, entry.name], pictures);
      continue;
    }
    const { name, ext } = path.parse(entry.name);
    if (!ENDINGS.has(ext.toLowerCase())) continue;
    pictures.push({ name: [...parts, name].join('/'), file: path.join(folder, ...parts, entry.name) });
  }
}

/** By code unit, so that every machine sorts alike. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
