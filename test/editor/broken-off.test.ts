import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { typescriptNotebook } from './harness/notebook-file';
import { NotebookView } from './harness/notebook-view';
import { PanelView } from './harness/panel-view';
import { processesWith } from './harness/processes';
import { projectRoot } from './harness/installation';

/** Longest time of one small restoration on a busy machine. */
const RUN = 240_000;

const IMPORT = "import { restore } from 'progressive-restoration';";
const LARGE = "const large = await restore('large.png', { task: 'deblurring' });\nlarge";
const SMALL = "const small = await restore('small.png', { task: 'deblurring' });\nsmall";

describe('work that is broken off in the middle', () => {
  let editor: Editor;

  before(async () => {
    const source = path.join(projectRoot, 'notebooks', 'pictures', 'cat-blurred.png');
    // Long enough at work to be killed on any machine.
    const large = await sharp(source).resize(2100, 1360).png().toBuffer();
    editor = await startEditor({
      name: 'death',
      files: {
        'large.png': { bytes: large },
        'small.png': { copy: 'test/fixtures/pictures/card-blurred.png' },
        'one.ipynb': { text: typescriptNotebook([IMPORT, LARGE, SMALL]) },
        'two.ipynb': { text: typescriptNotebook([IMPORT, SMALL]) },
      },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor.screenshot(`failed-${this.currentTest.title.slice(0, 20)}`);
  });
  after(async () => {
    await editor.stop();
    await removeInstallation();
  });

  const processes = (bundle: string): Promise<number[]> =>
    processesWith(editor.installation.extensions, path.join('dist', bundle));
  const services = (): Promise<number[]> => processes('service.js');
  const kernels = (): Promise<number[]> => processes('kernel.js');

  /** Kills the one inference process of the window; its id. */
  const kill = async (): Promise<number> => {
    const [pid, ...others] = await services();
    assert.ok(pid !== undefined);
    assert.deepEqual(others, []);
    process.kill(pid, 'SIGKILL');
    return pid;
  };

  /** How often the outputs of the notebook in front say that the inference process ended. */
  const told = async (): Promise<number> => {
    const document = await new NotebookView(editor.workbench).output('text=/inference process ended/');
    return (await document.locator('body').innerText()).match(/inference process ended/g)?.length ?? 0;
  };

  it('is one clear error in the panel when the inference process is killed, and the next run works', async () => {
    const { workbench } = editor;
    const panel = new PanelView(workbench);
    await workbench.contextMenu('large.png', 'Restore Image...');
    await workbench.pick('Deblurring');
    await panel.document();
    // In the middle: the network is at work.
    await workbench
      .toasts()
      .filter({ hasText: /restoring|s left/ })
      .first()
      .waitFor({ timeout: RUN });
    await editor.screenshot('panel-running');
    await kill();
    const sentence = await panel.waitForError(90_000);
    assert.match(sentence, /inference process ended/);
    assert.match(sentence, /Run it again/);
    assert.equal(await (await panel.document()).locator('vscode-progress-ring:visible').count(), 0);
    assert.equal(
      await workbench
        .toasts()
        .filter({ hasText: /inference process/ })
        .count(),
      0,
    );
    await editor.screenshot('panel');

    await workbench.closeAll();
    await workbench.contextMenu('small.png', 'Restore Image...');
    await workbench.pick('Deblurring');
    const document = await panel.waitUntilDone(RUN);
    assert.equal(await document.locator('.frames .frame').count(), 9);
  });

  it('is told once under the cell, and another notebook that waits for the same process goes on', async () => {
    const { workbench } = editor;
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    // Both kernels are there before anything is restored.
    for (const name of ['two.ipynb', 'one.ipynb']) {
      await workbench.openFile(name);
      await notebook.waitUntilShown();
      await notebook.run(0);
      await notebook.cell(IMPORT).succeeded(120_000);
    }
    assert.equal((await kernels()).length, 2);
    await notebook.run(1);
    // The kernel uses the window's process, and the strip is there before the run is over.
    const output = await notebook.output('.frames .frame', RUN);
    await editor.screenshot('cell-running');
    await workbench.openFile('two.ipynb');
    await notebook.cell("restore('small.png'").row.waitFor();
    await notebook.run(1);
    await notebook.isRunning().first().waitFor({ timeout: 90_000 });
    // Behind the run of the other notebook, in the one process that both use.
    await workbench.page.waitForTimeout(1_000);
    const killed = await kill();

    await notebook.cell("restore('small.png'").succeeded(RUN);
    await editor.screenshot('other-notebook');
    const [next, ...others] = await services();
    assert.ok(next !== undefined && next !== killed && others.length === 0);

    await workbench.openFile('one.ipynb');
    await notebook.cell("restore('large.png'").row.waitFor();
    await notebook.waitForError(90_000);
    assert.equal(await told(), 1);
    assert.equal(await output.locator('[role=progressbar]:visible').count(), 0);
    await editor.screenshot('cell');
    await notebook.run(2);
    await notebook.cell("restore('small.png'").succeeded(RUN);
    assert.deepEqual(await services(), [next]);
    await editor.screenshot('cell-after');
  });

  it('is shown as interrupted when the window is reloaded; nothing is left running, and the next run works', async () => {
    const { workbench, workspace } = editor;
    const notebook = new NotebookView(workbench);
    await workbench.command('Notebook: Clear All Outputs');
    await notebook.run(1);
    await notebook.output('.frames .frame', RUN);
    // What is on disk then says "43 %".
    await workbench.command('File: Save');
    await workbench.eventually(async () => {
      assert.match(await readFile(path.join(workspace, 'one.ipynb'), 'utf8'), /"kind": ?"running"/);
    });
    const old = [...(await kernels()), ...(await services())];
    assert.ok(old.length >= 2);
    await workbench.reload();
    await notebook.waitUntilShown();
    const output = await notebook.output('text=/The run was interrupted/');
    assert.equal(await output.locator('[role=progressbar]:visible').count(), 0);
    await editor.screenshot('reloaded');
    await workbench.eventually(async () => {
      const left = [...(await kernels()), ...(await services())];
      assert.deepEqual(
        left.filter((pid) => old.includes(pid)),
        [],
      );
    });
    await notebook.run(0);
    await notebook.cell(IMPORT).succeeded(120_000);
    await notebook.run(2);
    await notebook.cell("restore('small.png'").succeeded(RUN);
    assert.equal((await services()).length, 1);
    assert.equal((await kernels()).length, 1);
    await editor.screenshot('reloaded-and-run');
  });
});
