import type { Priority } from '../protocol';

interface Job {
  priority: Priority;
  run: () => Promise<void>;
}

/** Runs jobs one after the other, interactive ones before batch ones, otherwise in the order they came. */
export class RunQueue {
  private readonly waiting: Job[] = [];
  private running = false;

  /** @param run must settle its own result; a rejection here would be nobody's */
  add(priority: Priority, run: () => Promise<void>): void {
    this.waiting.push({ priority, run });
    if (!this.running) void this.drain();
  }

  /** Jobs that have not begun. */
  get length(): number {
    return this.waiting.length;
  }

  /** Whether a job that comes now has to wait. */
  get busy(): boolean {
    return this.running;
  }

  private async drain(): Promise<void> {
    this.running = true;
    try {
      for (;;) {
        const interactive = this.waiting.findIndex(({ priority }) => priority === 'interactive');
        const [job] = this.waiting.splice(Math.max(0, interactive), 1);
        if (!job) break;
        await job.run();
      }
    } finally {
      this.running = false;
    }
  }
}
