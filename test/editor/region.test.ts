import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { RUN_MIME, type Region, type RunView } from '../../src/protocol';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { savedStrip } from './harness/saved-strip';

/** VS Code in a browser saves by itself, a second after every change. */
const SETTINGS = { 'files.autoSave': 'off' };

interface SavedCell {
  metadata: Record<string, unknown>;
  outputs: { data?: Record<string, unknown> }[];
}

for (const target of [undefined, 'web'] as const) {
  describe(`the region of a saved strip${target === undefined ? '' : ' in the package for the web'}`, () => {
    let editor: Editor;
    let view: RunView;
    let own: Region;
    let moved: Region;

    before(async () => {
      const saved = await savedStrip();
      view = saved.view;
      assert.ok(view.record.region);
      own = view.record.region;
      moved = { ...own, x: own.x - 16, y: own.y + 8 };
      editor = await startEditor({
        name: `region-${target ?? 'desktop'}`,
        target,
        files: saved.files,
        settings: SETTINGS,
      });
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed')
        await editor.screenshot(`failed-${this.currentTest.title.slice(0, 20)}`);
    });
    after(async () => {
      await editor.stop();
      await removeInstallation();
    });

    const savedCell = async (): Promise<SavedCell> => {
      const text = await readFile(path.join(editor.workspace, 'saved.ipynb'), 'utf8');
      const [cell] = (JSON.parse(text) as { cells: SavedCell[] }).cells;
      assert.ok(cell);
      return cell;
    };
    const dirty = (): Locator => editor.workbench.page.locator('.tab.active.dirty');

    async function open(): Promise<Frame> {
      const notebook = new NotebookView(editor.workbench);
      await editor.workbench.openFile('saved.ipynb');
      await notebook.waitUntilShown();
      return notebook.output('.frames .frame img[src]');
    }

    /** Waits until the box stands there and the crops of all frames have been cut. */
    async function standsAt(output: Frame, { x, y, width, height }: Region): Promise<void> {
      await editor.workbench.eventually(async () => {
        const words = await output.locator('.region-box').getAttribute('aria-label');
        assert.deepEqual(words?.match(/\d+/g)?.slice(0, 4).map(Number), [width, height, x, y]);
        assert.equal(await output.locator('.strip[aria-busy]').count(), 0);
      });
    }

    it('is kept in the notebook when the reader moves it, and a look alone changes nothing', async () => {
      const output = await open();
      await standsAt(output, own);
      await editor.workbench.page.waitForTimeout(1_000);
      assert.equal(await dirty().count(), 0, 'looked at, not changed');
      const before = await savedCell();
      await output.locator('.region-box').focus();
      for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowDown']) await output.locator('.region-box').press(key);
      await standsAt(output, moved);
      await dirty().waitFor();
      await new NotebookView(editor.workbench).save();
      await editor.screenshot('moved');
      const after = await savedCell();
      const frame = view.record.frames.at(-1)?.file;
      assert.deepEqual(after.metadata, {
        ...before.metadata,
        'progressive-restoration': { regions: [{ frame, region: moved }] },
      });
      // Its crops are of the region that it names.
      assert.deepEqual(after.outputs[0]?.data?.[RUN_MIME], before.outputs[0]?.data?.[RUN_MIME]);
    });

    it('stands there when the notebook is opened again, cut out of the full frames', async () => {
      const { workbench } = editor;
      await workbench.closeAll();
      const output = await open();
      await standsAt(output, moved);
      assert.equal(await output.locator('.previews').isVisible(), false);
      assert.equal(await dirty().count(), 0);
      await editor.screenshot('opened-again');
    });

    it('is shown as previews, and says so, where the full frames are gone', async () => {
      const { workbench, workspace } = editor;
      await workbench.closeAll();
      await rename(path.join(workspace, 'saved.frames'), path.join(workspace, 'elsewhere.frames'));
      const output = await open();
      await standsAt(output, moved);
      await output.locator('.previews').waitFor();
      await editor.screenshot('previews');
      // The run's own region needs no full frames.
      await output.locator('.region-box').focus();
      await output.locator('.region-box').press('Home');
      await standsAt(output, own);
      await output.locator('.previews').waitFor({ state: 'hidden' });
      await dirty().waitFor();
    });

    it('goes back and forth with undo and redo, and leaves no trace in the file when it is back', async () => {
      const { workbench } = editor;
      const output = await new NotebookView(workbench).output('.frames .frame img[src]');
      await new NotebookView(workbench)
        .cells()
        .first()
        .click({ position: { x: 3, y: 3 } });
      await workbench.page.keyboard.press('Control+Z');
      await standsAt(output, moved);
      await workbench.page.keyboard.press('Control+Y');
      await standsAt(output, own);
      await dirty().waitFor();
      await new NotebookView(workbench).save();
      assert.ok(!('progressive-restoration' in (await savedCell()).metadata));
    });
  });
}
