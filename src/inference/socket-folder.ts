import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { isAlive } from './process-liveness';

/** `pir-PID-RANDOM`, by the process that owns it. Short: 104 bytes are the limit of a socket's path on some systems. */
const FOLDER = /^pir-(\d{1,10})-[A-Za-z0-9]{6}$/;
const SOCKET = 's';
/** A folder without a socket may be one whose service has not begun to listen. */
const EMPTY_FOR_MILLISECONDS = 60_000;

/** A new folder for the socket of a service that this process owns (mode 0700: nobody else can put a socket there). */
export function makeSocketFolder(parent = os.tmpdir()): string {
  return mkdtempSync(path.join(parent, `pir-${process.pid}-`));
}

export function socketIn(folder: string): string {
  return path.join(folder, SOCKET);
}

/**
 * Removes the socket folders of this user whose owners were killed before they could. Neither a folder whose owner lives is touched
 * nor one whose socket somebody answers on: the owner may live where its process id means nothing here (another container).
 * What cannot be read or removed stays.
 */
export async function removeAbandonedFolders(parent = os.tmpdir()): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    const owner = FOLDER.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const folder = path.join(parent, name);
    try {
      if (await isAbandoned(folder)) {
        rmSync(socketIn(folder), { force: true });
        // Never what lies in it: nothing else of ours does.
        rmdirSync(folder);
      }
    } catch {
      // Gone by now, or not ours to remove.
    }
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const status = await lstat(folder);
  if (!status.isDirectory() || status.uid !== process.getuid?.()) return false;
  const answer = await answerOf(socketIn(folder));
  if (answer === 'ENOENT') return Date.now() - status.mtimeMs > EMPTY_FOR_MILLISECONDS;
  return answer === 'ECONNREFUSED';
}

/** The code of the error with which a connection was refused, or "connected". */
function answerOf(socket: string): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve('connected');
    });
    connection.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}
