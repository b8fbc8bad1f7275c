import { isCount, isFiniteNumber, isObject, isOneOf, isText } from './checks';
import { isPictureDataUrl } from './run';
import { TASKS, type Task } from './tasks';

/** Most pictures that are restored in one go. */
export const MOST_ROWS = 10_000;

export const ROW_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;
export type RowState = (typeof ROW_STATES)[number];

/** One picture of many. */
export interface BatchRow {
  /** Place in the list, from 0. */
  index: number;
  /** Path of the picture, relative to what was chosen. */
  name: string;
  state: RowState;
  /** What was restored; absent until that is known. */
  task?: Task;
  /** Probability of a task that was detected, in (0, 1]. */
  confidence?: number;
  /** Embedded thumbnails of the picture as it came and as it became. */
  before?: string;
  after?: string;
  /** Pixels of the result. */
  width?: number;
  height?: number;
  /** Mean absolute difference between both, in 8-bit levels. */
  change?: number;
  seconds?: number;
  /** Path of the result, relative to the output folder. */
  output?: string;
  /** Why it failed, or what could not be kept. */
  note?: string;
}

/** Everything that the panel shows but the rows. */
export interface BatchState {
  id?: string;
  /** `detect` = each picture's own. */
  task: Task | 'detect';
  /** Empty for the uniform sentence. */
  prompt: string;
  model: string;
  /** Path of the output folder. */
  folder: string;
  running: boolean;
  /** Number of rows. */
  count: number;
}

/** Batch panel -> extension. */
export type BatchToExtension =
  | { type: 'ready' }
  | { type: 'cancel' }
  /** Restore the pictures that are not done. */
  | { type: 'resume' }
  /** Open the picture of a row in a Restore panel, with all its frames. */
  | { type: 'open-row'; row: number }
  /** Show the output folder in the explorer, or the operating system's. */
  | { type: 'reveal' };

/** Extension -> Batch panel. */
export type ExtensionToBatch =
  | ({ type: 'state' } & BatchState)
  /** Rows that are new or have changed. */
  | { type: 'rows'; rows: BatchRow[] }
  | { type: 'error'; message: string };

export function isBatchRow(value: unknown): value is BatchRow {
  return (
    isObject(value) &&
    isCount(value.index) &&
    value.index < MOST_ROWS &&
    isText(value.name, 4096) &&
    isOneOf(ROW_STATES, value.state) &&
    (value.task === undefined || isOneOf(TASKS, value.task)) &&
    [value.before, value.after].every((picture) => picture === undefined || isPictureDataUrl(picture)) &&
    [value.confidence, value.width, value.height, value.change, value.seconds].every(
      (number) => number === undefined || isFiniteNumber(number),
    ) &&
    (value.output === undefined || isText(value.output, 4096)) &&
    (value.note === undefined || isText(value.note))
  );
}

export function isBatchToExtension(value: unknown): value is BatchToExtension {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
    case 'cancel':
    case 'resume':
    case 'reveal':
      return true;
    case 'open-row':
      return isCount(value.row);
    default:
      return false;
  }
}

export function isExtensionToBatch(value: unknown): value is ExtensionToBatch {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'state':
      return (
        (value.id === undefined || isText(value.id, 64)) &&
        (value.task === 'detect' || isOneOf(TASKS, value.task)) &&
        isText(value.prompt) &&
        isText(value.model, 128) &&
        isText(value.folder, 4096) &&
        typeof value.running === 'boolean' &&
        isCount(value.count)
      );
    case 'rows':
      return Array.isArray(value.rows) && value.rows.length <= MOST_ROWS && value.rows.every(isBatchRow);
    case 'error':
      return isText(value.message);
    default:
      return false;
  }
}
