import { TASKS, type Device, type PanelState, type RestoreWish, type Task } from '../../src/protocol';
import { element, setText } from '../strip/dom';
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
  onRun(wish: RestoreWish): void;
  onCancel(): void;
  onDescribe(wish: RestoreWish): void;
  /** Something was changed by hand. */
  onEdit(wish: RestoreWish): void;
}

/** The controls above the pictures: what to restore, with what, and go. A row, or a row each where it is narrow. */
export class Controls {
  readonly element: HTMLElement;
  private readonly task: ChoiceControl;
  private readonly prompt: TextControl;
  private readonly describe: ButtonControl;
  private readonly model: ChoiceControl;
  private readonly device: ChoiceControl;
  private readonly restore: ButtonControl;
  private readonly cancel: ButtonControl;
  private readonly ring = createProgressRing();
  private readonly progress = element('span', { class: 'progress muted' });
  private running = false;
  /** What the extension said last: a field changes only when this does, so that typing is never overwritten. */
  private said: Partial<RestoreWish> = {};

  constructor(events: ControlEvents) {
    const run = (): void => {
      if (!this.running) events.onRun(this.wish);
    };
    const edit = (): void => events.onEdit(this.wish);
    this.task = createDropdown(labels.task, edit);
    this.prompt = createTextField(labels.prompt, labels.promptHint, { onInput: edit, onEnter: run });
    this.describe = createButton(labels.describe, 'secondary', () => events.onDescribe(this.wish));
    this.describe.element.title = labels.describeHint;
    this.model = createDropdown(labels.model, edit);
    this.device = createDropdown(labels.device, edit);
    this.restore = createButton(labels.restore, 'primary', run);
    this.cancel = createButton(labels.cancel, 'secondary', () => events.onCancel());
    this.ring.classList.add('ring');
    this.prompt.element.classList.add('prompt');
    this.element = element(
      'div',
      { class: 'controls wish', role: 'group', 'aria-label': labels.restore },
      element('div', { class: 'what' }, this.task.element, this.prompt.element, this.describe.element),
      element(
        'div',
        { class: 'with' },
        this.model.element,
        this.device.element,
        element('div', { class: 'go' }, this.restore.element, this.cancel.element, this.ring, this.progress),
      ),
    );
  }

  /** What stands in the fields. A prompt that somebody else wrote is the user's as soon as it is changed. */
  get wish(): RestoreWish {
    const prompt = this.prompt.value;
    const { promptSource } = this.said;
    return {
      task: this.task.value as Task,
      prompt,
      ...(promptSource !== undefined && prompt === this.said.prompt ? { promptSource } : {}),
      model: this.model.value,
      device: this.device.value as Device,
    };
  }

  update({ wish, running, models, devices }: PanelState): void {
    const { said } = this;
    const known = models.some(({ id }) => id === wish.model)
      ? models
      : [{ id: wish.model, name: wish.model }, ...models];
    this.task.set(
      TASKS.map((task) => [task, labels.tasks[task]] as const),
      said.task === wish.task ? this.task.value : wish.task,
    );
    this.model.set(
      known.map(({ id, name }) => [id, name] as const),
      said.model === wish.model ? this.model.value : wish.model,
    );
    this.device.set(
      devices.map((device) => [device, labels.devices[device]] as const),
      said.device === wish.device ? this.device.value : wish.device,
    );
    if (said.prompt !== wish.prompt) this.prompt.value = wish.prompt;
    this.said = wish;
    this.setRunning(running);
  }

  setProgress(share: number, activity: string): void {
    setText(this.progress, labels.progress(share, activity));
  }

  private setRunning(running: boolean): void {
    const { activeElement } = document;
    const wasFocused = this.restore.element === activeElement || this.cancel.element === activeElement;
    this.running = running;
    this.restore.element.hidden = running;
    this.cancel.element.hidden = !running;
    this.ring.hidden = !running;
    this.progress.hidden = !running;
    if (!running) setText(this.progress, '');
    this.describe.setEnabled(!running);
    // The two buttons take turns in one place: the focus stays in it.
    if (wasFocused) (running ? this.cancel : this.restore).element.focus();
  }
}
