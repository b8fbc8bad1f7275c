import { Worker } from 'node:worker_threads';

/** The channel that closes when the host goes away (see KernelProcess). */
const LIFELINE = 4;

/** Runs as text, since it has to live in a thread: the main one may be inside a loop that a cell never leaves. */
const WATCH = `
const { Socket } = require('node:net');
const end = () => {
  // The group holds what cells have started; it exists only where the host made one.
  if (process.platform !== 'win32') { try { process.kill(-process.pid, 'SIGKILL'); } catch {} }
  process.kill(process.pid, 'SIGKILL');
};
new Socket({ fd: ${LIFELINE} }).on('error', end).on('close', end).resume();
`;

/** Ends this process, and what cells have started from it, when the process that started it is gone. */
export function endWithParent(): void {
  new Worker(WATCH, { eval: true, stdout: false, stderr: false }).unref();
}
