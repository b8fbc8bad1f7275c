import { ProgressBar } from './progress-bar';

/** Where a command speaks: with `--json`, JSON alone goes to standard output and everything else to standard error. */
export class Terminal {
  private readonly bar = new ProgressBar();

  constructor(private readonly jsonOnly: boolean) {}

  /** Text for people; left out with `--json`. */
  text(text: string): void {
    this.bar.clear();
    if (!this.jsonOnly) process.stdout.write(`${text}\n`);
  }

  /** The result for programs; left out without `--json`. */
  json(value: unknown): void {
    this.bar.clear();
    if (this.jsonOnly) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Something that went wrong or is worth knowing, to standard error. */
  note(text: string): void {
    this.bar.clear();
    process.stderr.write(`${text}\n`);
  }

  progress(label: string, done: number, total: number, secondsLeft?: number): void {
    this.bar.update(label, done, total, secondsLeft);
  }

  clear(): void {
    this.bar.clear();
  }
}
