import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../protocol';

/** Version of the log's format; it stands in its first line. */
export const ROWS_SCHEMA = 'progressive-restoration/rows@1';
/** The log's name in an output folder. */
export const ROWS_FILE = 'rows.jsonl';
/** Hexadecimal digits of a line's check value: enough against tearing and bit rot, not against intent. */
const CHECK_DIGITS = 12;
const NEW_LINE = 0x0a;
/** How many settings a refusal names. */
const NAMED = 4;

/** What must be the same for rows to belong together: settings by name, weights by hash. */
export type Configuration = Readonly<Record<string, string | number | boolean | null>>;

/** What a log file says. */
export interface ParsedRowLog {
  /** Undefined when not even the first line is whole. */
  configuration: Configuration | undefined;
  /** Rows in the order in which they were written. */
  rows: unknown[];
  /** Length of the part that is whole: from here on a writer goes on. */
  wholeBytes: number;
  /** True when the file ends in a line that was not written to its end. */
  torn: boolean;
}

/** One line of a log: the content and its check value, so that half a line never passes for a whole one. */
export function encodeLine(content: unknown): string {
  const text = JSON.stringify(content);
  return `{"check":"${checkOf(text)}","content":${text}}\n`;
}

/**
 * Reads a log. A last line that is not whole (the process was killed, or the machine went down while it was written) is
 * left out and told; everything before it counts.
 *
 * @throws RestorationError `bad-argument` when a line before the last one is damaged, or the file is not such a log
 */
export function parseRowLog(bytes: Uint8Array, file: string): ParsedRowLog {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const contents: unknown[] = [];
  let wholeBytes = 0;
  let torn = false;
  for (let start = 0; start < buffer.length;) {
    const end = buffer.indexOf(NEW_LINE, start);
    const line = end < 0 ? undefined : decodeLine(buffer.toString('utf8', start, end));
    if (line === undefined) {
      const isLast = end < 0 || end === buffer.length - 1;
      // A first line that is whole and still not ours: somebody else's file, which must not be cut.
      if (!isLast || (contents.length === 0 && end >= 0)) throw damaged(file, contents.length + 1);
      torn = true;
      break;
    }
    contents.push(line.content);
    start = end + 1;
    wholeBytes = start;
  }
  if (contents.length === 0) {
    // Half a header is the beginning of one; anything else was never a log.
    const begun = buffer.toString('utf8', 0, 10);
    if (!'{"check":"'.startsWith(begun) && begun !== '{"check":"') throw damaged(file, 1);
    return { configuration: undefined, rows: [], wholeBytes: 0, torn };
  }
  const [header, ...rows] = contents;
  const configuration = configurationOf(header);
  if (configuration === undefined) throw damaged(file, 1);
  return { configuration, rows, wholeBytes, torn };
}

function checkOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, CHECK_DIGITS);
}

function decodeLine(line: string): { content: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== 'object' || parsed === null || !('check' in parsed) || !('content' in parsed))
      return undefined;
    return parsed.check === checkOf(JSON.stringify(parsed.content)) ? { content: parsed.content } : undefined;
  } catch {
    return undefined;
  }
}

function configurationOf(header: unknown): Configuration | undefined {
  if (typeof header !== 'object' || header === null) return undefined;
  const { schema, configuration } = header as Record<string, unknown>;
  if (schema !== ROWS_SCHEMA || typeof configuration !== 'object' || configuration === null) return undefined;
  const isPlain = Object.values(configuration).every(
    (value) => value === null || ['string', 'number', 'boolean'].includes(typeof value),
  );
  return isPlain ? (configuration as Configuration) : undefined;
}

function damaged(file: string, line: number): RestorationError {
  return new RestorationError(
    'bad-argument',
    `${file} is not a row log of this program, or its line ${line} is damaged.`,
    'Choose another output folder; the file was left as it is.',
  );
}

/** Names the settings in which two configurations differ, with both values; empty when they are the same. */
export function differingSettings(a: Configuration, b: Configuration): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names
    .filter((name) => (a[name] ?? null) !== (b[name] ?? null))
    .map((name) => `${name}: ${shown(a[name])} there, ${shown(b[name])} now`);
}

function shown(value: Configuration[string] | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

export interface RowLogOptions {
  /** Folder of the log; it is made when it is missing. */
  folder: string;
  configuration: Configuration;
  /** Go on with the log that is there. Without it a log that is there is refused, so that nothing is lost. */
  resume: boolean;
}

/**
 * Rows beside an output, each on the disk before the next one is begun: what was written survives a kill of the process
 * at any moment. One process at a time writes a log.
 */
export class RowLog {
  private constructor(
    /** Rows that were there already. */
    readonly rows: readonly unknown[],
    /** True when the last row of an earlier process was lost half-written. */
    readonly torn: boolean,
    private readonly handle: FileHandle,
    private readonly lockFile: string,
  ) {}

  /**
   * @throws RestorationError `bad-argument` when a log is there and `resume` is not set, when it was written with another
   *   configuration (the differing settings are named), when it is damaged, or when another process writes it;
   *   `unwritable` when the folder cannot be written to
   */
  static async open({ folder, configuration, resume }: RowLogOptions): Promise<RowLog> {
    const file = path.join(folder, ROWS_FILE);
    const lockFile = path.join(folder, `.${ROWS_FILE}.lock`);
    await makeFolder(folder);
    await takeLock(lockFile, folder);
    let handle: FileHandle | undefined;
    try {
      const before = await readIfThere(file);
      if (before !== undefined && !resume) {
        throw new RestorationError(
          'bad-argument',
          `${folder} holds the rows of an earlier evaluation.`,
          'Add --resume (resume: true) to go on with it, or choose another output folder.',
        );
      }
      const parsed = parseRowLog(before ?? new Uint8Array(0), file);
      if (parsed.configuration !== undefined) assertSameConfiguration(parsed.configuration, configuration, folder);
      handle = await open(file, before === undefined ? 'wx' : 'r+').catch((error: unknown) => {
        throw unwritable(file, error);
      });
      await handle.truncate(parsed.wholeBytes);
      const log = new RowLog(parsed.rows, parsed.torn, handle, lockFile);
      log.position = parsed.wholeBytes;
      if (parsed.configuration === undefined) await log.write({ schema: ROWS_SCHEMA, configuration });
      return log;
    } catch (error) {
      await handle?.close();
      await rm(lockFile, { force: true });
      throw error;
    }
  }

  private position = 0;

  /** Returns when the row is on the disk. */
  append(row: unknown): Promise<void> {
    return this.write(row);
  }

  async close(): Promise<void> {
    await this.handle.close();
    await rm(this.lockFile, { force: true });
  }

  private async write(content: unknown): Promise<void> {
    const bytes = Buffer.from(encodeLine(content));
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, this.position + done);
        done += bytesWritten;
      }
      await this.handle.sync();
    } catch (error) {
      // Half a line at the end is what a reader expects to find; the next attempt writes over it.
      throw unwritable(path.basename(ROWS_FILE), error);
    }
    this.position += bytes.length;
  }
}

function assertSameConfiguration(there: Configuration, now: Configuration, folder: string): void {
  const differing = differingSettings(there, now);
  if (differing.length === 0) return;
  const more = differing.length - NAMED;
  throw new RestorationError(
    'bad-argument',
    `The rows in ${folder} were measured with other settings (${differing.slice(0, NAMED).join('; ')}` +
      `${more > 0 ? `; and ${more} more` : ''}).`,
    'Repeat the earlier settings, or choose another output folder.',
  );
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw unwritable(folder, error);
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unwritable(file, error);
  }
}

/** Makes the lock file with this process's name in it; takes over the lock of a process that is gone. */
async function takeLock(lockFile: string, folder: string): Promise<void> {
  const owner = `${process.pid} ${os.hostname()}`;
  for (const attempt of [1, 2]) {
    try {
      const handle = await open(lockFile, 'wx');
      await handle.writeFile(owner);
      await handle.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(lockFile, error);
      const other = (await readIfThere(lockFile))?.toString('utf8') ?? '';
      if (attempt === 2 || isAlive(other)) {
        throw new RestorationError(
          'bad-argument',
          `Another evaluation is writing to ${folder} (process ${other || 'unknown'}).`,
          `Wait for it or choose another folder; if it is gone, delete ${lockFile}.`,
        );
      }
      await rm(lockFile, { force: true });
    }
  }
}

/** Whether the owner of a lock may still run: a process of another machine cannot be asked, and counts as alive. */
function isAlive(owner: string): boolean {
  const [pid, host] = owner.split(' ');
  const id = Number(pid);
  if (!Number.isInteger(id) || id < 1) return false;
  if (host !== os.hostname()) return true;
  if (id === process.pid) return true;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function unwritable(file: string, cause: unknown): RestorationError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new RestorationError(
    'unwritable',
    `${file} could not be written (${code}).`,
    code === 'ENOSPC' ? 'Free some disk space and go on with --resume.' : 'Choose a folder that can be written to.',
    { cause },
  );
}
