import type { PanelResult } from '../../src/protocol';
import { element } from '../strip/dom';
import { PANEL_LABELS as labels } from './labels';

export interface ResultsEvents {
  onChoose(id: number): void;
  onForget(id: number): void;
}

/** The results of a panel, one of which stands in the large view. It is there when there are several. */
export class ResultsBar {
  readonly element = element('fieldset', { class: 'results', hidden: true });
  private shown = '';

  constructor(private readonly events: ResultsEvents) {}

  update(results: readonly PanelResult[], chosen: number | undefined): void {
    this.element.hidden = results.length < 2;
    const rows = results.map(({ id, wish, view }) => {
      const done = view.state.kind === 'done';
      const seconds = done ? labels.seconds(view.record.seconds.total) : labels.states[stateOf(view.state.kind)];
      return { id, text: labels.result(id, labels.tasks[wish.task], wish.model, seconds), prompt: wish.prompt };
    });
    const key = JSON.stringify([rows, chosen]);
    if (key === this.shown) return;
    this.shown = key;
    const focused = this.element.contains(document.activeElement) ? document.activeElement?.id : undefined;
    this.element.replaceChildren(
      element('legend', {}, labels.results),
      element(
        'div',
        { class: 'result-list' },
        ...rows.map(({ id, text, prompt }) => this.row(id, text, prompt, id === chosen)),
      ),
    );
    // What had the focus was replaced by its like.
    if (focused !== undefined && focused !== '') document.getElementById(focused)?.focus();
  }

  private row(id: number, text: string, prompt: string, checked: boolean): HTMLElement {
    const radio = element('input', { type: 'radio', name: 'result', id: `result-${id}`, value: String(id) });
    radio.checked = checked;
    radio.addEventListener('change', () => this.events.onChoose(id));
    const label = element('label', { for: radio.id, title: prompt === '' ? labels.uniform : prompt }, text);
    const forget = element(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': labels.forget(id), title: labels.forget(id) },
      '×',
    );
    forget.addEventListener('click', () => this.events.onForget(id));
    return element('span', { class: 'result' }, radio, label, forget);
  }
}

function stateOf(kind: PanelResult['view']['state']['kind']): keyof typeof labels.states {
  switch (kind) {
    case 'running':
      return 'running';
    case 'done':
      return 'done';
    case 'failed':
      return 'failed';
    case 'interrupted':
      return 'cancelled';
  }
}
