import { element, setAttributes, setText } from './dom';
import { Menu, type MenuItem } from './menu';
import { formatSeconds } from './numbers';
import { isComparison } from './places';
import { adapterNames, type RunView } from '../../src/protocol';
import type { Labels } from './labels';
import type { Mode } from './frames';

export interface HeaderEvents {
  onMode(mode: Mode): void;
  onTable(): void;
  onRecord(): void;
  /** Stops the run; without it there is no such button. */
  onStop?: () => void;
  /** What can be saved and copied now; an empty list hides the menu. */
  saves(): MenuItem[];
  copies(): MenuItem[];
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
  private readonly stop: HTMLButtonElement | undefined;
  private readonly save: Menu;
  private readonly copy: Menu;

  constructor(
    private readonly labels: Labels,
    private readonly events: HeaderEvents,
  ) {
    const button = (text: string, act: () => void, attributes = {}): HTMLButtonElement => {
      const made = element('button', { type: 'button', class: 'quiet', ...attributes }, text);
      made.addEventListener('click', act);
      return made;
    };
    const menu = (text: string, items: () => MenuItem[]): Menu =>
      new Menu(element('button', { type: 'button', class: 'quiet' }, text), text, items);
    this.fit = button(labels.fit, () => events.onMode('fit'));
    this.detail = button(labels.detail, () => events.onMode('detail'));
    this.table = button(labels.table, () => events.onTable());
    this.record = button(labels.record, () => events.onRecord(), { class: 'quiet fold' });
    this.stop = events.onStop && button(labels.stop, events.onStop);
    this.save = menu(labels.save, () => events.saves());
    this.copy = menu(labels.copy, () => events.copies());
    const switches = element(
      'span',
      { class: 'switch', role: 'group', 'aria-label': labels.size },
      this.fit,
      this.detail,
    );
    this.element = element(
      'div',
      { class: 'header' },
      element('p', { class: 'title' }, this.task, ' ', this.prompt, ' ', this.how),
      element(
        'div',
        { class: 'actions' },
        ...(this.stop === undefined ? [] : [this.stop]),
        switches,
        this.save.element,
        this.copy.element,
        this.table,
        this.record,
      ),
    );
  }

  update(
    view: RunView,
    shown: { mode: Mode; hasDetail: boolean; table: boolean; record: boolean; runs: readonly RunView[] },
  ): void {
    const { record, state } = view;
    const compares = isComparison(view);
    // With several runs each row says by what it was made; here stands what is true of all.
    const tasks = new Set(shown.runs.map((run) => this.labels.tasks[run.record.task]));
    const isShared = shown.runs.every((run) => run.record.prompt.text === record.prompt.text);
    const prompt = isShared ? record.prompt.text : '';
    setText(this.task, compares ? this.labels.pictures(record.frames.length) : [...tasks].join(', '));
    setText(this.prompt, prompt === '' ? '' : `“${prompt}”`);
    setAttributes(this.prompt, { title: prompt });
    const count = shown.runs.length;
    setText(this.how, compares ? '' : count > 1 ? this.labels.runs(count) : describeWork({ record, state }));
    setAttributes(this.fit, { 'aria-pressed': shown.mode === 'fit' ? 'true' : 'false' });
    setAttributes(this.detail, { 'aria-pressed': shown.mode === 'detail' ? 'true' : 'false' });
    this.detail.disabled = !shown.hasDetail;
    setAttributes(this.table, { 'aria-pressed': shown.table ? 'true' : 'false' });
    setAttributes(this.record, { 'aria-expanded': shown.record ? 'true' : 'false' });
    if (this.stop !== undefined) this.stop.hidden = state.kind !== 'running';
    this.save.element.hidden = this.events.saves().length === 0;
    this.copy.element.hidden = this.events.copies().length === 0;
  }

  /** Says for a moment that something is on the clipboard. */
  confirmCopy(): void {
    const { button } = this.copy;
    setText(button, this.labels.copied);
    setTimeout(() => setText(button, this.labels.copy), 1500);
  }
}

/**
 * Model, device and time: which device ran and how long it took is known when a run has come to its end, and not for frames that
 * were made elsewhere.
 */
export function describeWork({ record, state }: Pick<RunView, 'record' | 'state'>): string {
  const model = [record.model.id, ...adapterNames(record.model.adapter)].join(' + ');
  const known =
    state.kind === 'done' && record.seconds.total > 0 ? [record.device.used, formatSeconds(record.seconds.total)] : [];
  return [model, ...known].join(' · ');
}
