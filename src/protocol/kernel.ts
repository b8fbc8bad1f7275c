import { isCount, isObject, isOneOf } from './checks';
import type { MimeBundle, RunDefaults } from './display';
import type { ServiceAddress } from './messages';
import { DEVICES } from './tasks';

/** Editor or command line -> kernel process, over the IPC channel of `fork`. */
export type KernelRequest =
  | {
      type: 'start';
      /** absolute path of the notebook (need not exist) */
      notebook: string;
      framesFolder: string;
      /** Whether `service-wanted` is answered; otherwise the library in the kernel starts its own service. */
      offersService?: boolean;
    }
  | { type: 'execute'; /** unique per execution */ id: number; code: string; defaults?: RunDefaults }
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

/** How an execution ended. */
export const CELL_OUTCOMES = ['ok', 'error', 'interrupted'] as const;
export type CellOutcome = (typeof CELL_OUTCOMES)[number];

/** Kernel process -> its host. */
export type KernelEvent =
  | { type: 'ready'; versions: Record<string, string> }
  | { type: 'stream'; id: number; name: 'stdout' | 'stderr'; text: string }
  /** Show, or replace in place when `displayId` was already shown by the same execution. */
  | { type: 'display'; id: number; displayId: string; bundle: MimeBundle }
  | { type: 'done'; id: number; outcome: CellOutcome; error?: CellError }
  /** An `interrupt` has arrived: the cell is in no loop that keeps messages from being read. */
  | { type: 'interrupting' }
  | { type: 'service-wanted'; sequence: number };

function isPosition(value: unknown): boolean {
  return value === undefined || (isCount(value) && value >= 1);
}

function isCellError(value: unknown): value is CellError {
  return (
    isObject(value) &&
    [value.name, value.message, value.stack].every((text) => typeof text === 'string') &&
    isPosition(value.line) &&
    isPosition(value.column)
  );
}

/** Guard for what arrives from a kernel process: code of a notebook can send anything over the same channel. */
export function isKernelEvent(value: unknown): value is KernelEvent {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'ready':
      return isObject(value.versions) && Object.values(value.versions).every((text) => typeof text === 'string');
    case 'stream':
      return isCount(value.id) && isOneOf(['stdout', 'stderr'], value.name) && typeof value.text === 'string';
    case 'display':
      return isCount(value.id) && typeof value.displayId === 'string' && isObject(value.bundle);
    case 'done':
      return (
        isCount(value.id) &&
        isOneOf(CELL_OUTCOMES, value.outcome) &&
        (value.error === undefined || isCellError(value.error))
      );
    case 'interrupting':
      return true;
    case 'service-wanted':
      return isCount(value.sequence);
    default:
      return false;
  }
}

/** Guard for what arrives in a kernel process. */
export function isKernelRequest(value: unknown): value is KernelRequest {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'start':
      return (
        typeof value.notebook === 'string' &&
        typeof value.framesFolder === 'string' &&
        (value.offersService === undefined || typeof value.offersService === 'boolean')
      );
    case 'execute':
      return isCount(value.id) && typeof value.code === 'string' && isDefaults(value.defaults);
    case 'interrupt':
    case 'shutdown':
      return true;
    case 'service':
      return (
        isCount(value.sequence) &&
        (value.error === undefined || typeof value.error === 'string') &&
        (value.address === undefined || isServiceAddress(value.address))
      );
    default:
      return false;
  }
}

function isDefaults(value: unknown): value is RunDefaults | undefined {
  if (value === undefined) return true;
  return (
    isObject(value) &&
    (value.device === undefined || isOneOf(DEVICES, value.device)) &&
    (value.model === undefined || typeof value.model === 'string')
  );
}

function isServiceAddress(value: unknown): value is ServiceAddress {
  return isObject(value) && typeof value.path === 'string' && typeof value.token === 'string';
}
