import { element, setAttributes, setText } from './dom';
import type { RunState } from '../../src/protocol';
import type { Labels } from './labels';

/** How far a run has come, or in one sentence why it did not come further. */
export class ProgressView {
  readonly element: HTMLElement;
  private readonly bar = element('div', { class: 'progress-fill' });
  private readonly track = element('div', { class: 'progress', role: 'progressbar' }, this.bar);
  private readonly text = element('p', { class: 'progress-text muted' });
  private readonly sentence = element('p', { class: 'sentence', role: 'status' });

  constructor(private readonly labels: Labels) {
    this.element = element('div', { class: 'state' }, this.track, this.text, this.sentence);
  }

  update(state: RunState, frames: number): void {
    const running = state.kind === 'running';
    this.track.hidden = !running;
    this.text.hidden = !running;
    setText(this.sentence, this.labels.state(state, frames));
    this.sentence.hidden = running || state.kind === 'done';
    this.sentence.classList.toggle('failed', state.kind === 'failed');
    this.element.hidden = state.kind === 'done';
    if (state.kind !== 'running') return;
    const share = state.total > 0 ? Math.min(1, Math.max(0, state.done / state.total)) : undefined;
    const percent = share === undefined ? undefined : Math.round(share * 100);
    const left = state.secondsLeft === undefined ? undefined : Math.max(0, Math.ceil(state.secondsLeft));
    const text = this.labels.progress(this.labels.stages[state.stage], percent, left);
    this.bar.style.width = `${percent ?? 0}%`;
    setText(this.text, text);
    setAttributes(this.track, {
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': percent,
      'aria-valuetext': text,
      'aria-label': this.labels.stages[state.stage],
    });
  }
}
