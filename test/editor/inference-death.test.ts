import assert from 'node:assert/strict';
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

describe('inference process killed in the middle of a run', () => {
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
        'death.ipynb': {
          text: typescriptNotebook([
            "import { restore } from 'progressive-restoration';",
            "const large = await restore('large.png', { task: 'deblurring' });\nlarge",
            "const small = await restore('small.png', { task: 'deblurring' });\nsmall",
          ]),
        },
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

  const services = (): Promise<number[]> =>
    processesWith(editor.installation.extensions, path.join('dist', 'service.js'));

  /** Kills the one inference process of the window. */
  const kill = async (): Promise<void> => {
    const [pid, ...others] = await services();
    assert.ok(pid !== undefined);
    assert.deepEqual(others, []);
    process.kill(pid, 'SIGKILL');
  };

  it('is one clear error in the panel, and the next run works', async () => {
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

  it('is one clear error under the cell, and the next cell works', async () => {
    const { workbench } = editor;
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    await workbench.openFile('death.ipynb');
    await notebook.waitUntilShown();
    await notebook.run(0);
    await notebook.cell('import { restore }').succeeded(120_000);
    await notebook.run(1);
    // The kernel uses the window's process, and the strip is there before the run is over.
    const output = await notebook.output('.frames .frame', RUN);
    await editor.screenshot('cell-running');
    await kill();
    await notebook.waitForError(90_000);
    await notebook.output('text=/inference process ended/');
    assert.equal(await output.locator('[role=progressbar]:visible').count(), 0);
    await editor.screenshot('cell');
    await notebook.run(2);
    await notebook.cell("restore('small.png'").succeeded(RUN);
    await editor.screenshot('cell-after');
  });
});
