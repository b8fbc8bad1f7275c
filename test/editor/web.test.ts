import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { processesWith } from './harness/processes';
import { savedStrip } from './harness/saved-strip';
import { widestPicture } from './harness/strip-pictures';

/**
 * The package for the web, alone: its manifest has no entry for Node, so that VS Code runs it in the extension host of the browser (a
 * web worker). The workspace is on the server's disk, as it is on GitHub or in a folder of the browser elsewhere.
 */
describe('the package for the web', () => {
  let editor: Editor;

  before(async () => {
    const { files } = await savedStrip();
    editor = await startEditor({ name: 'web', target: 'web', files });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor.screenshot(`failed-${this.currentTest.title.slice(0, 20)}`);
  });
  after(async () => {
    await editor.stop();
    await removeInstallation();
  });

  it('shows a saved strip without a kernel', async () => {
    const { workbench, installation } = editor;
    const [extension] = (await readdir(installation.extensions)).filter((name) => name.startsWith('progressive-'));
    assert.ok(extension !== undefined);
    const inside = await readdir(path.join(installation.extensions, extension, 'dist'));
    assert.deepEqual(inside.sort(), ['THIRD-PARTY-NOTICES.txt', 'web', 'webview']);
    const notebook = new NotebookView(workbench);
    await workbench.openFile('saved.ipynb');
    await notebook.waitUntilShown();
    const output = await notebook.output('.frames .frame img[src]');
    assert.equal(await output.locator('.frames .frame').count(), 9);
    assert.equal(await output.locator('.curve.psnr .point').count(), 9);
    await editor.screenshot('strip');
  });

  it('runs in a worker of the browser, and reads full frames from the folder beside the notebook', async () => {
    const { workbench, installation } = editor;
    const hosts = await Promise.all(
      workbench.page.workers().map((worker) => worker.evaluate(() => (globalThis as { name?: string }).name ?? '')),
    );
    assert.ok(
      hosts.some((name) => /extension/i.test(name)),
      `one of the workers ${JSON.stringify(hosts)} is an extension host`,
    );
    const output = await new NotebookView(workbench).output('.frames .frame img[src]');
    await output.locator('.frames .frame').nth(8).dispatchEvent('click');
    // Saved thumbnails are 256 pixels wide at most.
    await workbench.eventually(async () => assert.ok((await widestPicture(output, '.compare')) > 300));
    await editor.screenshot('full-frame');
    assert.deepEqual(await processesWith(installation.extensions, 'dist'), []);
  });

  it('adds no command that it could not carry out', async () => {
    const { workbench } = editor;
    assert.deepEqual(await workbench.commandsNamed('Progressive Restoration:'), []);
  });
});
