import { isCount, isObject, isText } from './checks';
import { isFolderName, isFrameFile } from './run';

/** Notebook renderer -> extension. The renderer shows saved, untrusted outputs: the extension checks every message with the guard. */
export type RendererToExtension =
  /** Wants the full frame `file` of the folder `framesFolder` beside the notebook; always answered, see `ExtensionToRenderer`. */
  | { type: 'frame'; requestId: number; file: string; framesFolder: string }
  /** Wants to save a full frame under a name that the user chooses; `suggestedName` is a file name without a folder. */
  | { type: 'save-frame'; file: string; framesFolder: string; suggestedName: string };

/** Extension -> notebook renderer. */
export type ExtensionToRenderer =
  /** Answer to `frame`: the picture as `data:image/(png|jpeg|webp);base64,...`; absent when the file is gone. */
  { type: 'frame'; requestId: number; dataUrl?: string };

const FULL_FRAME = /^data:image\/(?:png|jpeg|webp);base64,/;
/** Longest data URL of a full frame, in characters (192 MiB of encoded picture). */
const FULL_FRAME_LIMIT = 256 * 1024 * 1024;

/** True for the data URL of a full frame: only its type is looked at, since a picture element takes any bytes without harm. */
export function isFullFrameDataUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= FULL_FRAME_LIMIT && FULL_FRAME.test(value.slice(0, 40));
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
    default:
      return false;
  }
}

export function isExtensionToRenderer(value: unknown): value is ExtensionToRenderer {
  return isObject(value) && value.type === 'frame' && isFrameAnswer(value);
}

/** The fields that an answer to a request for a full frame has, in a notebook and in the panel. */
export function isFrameAnswer(value: Record<string, unknown>): boolean {
  return isCount(value.requestId) && (value.dataUrl === undefined || isFullFrameDataUrl(value.dataUrl));
}

/** A file name for a saved frame, made of the input's name: `lion.png` and 9 give `lion.frame-9.png`. */
export function suggestedFrameName(input: string, index: number): string {
  const base = (input.split(/[\\/]/).pop() ?? '').replace(/\.[^.]*$/, '').replace(/[^\p{L}\p{N} _-]+/gu, '-');
  const name = base.replace(/^[-\s]+|[-\s]+$/g, '').slice(0, 100);
  return isText(name) && name !== '' ? `${name}.frame-${index}.png` : `frame-${index}.png`;
}
