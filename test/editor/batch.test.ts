import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import sharp from 'sharp';
import { removeInstallation, useEditor } from './harness/editor';
import { PanelView } from './harness/panel-view';

/** Longest time of some small restorations on a busy machine. */
const RUN = 300_000;

describe('Restore Image with many pictures', () => {
  const editor = useEditor({
    name: 'batch',
    files: {
      'album/first.png': { copy: 'notebooks/pictures/cat-blurred.png' },
      'album/broken.png': { bytes: Buffer.from('this is not a picture at all') },
      'album/deep/first.png': { copy: 'test/fixtures/pictures/card-dark.png' },
      'album/notes.txt': { text: 'no picture' },
      'album/.hidden/secret.png': { copy: 'test/fixtures/pictures/card-dark.png' },
      'empty/notes.txt': { text: 'no picture' },
    },
  });
  after(removeInstallation);

  const document = (): Promise<Frame> => editor().workbench.frameWith('table.batch');
  const file = (name: string): string => path.join(editor().workspace, name);

  /** Waits until no row waits or runs. */
  async function finished(): Promise<Frame> {
    const { workbench } = editor();
    return workbench.eventually(async () => {
      const view = await document();
      const states = await view
        .locator('table.batch tbody tr')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.state));
      assert.ok(
        states.length > 0 && !states.some((state) => state === 'waiting' || state === 'running'),
        states.join(),
      );
      return view;
    }, RUN);
  }

  it('restores a folder: one progress, a row a picture, the failure with its reason, and the rest all the same', async () => {
    const { workbench } = editor();
    await workbench.contextMenu('album', 'Restore Image...');
    await workbench.quickRow('Detect for Each Picture').waitFor();
    await editor().screenshot('tasks');
    await workbench.pick('Detect for Each Picture');
    await workbench.toasts().filter({ hasText: 'Restoring pictures' }).waitFor();
    const view = await finished();
    const rows = await view.locator('table.batch tbody tr').allInnerTexts();
    assert.equal(rows.length, 3);
    assert.match(rows[0] ?? '', /broken\.png[^]*failed[^]*broken\.png/);
    assert.match(rows[1] ?? '', /deep.first\.png[^]*% sure[^]*levels[^]* s[^]*first\.restored\.png/);
    assert.match(rows[2] ?? '', /^\s*first\.png[^]*first\.restored\.png/);
    assert.equal(await view.locator('tbody img[src]').count(), 4);
    assert.equal(await view.locator('.summary').innerText(), '2 of 3 restored, 1 failed');
    const toast = workbench.toasts().filter({ hasText: '1 of 3 pictures could not be restored.' });
    await toast.waitFor();
    await editor().screenshot('done');
    assert.deepEqual((await readdir(file('album/restored'), { recursive: true })).sort(), [
      'deep',
      path.join('deep', 'first.restored.png'),
      'first.restored.png',
    ]);
    const { width, height } = await sharp(file('album/restored/first.restored.png')).metadata();
    const original = await sharp(file('album/first.png')).metadata();
    assert.deepEqual([width, height], [original.width, original.height]);
  });

  it('never writes over inputs or earlier results, and takes those for no input', async () => {
    const { workbench } = editor();
    const inputs = await Promise.all(['album/first.png', 'album/deep/first.png'].map((name) => readFile(file(name))));
    const earlier = await readFile(file('album/restored/first.restored.png'));
    await workbench.command('Notifications: Clear All Notifications');
    await workbench.closeAll();
    await workbench.contextMenu('album', 'Restore Image...');
    await workbench.pick('Low Light');
    const view = await finished();
    assert.equal(await view.locator('table.batch tbody tr').count(), 3);
    await access(file('album/restored-2/first.restored.png'));
    assert.deepEqual(await readFile(file('album/restored/first.restored.png')), earlier);
    assert.deepEqual(
      await Promise.all(['album/first.png', 'album/deep/first.png'].map((name) => readFile(file(name)))),
      inputs,
    );
    const all = await readdir(file('album'), { recursive: true });
    assert.ok(!all.some((name) => name.includes('partial')), all.join());
  });

  it('comes back after a reload, goes on with what is not done, and opens a row with all its frames', async () => {
    const { workbench } = editor();
    await workbench.reload();
    let view = await finished();
    assert.equal(await view.locator('.summary').innerText(), '2 of 3 restored, 1 failed');
    await view.locator('vscode-button', { hasText: 'Try Again' }).click();
    view = await finished();
    assert.equal(await view.locator('table.batch tbody tr').count(), 3);
    await view.getByRole('button', { name: /^Open first\.png/ }).click();
    const panel = await new PanelView(workbench).waitUntilDone(RUN);
    assert.equal(await panel.locator('.frames .frame').count(), 9);
    await editor().screenshot('opened');
  });

  it('says that a folder holds no picture', async () => {
    const { workbench } = editor();
    await workbench.command('Notifications: Clear All Notifications');
    await workbench.contextMenu('empty', 'Restore Image...');
    const toast = workbench.toasts().filter({ hasText: 'there is none in "empty"' });
    await toast.waitFor();
  });
});
