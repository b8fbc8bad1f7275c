/** Longest stretch of work before the page gets a turn, in milliseconds: far below what counts as a long task. */
const STRETCH = 12;

/** Gives the page a turn when work has gone on for a stretch: await it between the pieces of something long. */
export class Pause {
  private since = performance.now();

  async perhaps(): Promise<void> {
    if (performance.now() - this.since < STRETCH) return;
    await nextTurn();
    this.since = performance.now();
  }
}

/** Browsers that know it let what was begun go on before new tasks begin; input and painting still come first. */
const scheduler = (globalThis as { scheduler?: { yield?: () => Promise<void> } }).scheduler;

/**
 * The next turn. While a notebook opens, the outputs below wait in the queue of tasks: what the reader looks at already should not
 * stand behind them. Elsewhere it is the end of the queue; a timer would wait at least four milliseconds each time.
 */
function nextTurn(): Promise<void> {
  if (scheduler?.yield !== undefined) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
