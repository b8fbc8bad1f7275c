import assert from 'node:assert/strict';
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KernelClient, CellOutputs } from '../../src/kernel';
import { KERNEL_ENTRY, ROOT, temporaryFolder } from '../kernel/kernel-fixture';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { typescriptNotebook } from './harness/notebook-file';

const RUNS = 50;
/** Lossless crops as a sheet, three thumbnails and the drawn strip: about 0.1 MB a run. */
const MAXIMUM_BYTES = 5_000_000;

interface Cells {
  cells: { outputs: unknown[]; execution_count: number | null }[];
}

describe('a notebook with fifty runs', () => {
  let editor: Editor | undefined;
  let folder: string;
  after(async () => {
    await editor?.stop();
    await removeInstallation();
    await rm(folder, { recursive: true, force: true });
  });

  it('stays small enough and opens with its strips', async () => {
    folder = await temporaryFolder();
    for (const name of ['cat.png', 'cat-blurred.png']) {
      await copyFile(path.join(ROOT, 'notebooks', 'pictures', name), path.join(folder, name));
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
    const { error } = await kernel.execute(source, { onDisplay: (id, bundle) => outputs.display(id, bundle) });
    await kernel.dispose();
    assert.equal(error, undefined);

    const notebook = JSON.parse(typescriptNotebook(Array.from({ length: RUNS }, () => source))) as Cells;
    for (const [index, cell] of notebook.cells.entries()) {
      Object.assign(cell, { outputs: outputs.toNotebook(), execution_count: index + 1 });
    }
    const file = path.join(folder, 'fifty.ipynb');
    await writeFile(file, JSON.stringify(notebook));
    const bytes = (await stat(file)).size;
    console.log(`      ${RUNS} runs: ${(bytes / 1e6).toFixed(1)} MB`);
    assert.ok(bytes < MAXIMUM_BYTES, `${bytes} bytes`);

    const opened = await startEditor({
      name: 'fifty',
      files: { 'fifty.ipynb': { text: await readFile(file, 'utf8') } },
    });
    editor = opened;
    const { workbench } = opened;
    const view = new NotebookView(workbench);
    const start = Date.now();
    await workbench.openFile('fifty.ipynb');
    await view.waitUntilShown();
    const cells = Date.now() - start;
    await view.output('.frames .frame img[src]', 120_000);
    console.log(`      cells after ${cells} ms, the first strip after ${Date.now() - start} ms`);
    await opened.screenshot('opened');
  });
});
