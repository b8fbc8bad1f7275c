import { isCount, isObject, isOneOf, isText } from './checks';
import { isFrameFile, isRunView, MAXIMUM_FRAMES, type RunView } from './run';
import { isFrameAnswer } from './renderer';
import { TASKS, type Task } from './tasks';

/** Restore panel -> extension. */
export type PanelToExtension =
  /** The panel has loaded (or was reloaded) and wants its `state`. */
  | { type: 'ready' }
  /** Restore again with these; an empty prompt stands for the model's uniform sentence. */
  | { type: 'run'; task: Task; prompt: string }
  | { type: 'cancel' }
  /** Save frame `frame` (1-based index as in the record) under a name that the user chooses. */
  | { type: 'save'; frame: number }
  | { type: 'open-as-notebook' }
  /** Wants a full frame; always answered by `frame` with the same number. */
  | { type: 'frame'; requestId: number; file: string };

/** Everything that the panel shows. A new one replaces the old one. */
export interface PanelState {
  /** Names the panel for the extension; the panel only keeps it with its saved state, so that a reload finds its frames. */
  id?: string;
  /** Absent until the first frame is there. */
  view?: RunView;
  input: { /** Base name of the picture. */ name: string };
  task: Task;
  prompt: string;
  running: boolean;
}

/** Extension -> Restore panel. */
export type ExtensionToPanel =
  | ({ type: 'state' } & PanelState)
  /** The picture as `data:image/(png|jpeg|webp);base64,...`; absent when the file is gone. */
  | { type: 'frame'; requestId: number; dataUrl?: string }
  /** One sentence what went wrong and one what to do; shown until the next `state`. */
  | { type: 'error'; message: string };

export function isPanelState(value: unknown): value is PanelState {
  return (
    isObject(value) &&
    (value.id === undefined || isText(value.id, 64)) &&
    (value.view === undefined || isRunView(value.view)) &&
    isObject(value.input) &&
    isText(value.input.name, 4096) &&
    isOneOf(TASKS, value.task) &&
    isText(value.prompt) &&
    typeof value.running === 'boolean'
  );
}

export function isPanelToExtension(value: unknown): value is PanelToExtension {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
    case 'cancel':
    case 'open-as-notebook':
      return true;
    case 'run':
      return isOneOf(TASKS, value.task) && isText(value.prompt);
    case 'save':
      return isCount(value.frame) && value.frame >= 1 && value.frame <= MAXIMUM_FRAMES;
    case 'frame':
      return isCount(value.requestId) && isFrameFile(value.file);
    default:
      return false;
  }
}

export function isExtensionToPanel(value: unknown): value is ExtensionToPanel {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'state':
      return isPanelState(value);
    case 'frame':
      return isFrameAnswer(value);
    case 'error':
      return isText(value.message);
    default:
      return false;
  }
}
