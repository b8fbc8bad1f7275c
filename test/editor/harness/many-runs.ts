import { copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { CellOutputs, KernelClient } from '../../../src/kernel';
import { KERNEL_ENTRY, temporaryFolder } from '../../kernel/kernel-fixture';
import { projectRoot } from './installation';
import { typescriptNotebook } from './notebook-file';

/**
 * The text of a notebook that was saved with many runs: one real run with a reference in every cell. The outputs are those of one
 * run, repeated: what a document weighs does not depend on whether its runs differ.
 */
export async function notebookOfRuns(count: number): Promise<string> {
  const folder = await temporaryFolder();
  try {
    for (const name of ['cat.png', 'cat-blurred.png']) {
      await copyFile(path.join(projectRoot, 'notebooks', 'pictures', name), path.join(folder, name));
    }
    const source = [
      "import { restore } from 'progressive-restoration';",
      "const run = await restore('cat-blurred.png', { task: 'deblurring', reference: 'cat.png' });",
      'run',
    ].join('\n');
    const kernel = new KernelClient({
      notebook: path.join(folder, 'one.ipynb'),
      framesFolder: path.join(folder, 'one.frames'),
      entry: KERNEL_ENTRY,
    });
    const outputs = new CellOutputs();
    try {
      const { error } = await kernel.execute(source, { onDisplay: (id, bundle) => outputs.display(id, bundle) });
      if (error !== undefined) throw new Error(error.message);
    } finally {
      await kernel.dispose();
    }
    const notebook = JSON.parse(typescriptNotebook(Array.from({ length: count }, () => source))) as {
      cells: object[];
    };
    for (const [index, cell] of notebook.cells.entries()) {
      Object.assign(cell, { outputs: outputs.toNotebook(), execution_count: index + 1 });
    }
    return JSON.stringify(notebook);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
