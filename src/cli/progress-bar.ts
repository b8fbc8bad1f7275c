const WIDTH = 24;

/** One line on a terminal's standard error, redrawn in place; silent when that is not a terminal. */
export class ProgressBar {
  private drawn = false;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  update(label: string, done: number, total: number, secondsLeft?: number): void {
    if (!this.stream.isTTY) return;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * WIDTH);
    const left = secondsLeft === undefined ? '' : `  ${Math.ceil(secondsLeft)} s left`;
    const line = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}  ${label}${left}`;
    this.stream.write(`\r\u001b[K${line.slice(0, Math.max(20, this.stream.columns - 1))}`);
    this.drawn = true;
  }

  /** Removes the line, so that results and errors stand on a clean one. */
  clear(): void {
    if (this.drawn) this.stream.write('\r\u001b[K');
    this.drawn = false;
  }
}
