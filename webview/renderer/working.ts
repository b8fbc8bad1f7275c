import type { RunState, RunView } from '../../src/protocol';

/** How often the extension is asked whether the kernel of a run that is shown as working still works, in milliseconds. */
const ASK_EVERY = 5_000;
/** Without an answer, a run that has not moved for so long counts as broken off. */
const SILENCE = 30_000;

/**
 * Watches one output that says that its run is working. A crash may have saved it in the middle: as soon as nobody works on it any
 * more, or nothing has been heard of it for a while, it is shown as interrupted, and never stays at "43 %".
 */
export class WorkWatch {
  private timer: ReturnType<typeof setInterval> | undefined;
  private heard = 0;
  private isInterrupted = false;

  /**
   * @param ask asks whether the kernel works; undefined = nobody answers, or the answer is not known
   * @param onInterrupted is told once
   */
  constructor(
    private readonly ask: () => Promise<boolean | undefined>,
    private readonly onInterrupted: () => void,
  ) {}

  /** A state of the run has come. */
  take(state: RunState['kind']): void {
    this.heard = Date.now();
    this.isInterrupted = false;
    if (state !== 'running') this.stop();
    else if (this.timer === undefined) {
      this.timer = setInterval(() => void this.check(), ASK_EVERY);
      void this.check();
    }
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async check(): Promise<void> {
    const before = this.heard;
    const working = await this.ask();
    // News have come in the meantime, or the output is gone.
    if (this.timer === undefined || this.heard !== before || this.isInterrupted) return;
    if (working === true || (working === undefined && Date.now() - this.heard < SILENCE)) return;
    this.isInterrupted = true;
    this.stop();
    this.onInterrupted();
  }
}

/** The same view with every run that says it is working shown as interrupted. */
export function brokenOff(view: RunView): RunView {
  const ended = ({ state, ...run }: RunView): RunView => ({
    ...run,
    state: state.kind === 'running' ? { kind: 'interrupted' } : state,
  });
  return { ...ended(view), ...(view.others === undefined ? {} : { others: view.others.map(ended) }) };
}
