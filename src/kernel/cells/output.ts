import { StringDecoder } from 'node:string_decoder';
import type { KernelEvent, MimeBundle } from '../../protocol';

type StreamName = 'stdout' | 'stderr';

/** Text is sent at once when none was for this time, else together with what follows in it, or when it is this long. */
const BATCH_CHARACTERS = 32_768;
const BATCH_MS = 40;
/** Most text of one cell; a runaway loop must fill neither the editor's memory nor the notebook. */
const CELL_LIMIT = 5_000_000;

/** What cells print and show, in order, as events of the running cell (or of the last one). */
export class CellOutput {
  private id = 0;
  private batch: { name: StreamName; text: string } | undefined;
  private sent = 0;
  private timer: NodeJS.Timeout | undefined;
  private written = 0;

  constructor(private readonly send: (event: KernelEvent) => void) {}

  /** Replaces the process's standard streams: from now on everything that JavaScript prints comes here. */
  capture(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const decoder = new StringDecoder('utf8');
      const write = (
        chunk: string | Uint8Array,
        encoding?: BufferEncoding | ((error?: Error) => void),
        done?: (error?: Error) => void,
      ): boolean => {
        const text = typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
        this.write(name, text);
        const callback = typeof encoding === 'function' ? encoding : done;
        if (callback) process.nextTick(callback);
        return true;
      };
      process[name].write = write;
    }
  }

  /** Output belongs to execution `id` from now on. */
  begin(id: number): void {
    this.flush();
    this.id = id;
    this.written = 0;
  }

  write(name: StreamName, text: string): void {
    if (text === '' || this.written > CELL_LIMIT) return;
    this.written += text.length;
    if (this.written > CELL_LIMIT) {
      const kept = text.slice(0, Math.max(0, text.length - (this.written - CELL_LIMIT)));
      this.add(name, kept);
      this.add(
        'stderr',
        `\nThe cell printed more than ${CELL_LIMIT / 1e6} million characters; the rest is left out.\n`,
      );
      return;
    }
    this.add(name, text);
  }

  display(displayId: string, bundle: MimeBundle): void {
    this.flush();
    this.send({ type: 'display', id: this.id, displayId, bundle });
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { batch } = this;
    this.batch = undefined;
    if (!batch) return;
    this.sent = Date.now();
    this.send({ type: 'stream', id: this.id, name: batch.name, text: batch.text });
  }

  private add(name: StreamName, text: string): void {
    if (text === '') return;
    if (this.batch && this.batch.name !== name) this.flush();
    this.batch ??= { name, text: '' };
    this.batch.text += text;
    // By the clock, too: a loop never lets the timer run.
    if (this.batch.text.length >= BATCH_CHARACTERS || Date.now() - this.sent >= BATCH_MS) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }
}
