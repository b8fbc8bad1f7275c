import { NotebookView } from '../../editor/harness/notebook-view';
import { RunningExtensions } from '../../editor/harness/running-extensions';
import type { Editor } from '../../editor/harness/editor';
import { inEditor } from './measured-editor';

/** Time that the extension takes to be loaded and activated by a notebook, as VS Code itself counts it, in window after window. */
export const title = 'Activation in VS Code';

/** Windows whose activation is measured; the first one has a fresh profile. */
const WINDOWS = 8;
const NOTEBOOK = '05-progression-data-set.ipynb';

export type Row = Record<string, string>;

export function run(): AsyncGenerator<Row> {
  return inEditor({ name: 'bench-activation', files: { [NOTEBOOK]: { copy: `notebooks/${NOTEBOOK}` } } }, measure);
}

async function* measure({ workbench }: Editor): AsyncGenerator<Row> {
  const extensions = new RunningExtensions(workbench);
  const activations: number[] = [];
  while (activations.length < WINDOWS) {
    if (activations.length > 0) await workbench.reload();
    await workbench.openFile(NOTEBOOK);
    await new NotebookView(workbench).waitUntilShown();
    activations.push(await extensions.activation());
  }
  const [first, ...others] = activations;
  const sorted = [...others].sort((a, b) => a - b);
  yield { what: 'load and activate(), fresh profile', measured: `${first} ms`, aim: '< 50 ms' };
  yield {
    what: `after ${others.length} reloads: least, median, most`,
    measured: `${sorted[0]}, ${sorted[Math.floor(sorted.length / 2)]}, ${sorted.at(-1)} ms`,
    aim: '< 50 ms',
  };
}
