import assert from 'node:assert/strict';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { CellHelp } from './harness/cell-help';
import { removeInstallation, useEditor } from './harness/editor';
import { typescriptNotebook } from './harness/notebook-file';
import { NotebookView } from './harness/notebook-view';
import { processesWith } from './harness/processes';

describe('language features of notebook cells in the editor', () => {
  const editor = useEditor({
    name: 'language',
    files: {
      'cells.ipynb': {
        text: typescriptNotebook([
          "import { restore } from 'progressive-restoration';\nconst picture: { width: number } = { width: 3 };",
          "const options = { task: 'deblurring' };\npicture.height;",
          'const broken: number = ;',
          'await new Promise((resolve) => setTimeout(resolve, 600_000));',
        ]),
      },
    },
  });
  after(removeInstallation);

  const processes = (name: string): Promise<number[]> =>
    processesWith(editor().installation.extensions, path.join('dist', name));

  const help = (): CellHelp => new CellHelp(editor().workbench);
  const focusEnd = (index: number): Promise<Locator> => help().focusEnd(index);
  const offers = (name: string): Locator => help().offers(name);

  it('show problems across cells before anything has run, each of them once', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.openFile('cells.ipynb');
    await notebook.waitUntilShown();
    const second = notebook.cells().nth(1);
    await second.locator('.squiggly-error').first().waitFor({ timeout: 90_000 });
    assert.deepEqual(await processes('kernel.js'), [], 'no cell has run');
    assert.equal((await processes('language.js')).length, 1);
    await notebook.cells().nth(2).locator('.squiggly-error').first().waitFor({ timeout: 90_000 });
    assert.equal(await notebook.cells().nth(0).locator('.squiggly-error').count(), 0);
    await workbench.command('Problems: Focus on Problems View');
    const problems = workbench.page.locator('.markers-panel .monaco-list-row');
    await problems.filter({ hasText: "Property 'height' does not exist" }).waitFor({ timeout: 90_000 });
    await editor().screenshot('problems');
    // When the editor's own TypeScript has found a syntax error too, ours goes: for a moment both are there.
    await workbench.eventually(async () => {
      for (const text of ["Property 'height' does not exist", 'Expression expected']) {
        assert.equal(await problems.filter({ hasText: text }).count(), 1, text);
      }
    });
    await workbench.command('View: Toggle Panel Visibility');
  });

  it('complete what the cells above declare and what the library exports, each once', async () => {
    const { page } = editor().workbench;
    await focusEnd(1);
    await page.keyboard.type('\npicture.');
    await offers('width').first().waitFor({ timeout: 90_000 });
    assert.equal(await offers('width').count(), 1);
    await editor().screenshot('completion');
    await page.keyboard.press('Escape');
    await page.keyboard.type('width;\nrestor');
    await offers('restore').first().waitFor({ timeout: 90_000 });
    assert.equal(await offers('restore').count(), 1);
    await page.keyboard.press('Escape');
  });

  it('show the signature and the documentation of the library while a cell runs', async () => {
    const { workbench } = editor();
    const { page } = workbench;
    const notebook = new NotebookView(workbench);
    await notebook.run(3);
    await notebook.isRunning().first().waitFor({ timeout: 120_000 });
    await focusEnd(1);
    await page.keyboard.type('e(');
    await help().signature('restore').waitFor({ timeout: 90_000 });
    await editor().screenshot('signature');
    await page.keyboard.press('Escape');
    await page.keyboard.type("'a.png', { task: '");
    await offers('deblurring').first().waitFor({ timeout: 90_000 });
    assert.equal(await offers('deblurring').count(), 1);
    // Whether the signature is still shown decides what a second Escape does: it may leave the cell.
    await focusEnd(1);
    await page.keyboard.press('Home');
    const hover = await help().hover('restore');
    await editor().screenshot('hover');
    assert.equal(await hover.count(), 1);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Interrupt', exact: true }).click();
  });

  it('help in a notebook that was never saved, and no name that cells below may use is faded', async () => {
    const { workbench } = editor();
    const { page } = workbench;
    const notebook = new NotebookView(workbench);
    await workbench.command('Progressive Restoration: New Restoration Notebook');
    // The other notebook imports the library, too: only the new one has this.
    await notebook.cell("restore('picture.png'").row.waitFor({ timeout: 90_000 });
    const cell = await focusEnd(0);
    await page.keyboard.press('Control+A');
    await page.keyboard.type("import { restore } from 'progressive-r");
    await offers('progressive-restoration').first().waitFor({ timeout: 90_000 });
    assert.equal(await offers('progressive-restoration').count(), 1);
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.type(';\nconst later = 1;\nconst within = () => {\nconst never = 1;\n');
    await page.keyboard.press('Control+End');
    await page.keyboard.type('\nrestor');
    await offers('restore').first().waitFor({ timeout: 90_000 });
    assert.equal(await offers('restore').count(), 1);
    await page.keyboard.press('Escape');
    const faded = cell.locator('.squiggly-inline-unnecessary');
    await faded.filter({ hasText: 'never' }).waitFor({ timeout: 90_000 });
    await editor().screenshot('faded');
    assert.deepEqual(await faded.allInnerTexts(), ['never']);
    await workbench.command('View: Revert and Close Editor');
  });

  it('come back after their process was killed, and end with the last notebook', async () => {
    const { workbench } = editor();
    const { page } = workbench;
    const [pid] = await processes('language.js');
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    await focusEnd(0);
    await page.keyboard.type('\npicture.');
    await offers('width').first().waitFor({ timeout: 90_000 });
    await page.keyboard.press('Escape');
    await workbench.closeAll();
    await workbench.eventually(async () => assert.deepEqual(await processes('language.js'), []), 90_000);
  });
});
