import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunView, RUN_MIME } from '../../src/protocol';
import { removeInstallation, useEditor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { PanelView } from './harness/panel-view';
import { processesWith } from './harness/processes';
import { projectRoot } from './harness/installation';

/** Longest time of one small restoration on a busy machine. */
const RUN = 240_000;

interface SavedNotebook {
  cells: { cell_type: string; source: string[]; outputs?: { data: Record<string, unknown> }[] }[];
}

const sha256 = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

describe('Restore Image in the editor', () => {
  const editor = useEditor({
    name: 'restore',
    files: {
      'cat.png': { copy: 'notebooks/pictures/cat-blurred.png' },
      'first.png': { copy: 'test/fixtures/pictures/card-blurred.png' },
      'second.PNG': { copy: 'test/fixtures/pictures/card-dark.png' },
      'broken.png': { bytes: Buffer.from('this is not a picture at all') },
      'notes.txt': { text: 'no picture' },
    },
  });
  after(removeInstallation);

  const services = (): Promise<number[]> =>
    processesWith(editor().installation.extensions, path.join('dist', 'service.js'));

  it('is offered for pictures only, and nothing runs before it is asked for', async () => {
    const { workbench } = editor();
    await workbench.treeItem('notes.txt').click({ button: 'right' });
    await workbench.page.getByRole('menuitem', { name: 'Rename...' }).waitFor();
    assert.equal(await workbench.page.getByRole('menuitem', { name: 'Restore Image...' }).count(), 0);
    await workbench.page.keyboard.press('Escape');
    assert.deepEqual(await services(), []);
  });

  it('restores a picture with task and prompt, and shows nine frames with their curve', async () => {
    const { workbench, workspace } = editor();
    const panel = new PanelView(workbench);
    await workbench.contextMenu('cat.png', 'Restore Image...');
    await workbench.quickRow('Deblurring').waitFor();
    await editor().screenshot('tasks');
    await workbench.pick('Deblurring');
    const manifest = JSON.parse(
      await readFile(path.join(projectRoot, 'models', 'compact', 'manifest.json'), 'utf8'),
    ) as { uniformPrompts: Record<string, string> };
    await workbench.inputTitled('Restore cat.png');
    await editor().screenshot('prompt');
    const proposal = await workbench.answer('Restore cat.png');
    assert.equal(proposal, manifest.uniformPrompts.deblurring);
    const document = await panel.waitUntilDone(RUN);
    assert.equal(await document.locator('.frames .frame').count(), 9);
    const values = await panel.curveValues();
    assert.equal(values.length, 9);
    assert.ok(values.every((value) => /\d/.test(value)));
    assert.equal((await services()).length, 1);
    await workbench.toasts().first().waitFor({ state: 'detached' });
    await editor().screenshot('done');
    assert.deepEqual((await readdir(workspace)).sort(), [
      'broken.png',
      'cat.png',
      'first.png',
      'notes.txt',
      'second.PNG',
    ]);
  });

  it('opens a frame large, from its full file', async () => {
    const panel = new PanelView(editor().workbench);
    const document = await panel.document();
    await document.locator('.frames .frame').nth(4).click();
    await editor().workbench.page.waitForTimeout(1500);
    await editor().screenshot('compare');
    const size = await editor().workbench.eventually(async () => {
      const sizes = await document
        .locator('.compare img, .compare canvas')
        .evaluateAll((nodes) =>
          nodes.map((node) =>
            node instanceof HTMLImageElement ? node.naturalWidth : (node as HTMLCanvasElement).width,
          ),
        );
      assert.ok(Math.max(0, ...sizes) >= 420, `full frames are 420 pixels wide, got ${sizes.join(', ')}`);
      return sizes;
    });
    assert.ok(size.length > 0);
  });

  it('saves the restored picture under a chosen name, and never over the picture itself', async () => {
    const { workbench, workspace } = editor();
    const panel = new PanelView(workbench);
    const original = await sha256(path.join(workspace, 'cat.png'));
    await panel.press('Save As');
    const offered = await workbench.chooseFile(path.join(workspace, 'saved.png'));
    assert.match(offered, /cat\.[\w-]+\.png$/);
    await workbench.eventually(() => access(path.join(workspace, 'saved.png')));
    assert.equal((await readFile(path.join(workspace, 'saved.png'))).subarray(1, 4).toString(), 'PNG');
    assert.notEqual(await sha256(path.join(workspace, 'saved.png')), original);

    await panel.press('Save As');
    await workbench.chooseFile(path.join(workspace, 'cat.png'));
    // The dialog asks before it hands out the name of a file that exists.
    await workbench.confirmOverwrite();
    assert.match(await panel.waitForError(90_000), /never overwritten/);
    assert.equal(await sha256(path.join(workspace, 'cat.png')), original);
    assert.ok(!(await readdir(workspace)).some((name) => name.includes('partial')));
  });

  it('opens the run as a notebook that shows its strip without running anything', async () => {
    const { workbench, workspace } = editor();
    await new PanelView(workbench).press('Open as Notebook');
    const notebook = new NotebookView(workbench);
    await notebook.waitUntilShown();
    const output = await notebook.output('.frames .frame');
    await workbench.eventually(async () => assert.equal(await output.locator('.frames .frame').count(), 9));
    await workbench.page.waitForTimeout(1000);
    await editor().screenshot('notebook');
    const file = path.join(workspace, 'cat.restored.ipynb');
    const saved = JSON.parse(await readFile(file, 'utf8')) as SavedNotebook;
    const cell = saved.cells.find(({ cell_type: type }) => type === 'code');
    assert.match(cell?.source.join('') ?? '', /restore\('cat\.png', \{\n {2}task: 'deblurring',\n\}\)/);
    const data = cell?.outputs?.[0]?.data ?? {};
    const view = data[RUN_MIME];
    assert.ok(isRunView(view));
    assert.equal(view.framesFolder, 'cat.restored.frames');
    assert.ok(typeof data['image/png'] === 'string' && typeof data['text/plain'] === 'string');
    const frames = await readdir(path.join(workspace, 'cat.restored.frames'));
    assert.deepEqual([...new Set(view.record.frames.map((frame) => frame.file))].sort(), frames.sort());
  });

  it('comes back with its run after the window was reloaded', async () => {
    const { workbench } = editor();
    await workbench.tab(/cat\.restored\.ipynb/).waitFor();
    await workbench.reload();
    await workbench.tab(/Restore cat\.png/).click();
    const document = await new PanelView(workbench).waitUntilDone(90_000);
    assert.equal(await document.locator('.frames .frame').count(), 9);
    await editor().screenshot('reloaded');
  });

  it('says in one sentence what is wrong with a picture that is none', async () => {
    const { workbench } = editor();
    const panel = new PanelView(workbench);
    await workbench.closeAll();
    await workbench.contextMenu('broken.png', 'Restore Image...');
    await workbench.pick('Low Light');
    await workbench.answer('Restore broken.png');
    const sentence = await panel.waitForError(RUN);
    assert.match(sentence, /broken\.png/);
    assert.doesNotMatch(sentence, /\n|\bat .*:\d+/);
    await editor().screenshot('broken');
  });

  it('restores several pictures one after the other with one prompt', async () => {
    const { workbench } = editor();
    const panel = new PanelView(workbench);
    await workbench.closeAll();
    await workbench.treeItem('first.png').click();
    await workbench.treeItem('second.PNG').click({ modifiers: ['ControlOrMeta'] });
    await workbench.contextMenu('second.PNG', 'Restore Image...');
    await workbench.pick('Low Light');
    await workbench.answer('Restore 2 Pictures', 'a playing card on a table');
    for (const name of ['first.png', 'second.PNG']) {
      await workbench.tab(`Restore ${name}`).waitFor({ timeout: RUN });
      // The next panel may open in front of this one meanwhile.
      await workbench.eventually(async () => {
        await workbench.tab(`Restore ${name}`).click();
        const document = await panel.waitUntilDone(10_000);
        assert.equal(await document.locator('.frames .frame').count(), 9);
        await document.getByText('a playing card on a table').first().waitFor({ timeout: 5_000 });
      }, RUN);
    }
    await editor().screenshot('several');
  });

  it('makes a new notebook that restores a picture of the workspace', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    await workbench.command('Progressive Restoration: New Restoration Notebook');
    await notebook.waitUntilShown();
    await workbench.eventually(async () => {
      assert.match(
        (await notebook.cells().first().innerText()).replaceAll('\u00a0', ' '),
        /restore\('[\w.-]+\.(png|PNG)', \{/,
      );
      assert.equal(await notebook.kernelLabel().innerText(), 'TypeScript (Progressive Restoration)');
    });
    await editor().screenshot('new-notebook');
  });
});
