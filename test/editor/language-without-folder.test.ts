import assert from 'node:assert/strict';
import { CellHelp } from './harness/cell-help';
import { removeInstallation, useEditor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';

describe('language features of a notebook that was never saved, in a window without a folder', () => {
  const editor = useEditor({ name: 'language-without-folder', files: {}, withoutFolder: true });
  after(removeInstallation);

  const help = (): CellHelp => new CellHelp(editor().workbench);

  it('complete a name of the library, and write its import above it', async () => {
    const { workbench } = editor();
    const { page } = workbench;
    await workbench.command('Progressive Restoration: New Restoration Notebook');
    const notebook = new NotebookView(workbench);
    await notebook.cell("restore('picture.png'").row.waitFor({ timeout: 90_000 });
    const cell = await help().focusEnd(0);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('await restor');
    // The first question starts the language process; whoever types on meanwhile asks again.
    await workbench.eventually(async () => {
      await page.keyboard.press('Control+Space');
      await help().offers('restore').first().waitFor({ timeout: 10_000 });
    }, 90_000);
    assert.equal(await help().offers('restore').count(), 1);
    await editor().screenshot('completion');
    await page.keyboard.press('Enter');
    await workbench.eventually(async () => {
      const lines = await cell.locator('.view-line').allInnerTexts();
      assert.deepEqual(
        lines.map((line) => line.replaceAll('\u00a0', ' ')),
        ["import { restore } from 'progressive-restoration';", 'await restore'],
      );
    });
  });

  it('show the signature of a call and the options that it takes', async () => {
    const { page } = editor().workbench;
    await page.keyboard.type('(');
    await help().signature('restore').waitFor({ timeout: 90_000 });
    assert.equal(await help().signature('restore').count(), 1);
    await editor().screenshot('signature');
    await page.keyboard.type("'a.png', { task: '");
    await help().offers('low-light').first().waitFor({ timeout: 90_000 });
    assert.equal(await help().offers('low-light').count(), 1);
  });

  it('show what a name is', async () => {
    const { page } = editor().workbench;
    await help().focusEnd(0);
    await page.keyboard.press('Home');
    for (let i = 0; i < 'await r'.length; i++) await page.keyboard.press('ArrowRight');
    const hover = await help().hover('restore');
    await editor().screenshot('hover');
    assert.equal(await hover.count(), 1);
    await page.keyboard.press('Escape');
  });
});
