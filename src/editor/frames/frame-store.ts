import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isFrameFile } from '../../protocol';

/** Largest frame that is handed to a webview, in bytes of its file. */
const FRAME_LIMIT = 192 * 1024 * 1024;

const TYPES: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

/**
 * Absolute path of frame `file` in `folder`, or undefined when it is not there.
 *
 * The name may come from a saved, untrusted output: only `<sha256>.<ext>` is accepted, and neither the folder nor the
 * file may be a link, so that a notebook from elsewhere cannot point at other files of this machine.
 */
export async function findFrame(folder: string, file: string): Promise<string | undefined> {
  if (!isFrameFile(file)) return undefined;
  const target = path.join(folder, file);
  try {
    if (!(await lstat(folder)).isDirectory()) return undefined;
    const status = await lstat(target);
    return status.isFile() && status.size <= FRAME_LIMIT ? target : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Frame `file` of `folder` as a data URL, or undefined when it is gone. */
export async function readFrame(folder: string, file: string): Promise<string | undefined> {
  const target = await findFrame(folder, file);
  const type = TYPES[path.extname(file).toLowerCase()];
  if (target === undefined || type === undefined) return undefined;
  try {
    return `data:${type};base64,${(await readFile(target)).toString('base64')}`;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
