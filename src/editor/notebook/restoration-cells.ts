import { randomBytes } from 'node:crypto';
import { DEFAULT_FRAMES, type Device, type MimeBundle, type Task } from '../../protocol';
import { typescriptMetadata } from './notebook-metadata';

/** What a generated cell restores. */
export interface CellRun {
  /** Path of the picture, relative to the notebook, with forward slashes. */
  picture: string;
  task: Task;
  /** Empty for the uniform sentence. */
  prompt: string;
  frames: number;
  /** "compact" unless said otherwise. */
  model?: string;
  /** "auto" unless said otherwise. */
  device?: Device;
}

/** A string literal in single quotes. JSON's escapes are JavaScript's. */
function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** The cell that repeats a run. */
export function restoreCell({ picture, task, prompt, frames, model = 'compact', device = 'auto' }: CellRun): string {
  const options = [`  task: ${quote(task)},`];
  if (prompt !== '') options.push(`  prompt: ${quote(prompt)},`);
  if (model !== 'compact') options.push(`  model: ${quote(model)},`);
  if (device !== 'auto') options.push(`  device: ${quote(device)},`);
  if (frames !== DEFAULT_FRAMES) options.push(`  frames: ${frames},`);
  return [
    "import { restore } from 'progressive-restoration';",
    '',
    `const run = await restore(${quote(picture)}, {`,
    ...options,
    '});',
    'run',
  ].join('\n');
}

export interface NewCell {
  kind: 'markdown' | 'code';
  source: string;
  /** Outputs of a code cell; a cell that has some counts as run once. */
  outputs?: MimeBundle[];
}

/** Lines as nbformat keeps them: every one but the last ends in a line break. */
function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}

/** The text of an `.ipynb` file (nbformat 4.5) of TypeScript cells. */
export function ipynb(cells: readonly NewCell[]): string {
  let order = 0;
  const document = {
    cells: cells.map(({ kind, source, outputs = [] }) => {
      const common = { id: randomBytes(4).toString('hex'), metadata: {}, source: lines(source) };
      if (kind === 'markdown') return { cell_type: 'markdown', ...common };
      return {
        cell_type: 'code',
        ...common,
        execution_count: outputs.length > 0 ? (order += 1) : null,
        outputs: outputs.map((bundle) => ({ output_type: 'display_data', data: bundle, metadata: {} })),
      };
    }),
    metadata: typescriptMetadata(),
    nbformat: 4,
    nbformat_minor: 5,
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}
