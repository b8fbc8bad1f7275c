import { mkdirSync } from 'node:fs';
import { open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../protocol';
import { isAlive } from './process-liveness';

/** The holder touches its lock this often; one not touched for `STALE` belongs to nobody. */
const HEARTBEAT_MILLISECONDS = 5_000;
const STALE_MILLISECONDS = 120_000;
const POLL_MILLISECONDS = 100;
/** A holder that comes back this soon lets somebody who waits go first; otherwise a batch would never let go. */
const COURTESY_MILLISECONDS = 300;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Lets one process at a time compute on this machine, so that two windows do not fight for cores or GPU memory. The lock
 * is advisory: when the folder cannot be written, runs simply go ahead.
 */
export class DeviceLock {
  private readonly file: string;
  /** Touched by whoever waits. */
  private readonly wanted: string;
  private released = Number.NEGATIVE_INFINITY;

  constructor(
    name: string,
    private readonly folder = path.join(os.tmpdir(), `progressive-restoration-${owner()}`),
  ) {
    this.file = path.join(folder, `${name}.lock`);
    this.wanted = path.join(folder, `${name}.wanted`);
  }

  /**
   * Waits for the lock.
   *
   * @param onWait called once when somebody else holds it; what it throws ends the wait
   * @returns the function that gives it back
   * @throws RestorationError `cancelled`, and what `onWait` throws
   */
  async acquire(signal: AbortSignal, onWait: () => unknown): Promise<() => Promise<void>> {
    let told = false;
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    } catch {
      return async () => undefined;
    }
    if (performance.now() - this.released < COURTESY_MILLISECONDS && (await this.isWanted())) {
      await pause(COURTESY_MILLISECONDS);
    }
    for (;;) {
      if (signal.aborted) throw new RestorationError('cancelled', 'The run was cancelled.', '');
      try {
        const handle = await open(this.file, 'wx', 0o600);
        await handle.writeFile(String(process.pid));
        await handle.close();
        if (told) await rm(this.wanted, { force: true });
        return this.hold();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return async () => undefined;
      }
      if (await this.isAbandoned()) {
        // Renaming first: of several that find it abandoned, one succeeds.
        const aside = `${this.file}.${process.pid}`;
        await rename(this.file, aside).catch(() => undefined);
        await rm(aside, { force: true });
        continue;
      }
      if (!told) {
        told = true;
        await onWait();
      }
      await writeFile(this.wanted, '').catch(() => undefined);
      await pause(POLL_MILLISECONDS);
    }
  }

  private async isWanted(): Promise<boolean> {
    try {
      return Date.now() - (await stat(this.wanted)).mtimeMs < 1_000;
    } catch {
      return false;
    }
  }

  private hold(): () => Promise<void> {
    const heartbeat = setInterval(() => {
      const now = new Date();
      // The file may be gone when someone cleaned the temporary folder; the lock is advisory.
      utimes(this.file, now, now).catch(() => undefined);
    }, HEARTBEAT_MILLISECONDS);
    heartbeat.unref();
    return async () => {
      clearInterval(heartbeat);
      this.released = performance.now();
      await rm(this.file, { force: true });
    };
  }

  private async isAbandoned(): Promise<boolean> {
    try {
      const [text, info] = await Promise.all([readFile(this.file, 'utf8'), stat(this.file)]);
      const age = Date.now() - info.mtimeMs;
      if (age > STALE_MILLISECONDS) return true;
      const pid = Number.parseInt(text, 10);
      // Empty for the instant between creation and writing.
      return Number.isInteger(pid) && pid > 0 ? !isAlive(pid) : age > 5_000;
    } catch {
      return false;
    }
  }
}

/**
 * What tells the lock folders of several people on one machine apart. A number suffices where there are user ids: a name
 * cannot always be had, since a container may run as a user that is listed nowhere. Windows has one temporary folder a person.
 */
function owner(): string {
  return process.getuid ? String(process.getuid()) : 'user';
}
