import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError } from '../protocol';

/** A notebook file of format 4, as https://nbformat.readthedocs.io describes it. Unknown fields are kept. */
export interface NotebookDocument {
  cells: NotebookCell[];
  metadata: Record<string, unknown>;
  nbformat: 4;
  nbformat_minor: number;
  [other: string]: unknown;
}

export interface NotebookCell {
  cell_type: 'code' | 'markdown' | 'raw';
  metadata: Record<string, unknown>;
  source: string | string[];
  /** Code cells only. */
  outputs?: NotebookOutput[];
  execution_count?: number | null;
  [other: string]: unknown;
}

export type NotebookOutput =
  | { name: 'stdout' | 'stderr'; output_type: 'stream'; text: string | string[] }
  | { data: Record<string, unknown>; metadata: Record<string, unknown>; output_type: 'display_data' }
  | { ename: string; evalue: string; output_type: 'error'; traceback: string[] }
  | { output_type: string; [other: string]: unknown };

/** Largest notebook that is read, in bytes: more than this is not a document that an editor would open. */
export const NOTEBOOK_LIMIT = 256 * 1024 * 1024;
const CELL_LIMIT = 10_000;
const CELL_TYPES = ['code', 'markdown', 'raw'];

/** The kernel that the file asks for, under the name that Jupyter knows it by. */
const KERNELSPEC = { display_name: 'TypeScript', language: 'typescript', name: 'tslab' };
const LANGUAGE_INFO = {
  codemirror_mode: { mode: 'typescript', name: 'javascript', typescript: true },
  file_extension: '.ts',
  mimetype: 'text/typescript',
  name: 'typescript',
};

/** Reads and checks a notebook. Throws a RestorationError that says what is wrong with it. */
export async function readNotebook(file: string): Promise<NotebookDocument> {
  const name = path.basename(file);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    throw new RestorationError(
      'missing-file',
      `Expected a notebook at ${file}, but ${found ? 'that is not a file' : 'there is none'}.`,
      'Check the path.',
    );
  }
  if (found.size > NOTEBOOK_LIMIT) {
    const size = Math.round(found.size / 2 ** 20);
    throw new RestorationError(
      'bad-notebook',
      `${name} has ${size} MiB; notebooks of up to ${NOTEBOOK_LIMIT / 2 ** 20} MiB are read.`,
      'Clear its outputs in an editor that opens it, then try again.',
    );
  }
  return parseNotebook(await readFile(file, 'utf8'), name);
}

/** Checks the text of a notebook; `name` is the file's name in messages. */
export function parseNotebook(text: string, name: string): NotebookDocument {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw bad(name, text.trim() === '' ? 'is empty' : 'is not complete JSON', 'Restore it from a copy.');
  }
  if (!isObject(value)) throw bad(name, 'holds no notebook object', 'Restore it from a copy.');
  if (value.nbformat !== 4) {
    const version = typeof value.nbformat === 'number' ? `has format ${value.nbformat}` : 'names no notebook format';
    throw bad(name, `${version}, where format 4 is expected`, 'Convert it with "jupyter nbconvert --to notebook".');
  }
  if (!Array.isArray(value.cells)) throw bad(name, 'has no list of cells', 'Restore it from a copy.');
  if (value.cells.length > CELL_LIMIT) {
    throw bad(name, `has ${value.cells.length} cells, where up to ${CELL_LIMIT} are read`, 'Split it.');
  }
  const minor = value.nbformat_minor;
  const metadata = value.metadata ?? {};
  if (!isObject(metadata)) throw bad(name, 'has metadata that are no object', 'Restore it from a copy.');
  return {
    ...value,
    cells: value.cells.map((cell, index) => checkCell(cell, index + 1, name)),
    metadata,
    nbformat: 4,
    nbformat_minor: typeof minor === 'number' && Number.isInteger(minor) && minor >= 0 ? minor : 5,
  };
}

/** The code or prose of a cell as one text. */
export function sourceOf(cell: NotebookCell): string {
  return typeof cell.source === 'string' ? cell.source : cell.source.join('');
}

/** A text as the format stores it: a list of lines, each with its line break. */
export function toLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** The text of a notebook file as Jupyter writes it (indented by one space, sources as lines), for the TypeScript kernel. */
export function formatNotebook(notebook: NotebookDocument): string {
  const { cells, metadata, ...rest } = notebook;
  const document = {
    cells: cells.map((cell) => ({ ...cell, source: toLines(sourceOf(cell)) })),
    metadata: {
      ...metadata,
      kernelspec: { ...asObject(metadata.kernelspec), ...KERNELSPEC },
      language_info: { ...asObject(metadata.language_info), ...LANGUAGE_INFO },
    },
    ...rest,
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

/** Writes a notebook in one step: whoever reads the file sees the old one or the whole new one. */
export async function writeNotebook(file: string, notebook: NotebookDocument): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(temporary, formatNotebook(notebook), { flag: 'wx' });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    throw new RestorationError(
      'unwritable',
      `The notebook could not be written to ${file}: ${reason.replace(/\.?\s*$/, '.')}`,
      'Choose a folder that you may write to and that has space left.',
      { cause: error },
    );
  }
}

function checkCell(cell: unknown, number: number, name: string): NotebookCell {
  const where = `has a cell (number ${number})`;
  const remedy = 'Restore it from a copy.';
  if (!isObject(cell)) throw bad(name, `${where} that is no object`, remedy);
  const { cell_type: type, source, outputs, metadata } = cell;
  if (typeof type !== 'string' || !CELL_TYPES.includes(type)) throw bad(name, `${where} of an unknown type`, remedy);
  const lines: unknown[] = Array.isArray(source) ? source : [source];
  if (!lines.every((line) => typeof line === 'string')) throw bad(name, `${where} without text as source`, remedy);
  if (metadata !== undefined && !isObject(metadata)) throw bad(name, `${where} with bad metadata`, remedy);
  const outputsAreGood = Array.isArray(outputs) && outputs.every((output) => isOutput(output));
  if (type === 'code' && outputs !== undefined && !outputsAreGood) throw bad(name, `${where} with bad outputs`, remedy);
  return { ...cell, metadata: metadata ?? {} } as NotebookCell;
}

function isOutput(output: unknown): boolean {
  return isObject(output) && typeof output.output_type === 'string';
}

function bad(name: string, what: string, remedy: string): RestorationError {
  return new RestorationError('bad-notebook', `${name} ${what}.`, remedy);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
