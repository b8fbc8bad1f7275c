import assert from 'node:assert/strict';
import path from 'node:path';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { processesWith } from './harness/processes';
import { savedStrip } from './harness/saved-strip';

describe('Restricted Mode', () => {
  let editor: Editor;

  before(async () => {
    const { files } = await savedStrip();
    editor = await startEditor({
      name: 'restricted',
      files: { ...files, 'cat.png': { copy: 'notebooks/pictures/cat-blurred.png' } },
      restricted: true,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor.screenshot(`failed-${this.currentTest.title.slice(0, 20)}`);
  });
  after(async () => {
    await editor.stop();
    await removeInstallation();
  });

  /** Processes that the extension has started, whatever they are for. */
  const spawned = (): Promise<number[]> => processesWith(path.join(editor.installation.extensions, ''), 'dist');

  it('shows saved strips with their full frames', async () => {
    const { workbench } = editor;
    await workbench.page.locator('.statusbar-item').filter({ hasText: 'Restricted Mode' }).waitFor();
    const notebook = new NotebookView(workbench);
    await workbench.openFile('saved.ipynb');
    await notebook.waitUntilShown();
    const output = await notebook.output('.frames .frame img[src]');
    assert.equal(await output.locator('.frames .frame').count(), 9);
    await editor.screenshot('strip');
    assert.deepEqual(await spawned(), []);
  });

  it('asks for trust before a cell runs, and starts nothing without it', async () => {
    const { workbench } = editor;
    const notebook = new NotebookView(workbench);
    await notebook.runAll();
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    await notebook.waitUntilIdle(60_000);
    assert.deepEqual(await spawned(), []);
  });

  it('says in one sentence why a picture is not restored, and what to do', async () => {
    const { workbench } = editor;
    await workbench.contextMenu('cat.png', 'Restore Image...');
    const toast = workbench.toasts().filter({ hasText: 'Expected a trusted workspace' });
    await toast.waitFor();
    assert.match(await toast.innerText(), /Manage Workspace Trust/);
    await editor.screenshot('refused');
    assert.equal(await workbench.page.locator('.quick-input-widget').filter({ visible: true }).count(), 0);
    assert.deepEqual(await spawned(), []);
  });
});
