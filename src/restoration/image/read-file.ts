import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError } from '../../protocol';
import { MAXIMUM_FILE_BYTES } from './limits';

/**
 * The bytes of a picture file, its size checked before they are read.
 *
 * @throws RestorationError `missing-file` (nothing there, a folder, no permission), `unreadable-picture` (empty, no regular
 *   file) or `picture-too-large`
 */
export async function readPictureFile(file: string): Promise<Buffer> {
  const name = path.basename(file);
  try {
    const info = await stat(file);
    if (info.isDirectory()) {
      throw new RestorationError(
        'missing-file',
        `Expected a picture file, but ${file} is a folder.`,
        'Name a file in it.',
      );
    }
    // Reading a pipe or a device might never end.
    if (!info.isFile()) {
      throw new RestorationError(
        'unreadable-picture',
        `${file} is a device or a pipe, not a file.`,
        'Save the picture to a file first.',
      );
    }
    if (info.size === 0) {
      throw new RestorationError(
        'unreadable-picture',
        `${name} is empty (0 bytes).`,
        'Copy or export the picture again.',
      );
    }
    if (info.size > MAXIMUM_FILE_BYTES) {
      throw new RestorationError(
        'picture-too-large',
        `${name} has ${Math.round(info.size / 1048576)} MiB; at most ${MAXIMUM_FILE_BYTES / 1048576} MiB are read.`,
        'Save a smaller copy of it.',
      );
    }
    return await readFile(file);
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new RestorationError(
      'missing-file',
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code ?? message}).`,
      code === 'ENOENT' ? 'Check the path; it is taken relative to the working folder.' : 'Check its permissions.',
      { cause: error },
    );
  }
}
