import { isCount, isFiniteNumber, isObject, isOneOf, isText } from './checks';
import { isFrameAnswer, isMadeFile, isSuggestedName } from './renderer';
import { isFrameFile, isRunView, type RunView } from './run';
import { DEVICES, TASKS, type Device, type Task } from './tasks';

/** Most results that one Restore panel keeps side by side. */
export const MOST_RESULTS = 8;

/** What the user wants a picture to be restored with. */
export interface RestoreWish {
  task: Task;
  /** Empty for the model's uniform sentence. */
  prompt: string;
  /** Who wrote the prompt when it was not the user. */
  promptSource?: 'described' | 'endpoint';
  /** Id of an installed model. */
  model: string;
  device: Device;
}

/** How far a result is restored: what the dial shows, and what is saved and copied. */
export interface Strength {
  /** 1 = as it came, 0 = fully restored. */
  severity: number;
  /** Frame `<sha256>.png` of exactly this severity. */
  file: string;
}

/** One run of a panel; a panel keeps several. */
export interface PanelResult {
  /** Counts up from 1 in its panel and is never used again. */
  id: number;
  wish: RestoreWish;
  view: RunView;
  /** True when the model gives every severity; otherwise the dial stops at the frames. */
  continuous: boolean;
  /** Absent: the last frame. */
  strength?: Strength;
}

/** Restore panel -> extension. */
export type PanelToExtension =
  /** The panel has loaded (or was reloaded) and wants its `state` and all `result`s. */
  | { type: 'ready' }
  | { type: 'run'; wish: RestoreWish }
  | { type: 'cancel' }
  /** Have the scene described; the answer is a `state` with the sentence as its prompt. Nothing runs. */
  | { type: 'describe'; wish: RestoreWish }
  /** The dial has come to rest; answered by `strength`. */
  | { type: 'strength'; result: number; severity: number }
  /** Save a result at full size under a name that the user chooses. */
  | { type: 'save'; result: number; severity: number }
  /** Save what the strip has made (a figure, a table) under a name that the user chooses. */
  | { type: 'save-made'; dataUrl: string; suggestedName: string }
  | { type: 'open-as-notebook'; result: number }
  /** The user looks at another result. */
  | { type: 'show'; result: number }
  | { type: 'forget'; result: number }
  /** Wants a full frame; always answered by `frame` with the same number. */
  | { type: 'frame'; requestId: number; file: string };

/** Everything that the panel shows but the runs themselves. A new one replaces the old one. */
export interface PanelState {
  /** Names the panel for the extension; the panel only keeps it with its saved state, so that a reload finds its frames. */
  id?: string;
  input: { /** Base name of the picture. */ name: string };
  wish: RestoreWish;
  running: boolean;
  /** Ids of the results, oldest first; others are gone. */
  results: number[];
  /** The result that stands in the large view; absent = the newest. */
  shown?: number;
  models: { id: string; name: string }[];
  devices: Device[];
}

/** Extension -> Restore panel. */
export type ExtensionToPanel =
  | ({ type: 'state' } & PanelState)
  /** A new result, or the next state of one that is known. */
  | { type: 'result'; result: PanelResult }
  /** Share of the work that is done, in [0,1], and what is being done. */
  | { type: 'progress'; share: number; activity: string }
  /** Answer to `strength`; without one the frame could not be made. */
  | { type: 'strength'; result: number; severity: number; strength?: Strength }
  /** The picture as `data:image/(png|jpeg|webp);base64,...`; absent when the file is gone. */
  | { type: 'frame'; requestId: number; dataUrl?: string }
  /** One sentence what went wrong and one what to do; shown until the next `state`. */
  | { type: 'error'; message: string };

/** True for what is worth keeping as the name of a model: ids are checked where models are looked up. */
const isModel = (value: unknown): value is string => isText(value, 128) && value !== '';

export const isSeverity = (value: unknown): value is number => isFiniteNumber(value) && value >= 0 && value <= 1;

export function isRestoreWish(value: unknown): value is RestoreWish {
  return (
    isObject(value) &&
    isOneOf(TASKS, value.task) &&
    isText(value.prompt) &&
    (value.promptSource === undefined || isOneOf(['described', 'endpoint'] as const, value.promptSource)) &&
    isModel(value.model) &&
    isOneOf(DEVICES, value.device)
  );
}

function isStrength(value: unknown): value is Strength {
  return isObject(value) && isSeverity(value.severity) && isFrameFile(value.file);
}

export function isPanelResult(value: unknown): value is PanelResult {
  return (
    isObject(value) &&
    isCount(value.id) &&
    isRestoreWish(value.wish) &&
    isRunView(value.view) &&
    typeof value.continuous === 'boolean' &&
    (value.strength === undefined || isStrength(value.strength))
  );
}

export function isPanelState(value: unknown): value is PanelState {
  return (
    isObject(value) &&
    (value.id === undefined || isText(value.id, 64)) &&
    isObject(value.input) &&
    isText(value.input.name, 4096) &&
    isRestoreWish(value.wish) &&
    typeof value.running === 'boolean' &&
    Array.isArray(value.results) &&
    value.results.length <= MOST_RESULTS &&
    value.results.every(isCount) &&
    (value.shown === undefined || isCount(value.shown)) &&
    Array.isArray(value.models) &&
    value.models.every((model) => isObject(model) && isModel(model.id) && isText(model.name, 256)) &&
    Array.isArray(value.devices) &&
    value.devices.every((device) => isOneOf(DEVICES, device))
  );
}

export function isPanelToExtension(value: unknown): value is PanelToExtension {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
    case 'cancel':
      return true;
    case 'run':
    case 'describe':
      return isRestoreWish(value.wish);
    case 'strength':
    case 'save':
      return isCount(value.result) && isSeverity(value.severity);
    case 'save-made':
      return isMadeFile(value.dataUrl) && isSuggestedName(value.suggestedName);
    case 'open-as-notebook':
    case 'show':
    case 'forget':
      return isCount(value.result);
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
    case 'result':
      return isPanelResult(value.result);
    case 'progress':
      return isFiniteNumber(value.share) && isText(value.activity);
    case 'strength':
      return (
        isCount(value.result) &&
        isSeverity(value.severity) &&
        (value.strength === undefined || isStrength(value.strength))
      );
    case 'frame':
      return isFrameAnswer(value);
    case 'error':
      return isText(value.message);
    default:
      return false;
  }
}
