import type { ServiceAddress } from './messages';
import type { MimeBundle } from './display';

/** Editor or command line -> kernel process, over the IPC channel of `fork`. */
export type KernelRequest =
  | { type: 'start'; /** absolute path of the notebook (need not exist) */ notebook: string; framesFolder: string }
  | { type: 'execute'; /** unique per execution */ id: number; code: string }
  | { type: 'interrupt' }
  /** Answer to `service-wanted`; `error` when the host could not start one. */
  | { type: 'service'; sequence: number; address?: ServiceAddress; error?: string }
  | { type: 'shutdown' };

export interface CellError {
  name: string;
  message: string;
  /** Already trimmed to the user's frames; may be empty. */
  stack: string;
  /** 1-based position in the cell, when the error belongs to one. */
  line?: number;
  column?: number;
}

/** Kernel process -> its host. */
export type KernelEvent =
  | { type: 'ready'; versions: Record<string, string> }
  | { type: 'stream'; id: number; name: 'stdout' | 'stderr'; text: string }
  /** Show, or replace in place when `displayId` was already shown by the same execution. */
  | { type: 'display'; id: number; displayId: string; bundle: MimeBundle }
  | { type: 'done'; id: number; outcome: 'ok' | 'error' | 'interrupted'; error?: CellError }
  | { type: 'service-wanted'; sequence: number };
