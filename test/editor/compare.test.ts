import assert from 'node:assert/strict';
import { removeInstallation, useEditor } from './harness/editor';

const RUN = 240_000;

describe('Compare Images in the editor', () => {
  const editor = useEditor({
    name: 'compare',
    files: {
      'blurred.png': { copy: 'test/fixtures/pictures/card-blurred.png' },
      'dark.png': { copy: 'test/fixtures/pictures/card-dark.png' },
      'sharp.png': { copy: 'test/fixtures/pictures/card.png' },
      'other.png': { copy: 'notebooks/pictures/cat-blurred.png' },
    },
  });
  after(removeInstallation);

  async function compare(...names: string[]): Promise<void> {
    const { workbench } = editor();
    const [first = '', ...others] = names;
    await workbench.treeItem(first).click();
    for (const name of others) await workbench.treeItem(name).click({ modifiers: ['ControlOrMeta'] });
    await workbench.contextMenu(names.at(-1) ?? '', 'Compare Images...');
  }

  it('is offered for several pictures only', async () => {
    const { workbench } = editor();
    await workbench.treeItem('blurred.png').click({ button: 'right' });
    await workbench.page.getByRole('menuitem', { name: 'Restore Image...' }).waitFor();
    assert.equal(await workbench.page.getByRole('menuitem', { name: 'Compare Images...' }).count(), 0);
    await workbench.page.keyboard.press('Escape');
  });

  it('shows pictures as a strip that is measured against one of them', async () => {
    const { workbench } = editor();
    await compare('blurred.png', 'dark.png', 'sharp.png');
    await workbench.quickRow('No Reference').waitFor();
    await editor().screenshot('reference');
    await workbench.pick('sharp.png');
    const document = await workbench.frameWith('.frames .frame', RUN);
    await workbench.eventually(async () => {
      assert.equal(await document.locator('.frames .frame').count(), 2);
      const labels = await document
        .locator('.curve .point')
        .evaluateAll((points) => points.map((point) => point.getAttribute('aria-label') ?? '').join('\n'));
      assert.match(labels, /dB/);
      assert.deepEqual(await document.locator('.frame .word').allTextContents(), ['blurred.png', 'dark.png']);
    });
    await editor().screenshot('done');
    await workbench.reload();
    await workbench.tab(/Compare blurred\.png, dark\.png/).waitFor();
    await workbench.frameWith('.frames .frame', RUN);
  });

  it('says in one sentence that sizes differ', async () => {
    const { workbench } = editor();
    await workbench.closeAll();
    await compare('blurred.png', 'other.png');
    await workbench.pick('No Reference');
    const document = await workbench.frameWith('main > .error', RUN);
    const sentence = await document.locator('main > .error').innerText();
    assert.match(sentence, /other\.png has 420x272 pixels; the first frame has \d+x\d+\. Give frames of one size\./);
  });
});
