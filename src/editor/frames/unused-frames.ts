import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isFrameFile } from '../../protocol';

export interface UnusedFrames {
  /** Absolute paths. */
  files: string[];
  bytes: number;
}

const FRAME_NAME = /[0-9a-f]{64}\.[a-z]+/g;

/**
 * The frames in `folder` that nothing names: neither `openTexts` (the outputs of notebooks that are open, saved or not) nor
 * any notebook file beside the folder, since copies of a notebook share its frames. Whatever else lies in the folder is
 * left out, links too.
 *
 * @throws what reading a notebook beside it throws: a file that cannot be read may name any of them
 */
export async function findUnusedFrames(folder: string, openTexts: Iterable<string>): Promise<UnusedFrames> {
  const used = new Set<string>();
  const note = (text: string): void => {
    for (const [name] of text.matchAll(FRAME_NAME)) used.add(name);
  };
  for (const text of openTexts) note(text);
  const beside = path.dirname(folder);
  for (const name of await readdir(beside)) {
    if (name.toLowerCase().endsWith('.ipynb')) note(await readFile(path.join(beside, name), 'utf8'));
  }
  const unused: UnusedFrames = { files: [], bytes: 0 };
  for (const name of await entriesOf(folder)) {
    if (!isFrameFile(name) || used.has(name)) continue;
    const file = path.join(folder, name);
    const status = await lstat(file);
    if (!status.isFile()) continue;
    unused.files.push(file);
    unused.bytes += status.size;
  }
  return unused;
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
