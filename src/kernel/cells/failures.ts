import { inspect } from 'node:util';
import type { CellError } from '../../protocol';
import type { Position } from './positions';

/** A place in running code, as V8 names it. */
export interface Place extends Position {
  file: string;
}

/** Says where a place in running code was written, if it is the user's: `label` for the stack. */
export type Locate = (place: Place) => { label: string; cell?: number; position: Position } | undefined;

const FRAME = /^\s+at (?:(.*?) \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/;
const STACK_LINES = 20;

/**
 * Any thrown value as the error of cell `id`: the stack holds only lines that the user wrote, and the position is the
 * innermost one in this cell. `awaited` is where the cell waited for what failed; it serves when the stack has no line.
 */
export function cellErrorOf(thrown: unknown, id: number, locate: Locate, awaited?: Position): CellError {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    return { name: 'Thrown', message: inspect(thrown, { depth: 2 }), stack: '', ...awaited };
  }
  const frames = userFrames(textOf(thrown.stack), locate);
  const inCell = frames.find((frame) => frame.cell === id)?.position ?? awaited;
  const lines = frames.map((frame) => `    at ${frame.name}${frame.label}`);
  const cause = 'cause' in thrown ? causeOf(thrown.cause) : undefined;
  if (cause !== undefined) lines.push(cause);
  return {
    name: textOf(thrown.name) || 'Error',
    message: textOf(thrown.message),
    stack: lines.join('\n'),
    ...(inCell && { line: inCell.line, column: inCell.column }),
  };
}

/** For a failure outside any cell's run: one text for stderr. */
export function describeFailure(thrown: unknown, locate: Locate): string {
  const error = cellErrorOf(thrown, -1, locate);
  return `${error.name}: ${error.message}${error.stack === '' ? '' : `\n${error.stack}`}\n`;
}

interface Frame {
  name: string;
  label: string;
  cell?: number;
  position: Position;
}

function userFrames(stack: string, locate: Locate): Frame[] {
  const frames: Frame[] = [];
  for (const line of stack.split('\n')) {
    const match = FRAME.exec(line);
    if (!match?.[2]) continue;
    const found = locate({ file: match[2], line: Number(match[3]), column: Number(match[4]) });
    if (!found) continue;
    const name = (match[1] ?? '').replace(/^async /, '').replace(/^(?:Proxy|Object|Timeout|Immediate)\.|^next$/, '');
    frames.push({
      name: name === '' || name === '_onTimeout' || name.includes('<anonymous>') ? '' : `${name} in `,
      label: found.label,
      cell: found.cell,
      position: found.position,
    });
    if (frames.length === STACK_LINES) break;
  }
  return frames;
}

function causeOf(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  if (isErrorLike(cause)) return `Caused by ${textOf(cause.name) || 'Error'}: ${textOf(cause.message)}`;
  return `Caused by ${inspect(cause, { depth: 1 })}`;
}

/** Errors of another realm are no instances of this one's `Error`. */
function isErrorLike(value: unknown): value is { name: unknown; message: unknown; stack: unknown; cause?: unknown } {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : inspect(value);
}
