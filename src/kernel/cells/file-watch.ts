import { statSync } from 'node:fs';
import type ts from '@tslab/typescript-for-tslab';

interface Watched {
  stamp: string;
  callbacks: Set<ts.FileWatcherCallback>;
}

/**
 * Stands in for the compiler's file watchers: files are looked at when a cell is about to be compiled, so that an edit
 * made a moment before is never missed, and nothing watches in between.
 */
export class FileWatch {
  private readonly files = new Map<string, Watched>();

  readonly watchFile = (path: string, callback: ts.FileWatcherCallback): ts.FileWatcher => {
    let watched = this.files.get(path);
    if (!watched) {
      watched = { stamp: stampOf(path), callbacks: new Set() };
      this.files.set(path, watched);
    }
    const { callbacks } = watched;
    callbacks.add(callback);
    return {
      close: () => {
        callbacks.delete(callback);
        if (callbacks.size === 0) this.files.delete(path);
      },
    };
  };

  readonly watchDirectory = (): ts.FileWatcher => ({ close: () => undefined });

  /** Tells the compiler which files changed since the last call; true when any did. */
  poll(kinds: typeof ts.FileWatcherEventKind): boolean {
    let changed = false;
    for (const [path, watched] of [...this.files]) {
      const stamp = stampOf(path);
      if (stamp === watched.stamp) continue;
      const kind = stamp === '' ? kinds.Deleted : watched.stamp === '' ? kinds.Created : kinds.Changed;
      watched.stamp = stamp;
      changed = true;
      for (const callback of [...watched.callbacks]) callback(path, kind);
    }
    return changed;
  }
}

/** Empty for a file that does not exist. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.mtimeNs} ${stat.size} ${stat.ino}` : '';
}
