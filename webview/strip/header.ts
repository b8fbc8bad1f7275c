import { element, setAttributes, setText } from './dom';
import { formatSeconds } from './numbers';
import { adapterNames, type RunView } from '../../src/protocol';
import type { Labels } from './labels';
import type { Mode } from './frames';

export interface HeaderEvents {
  onMode(mode: Mode): void;
  onTable(): void;
  onRecord(): void;
  onSave?: () => void;
  onCopy?: () => void;
}

/** What was done, by what, in which time; and the switches of the strip. */
export class HeaderView {
  readonly element: HTMLElement;
  private readonly task = element('strong', { class: 'task' });
  private readonly prompt = element('span', { class: 'prompt' });
  private readonly how = element('span', { class: 'how muted' });
  private readonly fit: HTMLButtonElement;
  private readonly detail: HTMLButtonElement;
  private readonly table: HTMLButtonElement;
  private readonly record: HTMLButtonElement;
  private readonly save: HTMLButtonElement | undefined;
  private readonly copy: HTMLButtonElement | undefined;

  constructor(
    private readonly labels: Labels,
    events: HeaderEvents,
  ) {
    const button = (text: string, act: () => void, attributes = {}): HTMLButtonElement => {
      const made = element('button', { type: 'button', class: 'quiet', ...attributes }, text);
      made.addEventListener('click', act);
      return made;
    };
    this.fit = button(labels.fit, () => events.onMode('fit'));
    this.detail = button(labels.detail, () => events.onMode('detail'));
    this.table = button(labels.table, () => events.onTable());
    this.record = button(labels.record, () => events.onRecord(), { class: 'quiet fold' });
    this.save = events.onSave && button(labels.save, events.onSave);
    this.copy = events.onCopy && button(labels.copy, events.onCopy);
    const switches = element(
      'span',
      { class: 'switch', role: 'group', 'aria-label': labels.size },
      this.fit,
      this.detail,
    );
    const actions = [this.save, this.copy, this.table, this.record].flatMap((made) =>
      made === undefined ? [] : [made],
    );
    this.element = element(
      'header',
      { class: 'header' },
      element('p', { class: 'title' }, this.task, ' ', this.prompt, ' ', this.how),
      element('div', { class: 'actions' }, switches, ...actions),
    );
  }

  update(
    { record, state }: RunView,
    shown: { mode: Mode; hasDetail: boolean; table: boolean; record: boolean; hasFrames: boolean },
  ): void {
    setText(this.task, this.labels.tasks[record.task]);
    setText(this.prompt, record.prompt.text === '' ? '' : `“${record.prompt.text}”`);
    setAttributes(this.prompt, { title: record.prompt.text });
    const model = [record.model.id, ...adapterNames(record.model.adapter)].join(' + ');
    // Which device ran and how long it took is known when the run has come to its end; before that, both are placeholders.
    const known = state.kind === 'done' ? [record.device.used, formatSeconds(record.seconds.total)] : [];
    setText(this.how, [model, ...known].join(' · '));
    setAttributes(this.fit, { 'aria-pressed': shown.mode === 'fit' ? 'true' : 'false' });
    setAttributes(this.detail, { 'aria-pressed': shown.mode === 'detail' ? 'true' : 'false' });
    this.detail.disabled = !shown.hasDetail;
    setAttributes(this.table, { 'aria-pressed': shown.table ? 'true' : 'false' });
    setAttributes(this.record, { 'aria-expanded': shown.record ? 'true' : 'false' });
    for (const made of [this.save, this.copy]) if (made) made.disabled = !shown.hasFrames;
  }

  /** Says for a moment that the numbers are on the clipboard. */
  confirmCopy(): void {
    if (this.copy === undefined) return;
    const { copy } = this;
    setText(copy, this.labels.copied);
    setTimeout(() => setText(copy, this.labels.copy), 1500);
  }
}
