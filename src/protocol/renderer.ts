import { isCount, isObject, isText } from './checks';
import { isFolderName, isFrameFile, isRegion, type Region, type RunView } from './run';

/** The region at which a reader looks at a run: it belongs to the cells whose outputs show the frame with this file. */
export interface MovedRegion {
  /** File of the run's last frame: named by its content, so that the run is the same wherever it is shown. */
  frame: string;
  region: Region;
}

/** The name that a run goes by in `MovedRegion`; undefined for one whose frames are in no file. */
export function movedName({ record }: RunView): string | undefined {
  const file = record.frames.at(-1)?.file;
  return isFrameFile(file) ? file : undefined;
}

/** Most moved regions of a notebook that are looked at. */
export const MOST_MOVED = 1000;

export function isMovedRegion(value: unknown): value is MovedRegion {
  return isObject(value) && isFrameFile(value.frame) && isRegion(value.region);
}

/** Notebook renderer -> extension. The renderer shows saved, untrusted outputs: the extension checks every message with the guard. */
export type RendererToExtension =
  /** Wants the full frame `file` of the folder `framesFolder` beside the notebook; always answered, see `ExtensionToRenderer`. */
  | { type: 'frame'; requestId: number; file: string; framesFolder: string }
  /** Wants to save a full frame under a name that the user chooses; `suggestedName` is a file name without a folder. */
  | { type: 'save-frame'; file: string; framesFolder: string; suggestedName: string }
  /** Wants to save what was made in the view (a figure, a table) under a name that the user chooses. */
  | { type: 'save-made'; dataUrl: string; suggestedName: string }
  /** Wants the running cell stopped. */
  | { type: 'stop' }
  /** Asks whether the notebook's kernel works; always answered. An output that says "43 %" may have been saved by a crash. */
  | { type: 'working'; requestId: number }
  /** Wants to hear of the regions that were moved in this notebook: now, and when an undo or another view moves one. */
  | { type: 'regions' }
  /** The reader has moved the region of a run; absent = back to where the run has it. */
  | { type: 'region'; frame: string; region?: Region };

/** Extension -> notebook renderer. */
export type ExtensionToRenderer =
  /** Answer to `frame`: the picture as `data:image/(png|jpeg|webp);base64,...`; absent when the file is gone. */
  | { type: 'frame'; requestId: number; dataUrl?: string }
  /** Answer to `working`; absent where another extension's kernel runs the cells. */
  | { type: 'working'; requestId: number; working?: boolean }
  /** All regions that were moved in the notebook. Runs that are not among them are looked at where they have their region. */
  | { type: 'regions'; regions: MovedRegion[] };

const FULL_FRAME = /^data:image\/(?:png|jpeg|webp);base64,/;
/** Longest data URL of a full frame, in characters (192 MiB of encoded picture). */
const FULL_FRAME_LIMIT = 256 * 1024 * 1024;

/** True for the data URL of a full frame: only its type is looked at, since a picture element takes any bytes without harm. */
export function isFullFrameDataUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= FULL_FRAME_LIMIT && FULL_FRAME.test(value.slice(0, 40));
}

const MADE = /^data:(image\/png|text\/markdown|text\/csv);base64,[A-Za-z0-9+/]*={0,2}$/;
/** Longest data URL of a file that a view made, in characters. */
const MADE_LIMIT = 64 * 1024 * 1024;

/** Endings of files that a view makes, by media type. */
export const MADE_ENDINGS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'text/markdown': 'md',
  'text/csv': 'csv',
};

/** True for the data URL of a figure or table that a view has made. */
export function isMadeFile(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MADE_LIMIT && MADE.test(value);
}

/** The ending that belongs to a made file: `png`, `md` or `csv`. */
export function endingOfMade(dataUrl: string): string {
  return MADE_ENDINGS[MADE.exec(dataUrl)?.[1] ?? ''] ?? 'png';
}

/** True for a file name without a folder that may be offered in a save dialog. */
export function isSuggestedName(value: unknown): value is string {
  return isFolderName(value);
}

export function isRendererToExtension(value: unknown): value is RendererToExtension {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'frame':
      return isCount(value.requestId) && isFrameFile(value.file) && isFolderName(value.framesFolder);
    case 'save-frame':
      return isFrameFile(value.file) && isFolderName(value.framesFolder) && isSuggestedName(value.suggestedName);
    case 'save-made':
      return isMadeFile(value.dataUrl) && isSuggestedName(value.suggestedName);
    case 'stop':
      return true;
    case 'working':
      return isCount(value.requestId);
    case 'regions':
      return true;
    case 'region':
      return isFrameFile(value.frame) && (value.region === undefined || isRegion(value.region));
    default:
      return false;
  }
}

export function isExtensionToRenderer(value: unknown): value is ExtensionToRenderer {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'frame':
      return isFrameAnswer(value);
    case 'working':
      return isCount(value.requestId) && (value.working === undefined || typeof value.working === 'boolean');
    case 'regions':
      return Array.isArray(value.regions) && value.regions.length <= MOST_MOVED && value.regions.every(isMovedRegion);
    default:
      return false;
  }
}

/** The fields that an answer to a request for a full frame has, in a notebook and in the panel. */
export function isFrameAnswer(value: Record<string, unknown>): boolean {
  return isCount(value.requestId) && (value.dataUrl === undefined || isFullFrameDataUrl(value.dataUrl));
}

/** A file name for a saved frame, made of the input's name: `lion.png` and 9 give `lion.frame-9.png`. */
export function suggestedFrameName(input: string, index: number): string {
  return suggestedName(input, `frame-${index}.png`);
}

/** A file name made of the input's name and an ending of our own: `lion.png` and `crops.png` give `lion.crops.png`. */
export function suggestedName(input: string, ending: string): string {
  const base = (input.split(/[\\/]/).pop() ?? '').replace(/\.[^.]*$/, '').replace(/[^\p{L}\p{N} _-]+/gu, '-');
  const name = base.replace(/^[-\s]+|[-\s]+$/g, '').slice(0, 100);
  return isText(name) && name !== '' ? `${name}.${ending}` : ending;
}
