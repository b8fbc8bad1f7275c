import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunView, RUN_MIME, TASKS, type RunView } from '../../src/protocol';
import { removeInstallation, useEditor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { processesWith } from './harness/processes';

interface SavedNotebook {
  cells: {
    cell_type: string;
    execution_count?: number | null;
    outputs?: { output_type: string; data?: Record<string, unknown> }[];
  }[];
}

/** Longest time of the whole notebook on a busy machine without a graphics card. */
const NOTEBOOK = 600_000;
const NAME = '01-quickstart.ipynb';

describe('quickstart in the editor', function () {
  this.timeout(NOTEBOOK + 300_000);
  const editor = useEditor({ name: 'quickstart', files: { notebooks: { copy: 'notebooks' } } });
  after(removeInstallation);

  const file = (): string => path.join(editor().workspace, 'notebooks', NAME);
  const read = async (): Promise<SavedNotebook> => JSON.parse(await readFile(file(), 'utf8')) as SavedNotebook;
  const runs = (notebook: SavedNotebook): RunView[] =>
    notebook.cells
      .flatMap((cell) => cell.outputs ?? [])
      .map((output) => output.data?.[RUN_MIME])
      .filter((value) => value !== undefined)
      .map((value) => {
        assert.ok(isRunView(value), 'every saved run is one');
        return value;
      });

  before(async () => {
    // Nothing may be seen that this run has not made.
    const notebook = await read();
    for (const cell of notebook.cells) {
      if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
    }
    await writeFile(file(), JSON.stringify(notebook));
  });

  it('runs, shows its strips with their numbers and saves them', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    const opened = Date.now();
    await workbench.treeItem('notebooks').click();
    await workbench.openFile(NAME);
    await notebook.waitUntilShown();
    await workbench.eventually(async () => {
      assert.equal(await notebook.kernelLabel().innerText(), 'TypeScript (Progressive Restoration)');
    });
    await notebook.runAll();
    await notebook.output('.frames .frame img[src]', NOTEBOOK);
    console.log(`      first frames of the first strip ${((Date.now() - opened) / 1000).toFixed(1)} s after opening`);
    await editor().screenshot('first-frames');
    await notebook.waitUntilIdle(NOTEBOOK);
    await editor().screenshot('done');
    await notebook.save();

    const saved = await read();
    for (const cell of saved.cells.filter(({ cell_type: type }) => type === 'code')) {
      assert.ok(typeof cell.execution_count === 'number');
      assert.ok(!cell.outputs?.some(({ output_type: type }) => type === 'error'));
    }
    const views = runs(saved);
    assert.deepEqual(new Set(views.map(({ record }) => record.task)), new Set(TASKS));
    for (const { record, state, pictures } of views) {
      assert.equal(state.kind, 'done');
      assert.equal(record.frames.length, 9);
      assert.equal(pictures.length, 9);
      assert.ok(record.frames.every(({ psnr, ssim }) => psnr !== undefined && ssim !== undefined));
    }
    for (const output of saved.cells.flatMap((cell) => cell.outputs ?? [])) {
      if (output.data?.[RUN_MIME] === undefined) continue;
      assert.ok(typeof output.data['image/jpeg'] === 'string', 'other readers find the strip as a picture');
      assert.ok(output.data['text/plain'] !== undefined, 'and as text');
    }
  });

  it('shows the numbers of the record under the frames', async () => {
    const { workbench } = editor();
    const [first] = runs(await read());
    assert.ok(first !== undefined);
    await workbench.command('Notebook: Focus First Cell');
    const output = await new NotebookView(workbench).output('.frames .frame');
    const labels = await output
      .locator('.curve.psnr')
      .first()
      .locator('.point')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label') ?? ''));
    assert.equal(labels.length, 9);
    for (const [index, { psnr }] of first.record.frames.entries()) {
      assert.ok(labels[index]?.includes(Number(psnr).toFixed(2)), `${labels[index]} names ${String(psnr)}`);
    }
  });

  it('shows the saved strips after a reload, without a kernel', async () => {
    const { workbench, installation } = editor();
    await workbench.reload();
    const notebook = new NotebookView(workbench);
    await notebook.waitUntilShown();
    const output = await notebook.output('.frames .frame img[src]');
    assert.equal(await output.locator('.frames').first().locator('.frame').count(), 9);
    await workbench.eventually(async () => {
      assert.deepEqual(await processesWith(installation.extensions, path.join('dist', 'kernel.js')), []);
      assert.deepEqual(await processesWith(installation.extensions, path.join('dist', 'service.js')), []);
    });
    await editor().screenshot('reloaded');
    // The document of the outputs is moved under the cells: a click at a place of the window would miss it.
    const strip = output.locator('.strip').filter({ hasText: 'coffee-small.png' });
    await strip.locator('.frame').nth(8).dispatchEvent('click');
    await strip.locator('.compare').waitFor();
    await notebook.scroll(1000);
    await workbench.page.waitForTimeout(1500);
    await editor().screenshot('compare');
  });

  it('saves a full frame from a saved strip', async () => {
    const { workbench, workspace } = editor();
    const output = await new NotebookView(workbench).output('.frames .frame img[src]');
    await output.locator('.header button', { hasText: 'Save' }).first().dispatchEvent('click');
    await output.locator('.menu-item', { hasText: 'Frame 9' }).first().dispatchEvent('click');
    const input = workbench.quickInput();
    await workbench.eventually(async () => assert.match(await input.inputValue(), /\.frame-9\.png$/));
    const name = path.basename(await input.inputValue());
    await workbench.page.keyboard.press('Enter');
    // The outputs need not stand in the order of their cells.
    const run = runs(await read()).find(({ record }) => name.startsWith(`${path.parse(record.input.file).name}.`));
    await workbench.eventually(async () => {
      const bytes = await readFile(path.join(workspace, 'notebooks', name));
      assert.equal(`${createHash('sha256').update(bytes).digest('hex')}.png`, run?.record.frames[8]?.file);
    });
  });
});
