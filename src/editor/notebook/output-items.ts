import * as vscode from 'vscode';
import { RUN_MIME, type CellError, type MimeBundle } from '../../protocol';

/**
 * A MIME bundle as the items of one output, the run first: the editor shows the first type that it can render, and every
 * other reader of the notebook finds the picture or the text.
 */
export function bundleItems(bundle: MimeBundle): vscode.NotebookCellOutputItem[] {
  const types = Object.keys(bundle).sort((a, b) => Number(b === RUN_MIME) - Number(a === RUN_MIME));
  const items: vscode.NotebookCellOutputItem[] = [];
  for (const type of types) {
    const value = bundle[type];
    if (value === undefined) continue;
    if (/^image\/(?!svg)/.test(type) && typeof value === 'string') {
      items.push(new vscode.NotebookCellOutputItem(Buffer.from(value, 'base64'), type));
    } else if (/[/+]json$/.test(type)) {
      items.push(vscode.NotebookCellOutputItem.json(value, type));
    } else {
      items.push(vscode.NotebookCellOutputItem.text(typeof value === 'string' ? value : JSON.stringify(value), type));
    }
  }
  return items;
}

/** A cell's error as an output: name and sentence, then where in the cell, then the user's own frames. */
export function errorOutput(error: CellError): vscode.NotebookCellOutput {
  const place =
    error.line === undefined
      ? ''
      : error.column === undefined
        ? vscode.l10n.t('at line {0} of this cell', error.line)
        : vscode.l10n.t('at line {0}, column {1} of this cell', error.line, error.column);
  const told = error.stack.trim();
  const stack = told !== '' ? told : `${error.name}: ${error.message}${place === '' ? '' : `\n    ${place}`}`;
  const item = vscode.NotebookCellOutputItem.error({ name: error.name, message: error.message, stack: wrap(stack) });
  return new vscode.NotebookCellOutput([item]);
}

/** Columns that an output has room for in a window of usual width: the editor cuts longer lines off. */
const COLUMNS = 100;

/** Breaks long sentences between words; lines of a call stack stay whole, since the editor makes links of them. */
function wrap(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => (/^\s*at /.test(line) ? [line] : wrapLine(line)))
    .join('\n');
}

function wrapLine(line: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > COLUMNS) {
    const space = rest.lastIndexOf(' ', COLUMNS);
    if (space <= 0) break;
    lines.push(rest.slice(0, space));
    rest = rest.slice(space + 1);
  }
  return [...lines, rest];
}
