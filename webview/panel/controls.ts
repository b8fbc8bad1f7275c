import { TASKS, type Task } from '../../src/protocol';
import { element } from '../strip/dom';
import { PANEL_LABELS as labels } from './labels';
import {
  createButton,
  createDropdown,
  createProgressRing,
  createTextField,
  type ButtonControl,
  type ChoiceControl,
  type TextControl,
} from './toolkit';

export interface ControlEvents {
  onRun(task: Task, prompt: string): void;
  onCancel(): void;
  onSave(): void;
  onNotebook(): void;
  /** Task or prompt were changed by hand. */
  onEdit(task: Task, prompt: string): void;
}

/** The row of controls above the pictures. */
export class Controls {
  readonly element: HTMLElement;
  private readonly task: ChoiceControl<Task>;
  private readonly prompt: TextControl;
  private readonly restore: ButtonControl;
  private readonly cancel: ButtonControl;
  private readonly save: ButtonControl;
  private readonly notebook: ButtonControl;
  private readonly ring = createProgressRing();
  private running = false;
  /** What the extension said last: a field changes only when this does, so that typing is never overwritten. */
  private said: { task?: Task; prompt?: string } = {};

  constructor(events: ControlEvents) {
    const run = (): void => {
      if (!this.running) events.onRun(this.task.value, this.prompt.value);
    };
    const edit = (): void => events.onEdit(this.task.value, this.prompt.value);
    this.task = createDropdown(
      labels.task,
      TASKS.map((task) => [task, labels.tasks[task]] as const),
      edit,
    );
    this.prompt = createTextField(labels.prompt, labels.promptHint, { onInput: edit, onEnter: run });
    this.restore = createButton(labels.restore, 'primary', run);
    this.cancel = createButton(labels.cancel, 'secondary', () => events.onCancel());
    this.save = createButton(labels.saveAs, 'secondary', () => events.onSave());
    this.notebook = createButton(labels.openAsNotebook, 'secondary', () => events.onNotebook());
    this.ring.classList.add('ring');
    this.prompt.element.classList.add('prompt');
    this.element = element(
      'div',
      { class: 'controls', role: 'group' },
      this.task.element,
      this.prompt.element,
      this.restore.element,
      this.cancel.element,
      this.ring,
      element('span', { class: 'spring' }),
      this.save.element,
      this.notebook.element,
    );
  }

  update(state: { task: Task; prompt: string; running: boolean; hasFrames: boolean; isDone: boolean }): void {
    const { task, prompt, running } = state;
    if (this.said.task !== task) this.task.value = task;
    if (this.said.prompt !== prompt) this.prompt.value = prompt;
    this.said = { task, prompt };
    const wasFocused =
      this.restore.element === document.activeElement || this.cancel.element === document.activeElement;
    this.running = running;
    this.task.setEnabled(!running);
    this.restore.element.hidden = running;
    this.cancel.element.hidden = !running;
    this.ring.hidden = !running;
    // The two buttons take turns in one place: the focus stays in it.
    if (wasFocused) (running ? this.cancel : this.restore).element.focus();
    this.save.setEnabled(state.hasFrames && !running);
    this.notebook.setEnabled(state.isDone);
  }
}
