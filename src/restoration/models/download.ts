import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rm, stat, statfs, writeFile, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { RestorationError } from '../../protocol';
import { TransientFailure, cancelled, checkUrl, connectionFailure, get, shownUrl } from './http-request';

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Called as bytes arrive; both are those of the whole file. */
  onProgress?: ((received: number, total: number) => void) | undefined;
  /** A server that is silent for so long counts as lost; 30 seconds unless said otherwise. */
  idleMilliseconds?: number | undefined;
  /** Tries before giving up; each goes on where the last stopped. */
  attempts?: number | undefined;
  /** Pause before the second try; it doubles with each. */
  pauseMilliseconds?: number | undefined;
}

const IDLE_MILLISECONDS = 30_000;
const ATTEMPTS = 4;
const PAUSE_MILLISECONDS = 500;
/** Left free on the disk. */
const SPARE_BYTES = 64 * 2 ** 20;

/** What a file has to be: its size, and the hash of its bytes in hex. */
export type ExpectedFile = { bytes: number } & ({ sha256: string } | { sha512: string });

/** Which algorithm the hash of a file is of. */
function algorithmOf(expected: ExpectedFile): { algorithm: 'sha256' | 'sha512'; name: string; digest: string } {
  return 'sha256' in expected
    ? { algorithm: 'sha256', name: 'SHA-256', digest: expected.sha256 }
    : { algorithm: 'sha512', name: 'SHA-512', digest: expected.sha512 };
}

/** What is known of a half download, so that the rest can be asked for. */
interface PartState {
  url: string;
  /** Strong entity tag or date of what was begun, for If-Range. */
  validator?: string;
}

function refused(problem: string, remedy: string): RestorationError {
  return new RestorationError('download-failed', problem, remedy);
}

function statusFailure(url: string, status: number): RestorationError {
  const problem = `${new URL(url).host} answered ${status} for ${shownUrl(url)}.`;
  if (status >= 500 || status === 408 || status === 429) {
    return new TransientFailure('download-failed', problem, 'Try again later; what has come so far is kept.');
  }
  if (status === 404 || status === 410) return refused(problem, 'Check the address: nothing is there.');
  return refused(problem, 'Check the address, or download the file yourself and add it from its folder.');
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
  if (signal?.aborted) throw cancelled();
}

/**
 * A small text from the net.
 *
 * @param limit largest size in bytes
 * @returns the text and the address that it came from after redirects
 * @throws RestorationError `download-failed`
 */
export async function downloadText(
  url: string,
  limit: number,
  options: DownloadOptions = {},
): Promise<{ text: string; url: string }> {
  const { signal, idleMilliseconds = IDLE_MILLISECONDS } = options;
  return retrying(options, async () => {
    const response = await get(url, { signal, idleMilliseconds });
    try {
      if (response.statusCode !== 200) throw statusFailure(url, response.statusCode ?? 0);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limit) {
          throw refused(
            `${shownUrl(url)} holds more than ${limit} bytes, far more than any manifest.`,
            'Give the address of a manifest.',
          );
        }
        chunks.push(chunk);
      }
      return { text: Buffer.concat(chunks).toString('utf8'), url };
    } catch (error) {
      throw connectionFailure(new URL(url), error, signal);
    } finally {
      response.destroy();
    }
  });
}

async function retrying<T>(
  { attempts = ATTEMPTS, pauseMilliseconds = PAUSE_MILLISECONDS, signal }: DownloadOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TransientFailure) || attempt >= attempts) throw error;
      await pause(pauseMilliseconds * 2 ** (attempt - 1), signal);
    }
  }
}

/**
 * Downloads a file whose size and hash are known, and goes on with a half download that an earlier call left.
 *
 * Bytes are hashed as they come. A file that grows beyond its size, or turns out to be another one, is deleted; after a
 * lost connection, a cancel or a killed process the half stays beside `part` for the next call.
 *
 * @param part where the file is written; when the promise resolves it is complete and verified there
 * @throws RestorationError `download-failed`, `unwritable` (no space, no permission) or `cancelled`
 */
export async function downloadVerified(
  url: string,
  part: string,
  expected: ExpectedFile,
  options: DownloadOptions = {},
): Promise<void> {
  checkUrl(url);
  await mkdir(path.dirname(part), { recursive: true }).catch((error: unknown) => {
    throw writeFailure(part, error);
  });
  const unlock = await lock(`${part}.lock`);
  try {
    await retrying(options, async () => {
      // A half that was continued may be of a file that has changed since: then once more from the beginning.
      if (await transfer(url, part, expected, options)) return;
      if (!(await transfer(url, part, expected, options))) throw wrongContent(url, expected);
    });
    await rm(stateFile(part), { force: true });
  } finally {
    await unlock();
  }
}

function stateFile(part: string): string {
  return `${part}.json`;
}

function wrongContent(url: string, expected: ExpectedFile): RestorationError {
  return refused(
    `What ${new URL(url).host} sent for ${path.posix.basename(new URL(url).pathname)} has another ${algorithmOf(expected).name} than was promised; it was deleted.`,
    'The file was changed or damaged: ask whoever publishes the model.',
  );
}

async function readState(part: string, url: string): Promise<PartState | undefined> {
  try {
    const state = JSON.parse(await readFile(stateFile(part), 'utf8')) as Partial<PartState> | null;
    if (typeof state !== 'object' || state === null || state.url !== url) return undefined;
    return { url, ...(typeof state.validator === 'string' ? { validator: state.validator } : {}) };
  } catch {
    return undefined;
  }
}

/** One connection's worth. False when a half that was continued ends in another hash; the half is gone then. */
async function transfer(
  url: string,
  part: string,
  expected: ExpectedFile,
  { signal, onProgress, idleMilliseconds = IDLE_MILLISECONDS }: DownloadOptions,
): Promise<boolean> {
  const state = await readState(part, url);
  let have = state ? await sizeOf(part) : 0;
  if (have > expected.bytes) have = 0;
  await assureSpace(path.dirname(part), expected.bytes - have);
  const handle = await open(part, have > 0 ? 'r+' : 'w').catch((error: unknown) => {
    throw writeFailure(part, error);
  });
  const { algorithm, digest } = algorithmOf(expected);
  let hash = createHash(algorithm);
  const continued = have > 0;
  try {
    if (continued) await hashFile(part, hash, have);
    onProgress?.(have, expected.bytes);
    if (have < expected.bytes) {
      const headers: Record<string, string> = continued
        ? { range: `bytes=${have}-`, ...(state?.validator ? { 'if-range': state.validator } : {}) }
        : {};
      const response = await get(url, { headers, signal, idleMilliseconds });
      try {
        const status = response.statusCode ?? 0;
        if (status === 416) {
          await discard(handle, part);
          return false;
        }
        if (status !== 200 && status !== 206) throw statusFailure(url, status);
        if (status === 200 || !startsAt(response, have)) {
          if (status === 206)
            throw refused(`${new URL(url).host} sent another part of the file than was asked for.`, 'Try again.');
          // The whole file: the server does not continue, or has another one by now.
          have = 0;
          hash = createHash(algorithm);
          await handle.truncate(0);
        }
        checkLength(response, have, expected.bytes, url);
        await writeFile(stateFile(part), JSON.stringify({ url, ...validatorOf(response) }));
        for await (const chunk of response as AsyncIterable<Buffer>) {
          if (have + chunk.length > expected.bytes) {
            await discard(handle, part);
            throw refused(
              `${shownUrl(url)} is larger than the ${expected.bytes} bytes that the manifest says.`,
              'Ask whoever publishes the model.',
            );
          }
          await handle.write(chunk, 0, chunk.length, have).catch((error: unknown) => {
            throw writeFailure(part, error);
          });
          hash.update(chunk);
          have += chunk.length;
          onProgress?.(have, expected.bytes);
        }
      } catch (error) {
        throw connectionFailure(new URL(url), error, signal);
      } finally {
        response.destroy();
      }
    }
    if (have < expected.bytes) {
      throw new TransientFailure(
        'download-failed',
        `The connection to ${new URL(url).host} ended after ${have} of ${expected.bytes} bytes.`,
        'Try again; what has come so far is kept.',
      );
    }
    if (hash.digest('hex') !== digest) {
      await discard(handle, part);
      if (continued) return false;
      throw wrongContent(url, expected);
    }
    await handle.sync();
    return true;
  } finally {
    await handle.close();
  }
}

async function discard(handle: FileHandle, part: string): Promise<void> {
  await handle.truncate(0);
  await rm(stateFile(part), { force: true });
  await rm(part, { force: true });
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

async function hashFile(file: string, hash: Hash, bytes: number): Promise<void> {
  for await (const chunk of createReadStream(file, { end: bytes - 1 }) as AsyncIterable<Buffer>) hash.update(chunk);
}

function startsAt(response: IncomingMessage, offset: number): boolean {
  const match = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(response.headers['content-range'] ?? '');
  return match !== null && Number(match[1]) === offset;
}

/** A size that cannot be right is better known before than after gigabytes. */
function checkLength(response: IncomingMessage, have: number, bytes: number, url: string): void {
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw refused(
      `${new URL(url).host} sent the file compressed (${encoding}), which was not asked for.`,
      'Try another address.',
    );
  }
  const length = response.headers['content-length'];
  if (length === undefined || have + Number(length) === bytes) return;
  throw refused(
    `${shownUrl(url)} has ${have + Number(length)} bytes; the manifest says ${bytes}.`,
    'The file was changed: ask whoever publishes the model.',
  );
}

/** Weak tags do not promise the same bytes (RFC 9110, section 13.1.5). */
function validatorOf(response: IncomingMessage): { validator?: string } {
  const { etag, 'last-modified': modified } = response.headers;
  if (etag !== undefined && !etag.startsWith('W/')) return { validator: etag };
  return modified === undefined ? {} : { validator: modified };
}

/** @throws RestorationError `unwritable` when so many bytes more would fill the disk */
export async function assureSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes + SPARE_BYTES) return;
  const mib = (value: number): string => `${Math.ceil(value / 2 ** 20)} MiB`;
  throw new RestorationError(
    'unwritable',
    `The model needs ${mib(bytes + SPARE_BYTES)} in ${folder}; ${mib(free)} are free.`,
    'Free some disk space, or set PROGRESSIVE_RESTORATION_MODELS to a folder on a larger disk.',
  );
}

export function writeFailure(file: string, error: unknown): RestorationError {
  if (error instanceof RestorationError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  return new RestorationError(
    'unwritable',
    `${file} could not be written (${code}).`,
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'Free some disk space and try again; what has come so far is kept.'
      : 'Set PROGRESSIVE_RESTORATION_MODELS to a folder that can be written to.',
    { cause: error },
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Paths that this process is writing: a lock file with its own id may also be left from an id that was used before. */
const own = new Set<string>();

/** Two processes must not write the same half; a lock of a process that died is taken over. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      own.add(file);
      return async () => {
        own.delete(file);
        await rm(file, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writeFailure(file, error);
      const pid = Number(await readFile(file, 'utf8').catch(() => ''));
      if (own.has(file) || (pid > 0 && pid !== process.pid && isAlive(pid))) break;
      await rm(file, { force: true });
    }
  }
  throw refused('Another process is downloading this file.', 'Wait until it has finished.');
}
