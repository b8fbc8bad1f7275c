/** Wall-clock seconds by kind of work. */
export class Stopwatch<Kind extends string> {
  private readonly start = performance.now();
  private readonly sums = new Map<Kind, number>();

  async time<T>(kind: Kind, work: () => Promise<T> | T): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.sums.set(kind, (this.sums.get(kind) ?? 0) + (performance.now() - start) / 1000);
    }
  }

  /** Seconds spent on `kind`, to the millisecond. */
  seconds(kind: Kind): number {
    return round(this.sums.get(kind) ?? 0);
  }

  total(): number {
    return round((performance.now() - this.start) / 1000);
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
