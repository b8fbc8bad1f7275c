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

/** The end of the queue of tasks. A timer would wait at least four milliseconds each time. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
