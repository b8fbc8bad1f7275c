import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError } from '../../protocol';

/** Writes a file so that nobody ever sees half of it: a temporary neighbour, then a rename. */
export async function writeFileAtomically(file: string, bytes: Uint8Array | string): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.part`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    // Where nothing could be written there is nothing to remove; the first error is the one to tell.
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new RestorationError(
      'unwritable',
      `${file} could not be written (${code}).`,
      code === 'ENOSPC' ? 'Free some disk space and try again.' : 'Choose a folder that can be written to.',
      { cause: error },
    );
  }
}

/** Stores encoded bytes under their own hash and returns the file name; a file that is already there is kept. */
export async function storeByContent(folder: string, bytes: Uint8Array, extension: string): Promise<string> {
  const name = `${createHash('sha256').update(bytes).digest('hex')}.${extension}`;
  const file = path.join(folder, name);
  try {
    await access(file);
  } catch {
    await writeFileAtomically(file, bytes);
  }
  return name;
}

/**
 * Stores what `write` puts into a file under the hash of its bytes; nobody sees the file before it is whole.
 *
 * @returns the file's name in `folder`
 * @throws RestorationError `unwritable`
 */
export async function storeFileByContent(
  folder: string,
  extension: string,
  write: (file: string) => Promise<void>,
): Promise<string> {
  const temporary = path.join(folder, `.${randomBytes(6).toString('hex')}.part`);
  try {
    await mkdir(folder, { recursive: true });
    await write(temporary);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(temporary)) hash.update(chunk as Buffer);
    const name = `${hash.digest('hex')}.${extension}`;
    await rename(temporary, path.join(folder, name));
    return name;
  } catch (error) {
    // Where nothing could be written there is nothing to remove; the first error is the one to tell.
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
    throw new RestorationError(
      'unwritable',
      `A ${extension} file could not be written in ${folder} (${code}).`,
      code === 'ENOSPC' ? 'Free some disk space and try again.' : 'Choose a folder that can be written to.',
      { cause: error },
    );
  }
}
