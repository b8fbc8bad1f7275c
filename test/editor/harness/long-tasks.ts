import type { Page } from 'playwright-core';

/** What blocked the documents of one kind. Times in milliseconds. */
export interface Blocked {
  where: 'workbench' | 'outputs';
  /** Tasks of more than 50 ms. */
  count: number;
  total: number;
  longest: number;
}

/** Where a document keeps the durations of its long tasks. */
type Observed = typeof globalThis & { longTasks?: number[] };

/** Long tasks as the browser reports them, of the workbench and of the documents in it that show outputs. */
export class LongTasks {
  private constructor(private readonly page: Page) {}

  /** Watches every document of the page: those that are there and those that are to come. */
  static async watch(page: Page): Promise<LongTasks> {
    await page.addInitScript(observe);
    for (const frame of page.frames()) await frame.evaluate(observe).catch(() => undefined);
    return new LongTasks(page);
  }

  async reset(): Promise<void> {
    for (const frame of this.page.frames()) {
      await frame.evaluate(() => ((globalThis as Observed).longTasks = [])).catch(() => undefined);
    }
  }

  async read(): Promise<Blocked[]> {
    const durations: Record<Blocked['where'], number[]> = { workbench: [], outputs: [] };
    for (const frame of this.page.frames()) {
      const tasks = await frame.evaluate(() => (globalThis as Observed).longTasks ?? []).catch(() => []);
      durations[frame === this.page.mainFrame() ? 'workbench' : 'outputs'].push(...tasks);
    }
    return (['workbench', 'outputs'] as const).map((where) => ({
      where,
      count: durations[where].length,
      total: durations[where].reduce((sum, duration) => sum + duration, 0),
      longest: Math.max(0, ...durations[where]),
    }));
  }
}

/** Runs in the page. A task of another document on the same thread is reported there, too, under another name: it counts once. */
function observe(): void {
  const scope = globalThis as Observed;
  if (scope.longTasks !== undefined) return;
  scope.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) {
      if (name === 'self' || name === 'unknown') scope.longTasks?.push(duration);
    }
  }).observe({ type: 'longtask' });
}
