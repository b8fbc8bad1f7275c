import type { Task } from '../../src/protocol';

/** Every word of the panel outside the strip. */
export const PANEL_LABELS = {
  tasks: {
    'super-resolution': 'Super-resolution',
    deblurring: 'Deblurring',
    'low-light': 'Low light',
  } satisfies Record<Task, string>,
  task: 'Task',
  prompt: 'Prompt',
  promptHint: 'What the picture shows (may be left empty)',
  restore: 'Restore',
  cancel: 'Cancel',
  saveAs: 'Save As…',
  openAsNotebook: 'Open as Notebook',
  starting: (name: string): string => `Restoring ${name}…`,
  nothing: (name: string): string => `Choose a task and press Restore to restore ${name}.`,
};
