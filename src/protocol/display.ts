import type { ServiceAddress } from './messages';
import type { Device } from './tasks';

/** A notebook output: MIME type -> text (base64 for pictures) or a JSON value. */
export type MimeBundle = Record<string, unknown>;

/**
 * An object that carries this method shows itself as the last expression of a cell.
 * Registered symbols are used, so that several copies of the library agree.
 */
export const MIME_BUNDLE: unique symbol = Symbol.for('progressive-restoration.mime-bundle') as never;

export interface Displayable {
  /** Outputs with the same id replace each other within a cell. */
  readonly displayId?: string;
  [MIME_BUNDLE](): Promise<MimeBundle>;
}

/** Key on `globalThis` under which a notebook kernel offers itself to the library. */
export const DISPLAY_HOST: unique symbol = Symbol.for('progressive-restoration.display-host') as never;

/** What a run uses unless its options say otherwise. */
export interface RunDefaults {
  device?: Device;
  /** Id of a model. */
  model?: string;
}

/** What a kernel offers to the library that runs in it. */
export interface DisplayHost {
  /** The user's settings, as they were when the running cell started. */
  readonly defaults?: RunDefaults;
  /** Absolute path of the folder for full frames (`NAME.frames` beside the notebook); made on first use. */
  readonly framesFolder: string;
  /** Aborted when the user interrupts the running cell. */
  readonly signal: AbortSignal | undefined;
  /** Shows `bundle` under the running cell; a second call with the same id replaces the first in place. */
  show(displayId: string, bundle: MimeBundle): void;
  /** Where the inference service listens; starts it when needed. Absent: the library starts its own. */
  readonly service?: () => Promise<ServiceAddress>;
}

export function isDisplayable(value: unknown): value is Displayable {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [MIME_BUNDLE]?: unknown })[MIME_BUNDLE] === 'function'
  );
}
