import { isCount, isObject, isText } from './checks';

/** What a question to the language process is about: a code cell and the code cells above it, in the order of the notebook. */
export interface CellContext {
  above: string[];
  code: string;
}

/** Offsets count UTF-16 units from the start of the cell. */
export type LanguageQuery =
  /** What the kernel would refuse in the cell. */
  | { kind: 'check' }
  | { kind: 'complete'; offset: number }
  /** What a completion stands for; asked for the one that is looked at. */
  | { kind: 'describe'; offset: number; name: string }
  | { kind: 'hover'; offset: number }
  | { kind: 'signatures'; offset: number };

/** Host -> language process, over the IPC channel of `fork`; answered in order. */
export interface LanguageRequest {
  id: number;
  cell: CellContext;
  query: LanguageQuery;
}

/** A stretch of the cell, `end` not included. */
export interface Span {
  start: number;
  end: number;
}

export interface CellProblem extends Span {
  message: string;
  /** Number of the compiler's message; 0 for one of our own. */
  code: number;
}

/** Text that is put in at a place of the cell. */
export interface Insertion {
  at: number;
  text: string;
}

export interface CellCompletion {
  name: string;
  /** The compiler's word for what it is: `function`, `const`, `property`, ... */
  kind: string;
  /** Orders the list. */
  sortText: string;
  /** Put in instead of `name`. */
  insertText?: string;
  deprecated?: true;
  /** What it replaces; the word at the cursor unless given. */
  span?: Span;
  /** The import without which the name means nothing in the cell, and the module that it is of. */
  addition?: Insertion;
  source?: string;
}

/** Text about a symbol: its declaration, and its documentation as Markdown. */
export interface CellDescription {
  declaration: string;
  documentation: string;
}

export interface CellHover extends CellDescription {
  span: Span;
}

export interface CellSignature extends CellDescription {
  parameters: { label: string; documentation: string }[];
}

export interface CellSignatures {
  signatures: CellSignature[];
  active: number;
  activeParameter: number;
}

export interface LanguageResults {
  check: CellProblem[];
  complete: CellCompletion[];
  describe: CellDescription | undefined;
  hover: CellHover | undefined;
  signatures: CellSignatures | undefined;
}

/** Language process -> its host: `error` when the compiler itself failed. */
export interface LanguageAnswer {
  id: number;
  result?: unknown;
  error?: string;
}

export function isLanguageAnswer(value: unknown): value is LanguageAnswer {
  return isObject(value) && isCount(value.id) && (value.error === undefined || typeof value.error === 'string');
}

/** Longest text of a cell that is looked at. */
const CODE_LIMIT = 1_000_000;

export function isLanguageRequest(value: unknown): value is LanguageRequest {
  if (!isObject(value) || !isCount(value.id) || !isObject(value.cell) || !isObject(value.query)) return false;
  const { above, code } = value.cell;
  if (!isText(code, CODE_LIMIT) || !Array.isArray(above)) return false;
  if (!above.every((source) => isText(source, CODE_LIMIT))) return false;
  switch (value.query.kind) {
    case 'check':
      return true;
    case 'complete':
    case 'hover':
    case 'signatures':
      return isCount(value.query.offset);
    case 'describe':
      return isCount(value.query.offset) && isText(value.query.name);
    default:
      return false;
  }
}

function isSpan(value: unknown): value is Record<string, unknown> & Span {
  return isObject(value) && isCount(value.start) && isCount(value.end) && value.start <= value.end;
}

function isInsertion(value: unknown): value is Insertion {
  return isObject(value) && isCount(value.at) && typeof value.text === 'string';
}

function isDescription(value: unknown): value is Record<string, unknown> & CellDescription {
  return isObject(value) && typeof value.declaration === 'string' && typeof value.documentation === 'string';
}

function isListOf(value: unknown, check: (entry: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(check);
}

function isCompletion(value: unknown): boolean {
  return (
    isObject(value) &&
    [value.name, value.kind, value.sortText].every((text) => typeof text === 'string') &&
    (value.insertText === undefined || typeof value.insertText === 'string') &&
    (value.deprecated === undefined || value.deprecated === true) &&
    (value.span === undefined || isSpan(value.span)) &&
    (value.addition === undefined || isInsertion(value.addition)) &&
    (value.source === undefined || typeof value.source === 'string')
  );
}

function isSignature(value: unknown): boolean {
  return (
    isDescription(value) &&
    isListOf(
      (value as Record<string, unknown>).parameters,
      (entry) => isObject(entry) && typeof entry.label === 'string' && typeof entry.documentation === 'string',
    )
  );
}

const GUARDS: { [Kind in LanguageQuery['kind']]: (value: unknown) => value is LanguageResults[Kind] } = {
  check: (value): value is CellProblem[] =>
    isListOf(value, (entry) => isSpan(entry) && typeof entry.message === 'string' && isCount(entry.code)),
  complete: (value): value is CellCompletion[] => isListOf(value, isCompletion),
  describe: (value): value is CellDescription | undefined => value === undefined || isDescription(value),
  hover: (value): value is CellHover | undefined => value === undefined || (isDescription(value) && isSpan(value.span)),
  signatures: (value): value is CellSignatures | undefined =>
    value === undefined ||
    (isObject(value) &&
      isCount(value.active) &&
      isCount(value.activeParameter) &&
      isListOf(value.signatures, isSignature)),
};

/** The result of a query of this kind, or nothing when it has another shape. */
export function languageResult<Kind extends LanguageQuery['kind']>(
  kind: Kind,
  value: unknown,
): LanguageResults[Kind] | undefined {
  const guard: (candidate: unknown) => candidate is LanguageResults[Kind] = GUARDS[kind];
  return guard(value) ? value : undefined;
}
