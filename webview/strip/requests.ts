/** Requests on a message channel. Every request settles: by its answer, after a while, or when the view ends. */
export class Requests<T> {
  private readonly open = new Map<number, (answer: T | undefined) => void>();
  private next = 0;

  /** @param patience how long an answer may take, in milliseconds */
  constructor(private readonly patience: number) {}

  /** `send` posts one request with its number. */
  ask(send: (requestId: number) => void): Promise<T | undefined> {
    const requestId = this.next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(requestId, undefined), this.patience);
      this.open.set(requestId, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(requestId);
    });
  }

  settle(requestId: number, answer: T | undefined): void {
    const resolve = this.open.get(requestId);
    this.open.delete(requestId);
    resolve?.(answer);
  }

  dispose(): void {
    for (const requestId of [...this.open.keys()]) this.settle(requestId, undefined);
  }
}
