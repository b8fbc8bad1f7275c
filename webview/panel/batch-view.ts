import {
  isExtensionToBatch,
  type BatchRow,
  type BatchState,
  type BatchToExtension,
  type ExtensionToBatch,
} from '../../src/protocol';
import { element, setPicture, setText } from '../strip/dom';
import { PANEL_LABELS as labels } from './labels';
import { createButton, createProgressRing, type ButtonControl } from './toolkit';
import type { VsCodeApi } from './vscode-api';

/** Many pictures: a row each. */
export class BatchView {
  readonly element: HTMLElement;
  private readonly summary = element('span', { class: 'summary', role: 'status' });
  private readonly facts = element('span', { class: 'muted facts' });
  private readonly error = element('p', { class: 'error', role: 'alert', hidden: true });
  private readonly ring = createProgressRing();
  private readonly cancel: ButtonControl;
  private readonly resume: ButtonControl;
  private readonly reveal: ButtonControl;
  private readonly body = element('tbody');
  private readonly rows: RowView[] = [];
  private state: BatchState | undefined;

  constructor(private readonly api: VsCodeApi<BatchToExtension>) {
    this.cancel = createButton(labels.cancel, 'secondary', () => api.postMessage({ type: 'cancel' }));
    this.resume = createButton(labels.resume, 'primary', () => api.postMessage({ type: 'resume' }));
    this.reveal = createButton(labels.reveal, 'secondary', () => api.postMessage({ type: 'reveal' }));
    this.ring.classList.add('ring');
    const { columns } = labels;
    const heads = [
      ...[columns.before, columns.after, columns.picture, columns.task, columns.size],
      ...[columns.change, columns.seconds, columns.result],
    ].map((text) =>
      element('th', { scope: 'col', ...(text === columns.change ? { title: labels.changeHint } : {}) }, text),
    );
    const table = element(
      'table',
      { class: 'batch', 'aria-label': labels.batch },
      element('thead', {}, element('tr', {}, ...heads)),
      this.body,
    );
    this.element = element(
      'main',
      {},
      element(
        'div',
        { class: 'controls' },
        this.summary,
        this.ring,
        this.cancel.element,
        this.resume.element,
        element('span', { class: 'spring' }),
        this.facts,
        this.reveal.element,
      ),
      this.error,
      element('div', { class: 'scroller' }, table),
    );
  }

  receive(message: unknown): void {
    if (isExtensionToBatch(message)) this.handle(message);
  }

  private handle(message: ExtensionToBatch): void {
    switch (message.type) {
      case 'state': {
        this.state = message;
        this.api.setState({ id: message.id });
        this.showError('');
        this.showState(message);
        return;
      }
      case 'rows':
        for (const row of message.rows) this.showRow(row);
        this.showSummary();
        return;
      case 'error':
        this.showError(message.message);
        return;
    }
  }

  private showState({ running, task, prompt, model, folder }: BatchState): void {
    this.ring.hidden = !running;
    const focused = [this.cancel.element, this.resume.element].includes(document.activeElement as HTMLElement);
    this.cancel.element.hidden = !running;
    const what = task === 'detect' ? labels.detect : labels.tasks[task];
    setText(this.facts, [what, ...(prompt === '' ? [] : [prompt]), model].join(' · '));
    this.reveal.element.title = folder;
    this.showSummary();
    if (focused) (running ? this.cancel : this.resume).element.focus();
  }

  private showRow(row: BatchRow): void {
    // Rows come in order the first time; what belongs further down waits for those above it.
    if (row.index > this.rows.length) return;
    let view = this.rows[row.index];
    if (view === undefined) {
      view = new RowView(() => this.api.postMessage({ type: 'open-row', row: row.index }));
      this.rows.push(view);
      this.body.append(view.element);
    }
    view.update(row);
  }

  private showSummary(): void {
    const { state } = this;
    if (state === undefined) return;
    const count = (wanted: BatchRow['state']): number => this.rows.filter((row) => row.state === wanted).length;
    const done = count('done');
    const failed = count('failed');
    setText(this.summary, labels.summary(done, failed, state.count));
    this.resume.element.hidden = state.running || this.rows.length === 0 || done === state.count;
    this.resume.setText(failed + done === state.count ? labels.retry : labels.resume);
    this.reveal.setEnabled(done > 0);
  }

  private showError(message: string): void {
    setText(this.error, message);
    this.error.hidden = message === '';
  }
}

/** One picture. */
class RowView {
  readonly element: HTMLElement;
  private readonly before = element('img', { alt: '' });
  private readonly after = element('img', { alt: '' });
  private readonly name = element('td', { class: 'name' });
  private readonly task = element('td');
  private readonly size = element('td', { class: 'number' });
  private readonly change = element('td', { class: 'number' });
  private readonly seconds = element('td', { class: 'number' });
  private readonly output = element('span');
  private readonly note = element('span', { class: 'note' });
  private readonly open = element('button', { type: 'button', class: 'quiet' }, labels.open);
  state: BatchRow['state'] = 'waiting';

  constructor(onOpen: () => void) {
    this.open.addEventListener('click', onOpen);
    this.element = element(
      'tr',
      {},
      element('td', { class: 'thumbnail' }, this.before),
      element('td', { class: 'thumbnail' }, this.after),
      this.name,
      this.task,
      this.size,
      this.change,
      this.seconds,
      element('td', { class: 'outcome' }, this.output, this.note, this.open),
    );
  }

  update(row: BatchRow): void {
    const { state, name, task, confidence, change, width, height, seconds } = row;
    this.state = state;
    this.element.dataset.state = state;
    setPicture(this.before, row.before);
    setPicture(this.after, row.after);
    this.before.alt = row.before === undefined ? '' : labels.beforeOf(name);
    this.after.alt = row.after === undefined ? '' : labels.afterOf(name);
    setText(this.name, name);
    const named = task === undefined ? '' : labels.tasks[task];
    setText(this.task, confidence === undefined ? named : labels.detected(named, Math.round(100 * confidence)));
    setText(this.size, width === undefined || height === undefined ? '' : labels.size(width, height));
    setText(this.change, change === undefined ? '' : labels.levels(change));
    setText(this.seconds, seconds === undefined ? '' : labels.seconds(seconds));
    setText(this.output, row.output ?? labels.states[state]);
    setText(this.note, row.note ?? '');
    this.note.hidden = row.note === undefined;
    this.open.hidden = task === undefined;
    this.open.setAttribute('aria-label', labels.openRow(name));
    this.open.title = labels.openRow(name);
  }
}
