import type { CellError, MimeBundle } from '../protocol';
import { toLines, type NotebookOutput } from './nbformat';
import { finished } from './unfinished';

type Entry =
  | { kind: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | { kind: 'display'; displayId: string; bundle: MimeBundle }
  | { kind: 'error'; error: CellError };

/** Gathers what one cell puts out, in order, for its notebook file: a display that was updated stands there once, as last seen. */
export class CellOutputs {
  private readonly entries: Entry[] = [];

  stream(name: 'stdout' | 'stderr', text: string): void {
    const last = this.entries.at(-1);
    if (last?.kind === 'stream' && last.name === name) last.text += text;
    else this.entries.push({ kind: 'stream', name, text });
  }

  display(displayId: string, bundle: MimeBundle): void {
    const shown = this.entries.find((entry) => entry.kind === 'display' && entry.displayId === displayId);
    if (shown?.kind === 'display') shown.bundle = bundle;
    else this.entries.push({ kind: 'display', displayId, bundle });
  }

  error(error: CellError): void {
    this.entries.push({ kind: 'error', error });
  }

  /** The outputs as the notebook format wants them. A run that is still marked as working is stored as interrupted. */
  toNotebook(): NotebookOutput[] {
    return this.entries.map((entry) => {
      switch (entry.kind) {
        case 'stream':
          return { name: entry.name, output_type: 'stream', text: toLines(entry.text) };
        case 'display':
          return {
            data: toNotebookData(finished(entry.bundle, { kind: 'interrupted' })),
            metadata: {},
            output_type: 'display_data',
          };
        case 'error':
          return toNotebookError(entry.error);
      }
    });
  }
}

/** JSON types as JSON values, texts as lines, pictures as base64 text. */
function toNotebookData(bundle: MimeBundle): Record<string, unknown> {
  const isText = (type: string): boolean => /^text\/|^image\/svg\+xml$|^application\/(?:javascript|xml)$/.test(type);
  return Object.fromEntries(
    Object.entries(bundle).map(([type, value]) => [
      type,
      typeof value === 'string' && isText(type) ? toLines(value) : value,
    ]),
  );
}

function toNotebookError(error: CellError): NotebookOutput {
  const place = error.line === undefined ? [] : [`line ${error.line}, column ${error.column ?? 1} of this cell`];
  return {
    ename: error.name,
    evalue: error.message,
    output_type: 'error',
    traceback: [`${error.name}: ${error.message}`, ...place, ...error.stack.split('\n').filter((line) => line !== '')],
  };
}
