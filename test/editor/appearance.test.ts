import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { seriousFindings } from './harness/axe';
import { projectRoot } from './harness/installation';
import { NotebookView } from './harness/notebook-view';
import { savedStrip } from './harness/saved-strip';

/** Names of VS Code's own themes, and the style that the workbench has then. */
const THEMES = [
  ['Light Modern', 'vs'],
  ['Dark High Contrast', 'hc-black'],
  ['Light High Contrast', 'hc-light'],
  ['Dark Modern', 'vs-dark'],
] as const;

interface Manifest {
  contributes: {
    walkthroughs: { title: string; description: string; steps: { title: string; description: string }[] }[];
  };
}

describe('what a user sees first', () => {
  let editor: Editor;

  before(async () => {
    const { files } = await savedStrip();
    editor = await startEditor({ name: 'appearance', files });
    await editor.workbench.openFile('saved.ipynb');
    await new NotebookView(editor.workbench).waitUntilShown();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor.screenshot(`failed-${this.currentTest.title.slice(0, 20)}`);
  });
  after(async () => {
    await editor.stop();
    await removeInstallation();
  });

  for (const [theme, style] of THEMES) {
    it(`strip in a notebook: no serious finding of axe, colours of the theme (${theme})`, async () => {
      const { workbench } = editor;
      await workbench.chooseTheme(theme, style);
      const output = await new NotebookView(workbench).output('.frames .frame img[src]');
      const kind = { vs: 'light', 'vs-dark': 'dark', 'hc-black': 'high-contrast', 'hc-light': 'high-contrast' }[style];
      await output.locator(`body.vscode-${kind}`).waitFor({ state: 'attached' });
      // Colours change over a moment.
      await workbench.page.waitForTimeout(700);
      await editor.screenshot(`strip-${style}`);
      const findings = await seriousFindings(output, '.progressive-restoration-strip');
      assert.deepEqual(findings, [], JSON.stringify(findings, null, 1));
    });
  }

  it('walkthrough opens with its steps, and every command that it links to exists', async () => {
    const { workbench } = editor;
    const names = JSON.parse(await readFile(path.join(projectRoot, 'package.nls.json'), 'utf8')) as Record<
      string,
      string
    >;
    const manifest = JSON.parse(await readFile(path.join(projectRoot, 'package.json'), 'utf8')) as Manifest;
    const named = (text: string): string => names[text.replaceAll('%', '')] ?? text;
    const [walkthrough] = manifest.contributes.walkthroughs;
    assert.ok(walkthrough !== undefined && walkthrough.steps.length <= 5);

    await workbench.command('Welcome: Open Walkthrough...');
    await workbench.pick(named(walkthrough.title));
    const page = workbench.page.locator('.gettingStartedContainer');
    await page.getByText(named(walkthrough.description)).waitFor();
    await editor.screenshot('walkthrough');
    for (const step of walkthrough.steps) {
      const row = page.locator('.getting-started-step', { hasText: named(step.title) });
      await row.click();
      await row.locator('.step-description-container').filter({ visible: true }).waitFor();
      // Each has a picture that was found.
      await workbench.eventually(async () => {
        const width = await page
          .locator('.getting-started-media img')
          .evaluate((image: HTMLImageElement) => image.naturalWidth);
        assert.ok(width > 100, `${width} pixels`);
      });
    }
    await editor.screenshot('walkthrough-last-step');

    const linked = walkthrough.steps.flatMap(({ description }) =>
      [...named(description).matchAll(/\(command:(progressiveRestoration\.\w+)/g)].map(([, id]) => id ?? ''),
    );
    assert.ok(linked.length >= 3);
    for (const id of linked) {
      const title = named(`%command.${id.split('.')[1]}%`);
      const found = await workbench.commandsNamed(`Progressive Restoration: ${title}`);
      assert.equal(found.length, 1, `${id}: ${found.join(', ')}`);
    }
  });
});
