import { Worker } from 'node:worker_threads';

/** The channel that closes when the host goes away (see KernelProcess). */
const LIFELINE = 4;

/** How long the process may take to end by itself, in milliseconds. */
const GRACE_MS = 1500;

/** Runs as text, since it has to live in a thread: the main one may be inside a loop that a cell never leaves. */
const WATCH = `
const { Socket } = require('node:net');
const endGroup = ${endGroup.toString()};
const end = () => setTimeout(endGroup, ${GRACE_MS});
new Socket({ fd: ${LIFELINE} }).on('error', end).on('close', end).resume();
`;

/** Ends this process, and what cells have started from it, when the process that started it is gone. */
export function endWithParent(): void {
  new Worker(WATCH, { eval: true }).unref();
}

/** Kills this process and its group. The host makes it the leader of one, except on Windows, which has none. */
export function endGroup(): void {
  if (process.platform !== 'win32') {
    try {
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      // Not the leader of a group: only the process itself is left to end.
    }
  }
  process.kill(process.pid, 'SIGKILL');
}
