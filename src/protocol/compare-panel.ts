import { isCount, isObject, isText } from './checks';
import { isFrameAnswer, isMadeFile, isSuggestedName } from './renderer';
import { isFrameFile, isRunView, MAXIMUM_FRAMES, type RunView } from './run';

/** Compare panel -> extension. */
export type CompareToExtension =
  | { type: 'ready' }
  | { type: 'cancel' }
  /** Save a frame under a name that the user chooses; `index` is its number in the strip, from 1. */
  | { type: 'save-frame'; file: string; index: number }
  /** Save what the strip has made (a figure, a table) under a name that the user chooses. */
  | { type: 'save-made'; dataUrl: string; suggestedName: string }
  /** Wants a full frame; always answered by `frame` with the same number. */
  | { type: 'frame'; requestId: number; file: string };

/** Pictures that exist, as a strip. */
export interface CompareState {
  id?: string;
  /** Base names of the pictures, in the order of the strip. */
  names: string[];
  running: boolean;
  view?: RunView;
}

/** Extension -> Compare panel. */
export type ExtensionToCompare =
  | ({ type: 'state' } & CompareState)
  | { type: 'frame'; requestId: number; dataUrl?: string }
  | { type: 'error'; message: string };

export function isCompareToExtension(value: unknown): value is CompareToExtension {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
    case 'cancel':
      return true;
    case 'save-frame':
      return isFrameFile(value.file) && isCount(value.index) && value.index >= 1 && value.index <= MAXIMUM_FRAMES;
    case 'save-made':
      return isMadeFile(value.dataUrl) && isSuggestedName(value.suggestedName);
    case 'frame':
      return isCount(value.requestId) && isFrameFile(value.file);
    default:
      return false;
  }
}

export function isExtensionToCompare(value: unknown): value is ExtensionToCompare {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'state':
      return (
        (value.id === undefined || isText(value.id, 64)) &&
        Array.isArray(value.names) &&
        value.names.every((name) => isText(name, 4096)) &&
        typeof value.running === 'boolean' &&
        (value.view === undefined || isRunView(value.view))
      );
    case 'frame':
      return isFrameAnswer(value);
    case 'error':
      return isText(value.message);
    default:
      return false;
  }
}
