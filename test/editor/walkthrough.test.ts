import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { removeInstallation, useEditor } from './harness/editor';
import { projectRoot } from './harness/installation';
import { NotebookView } from './harness/notebook-view';
import { PanelView } from './harness/panel-view';

/** Longest time of one small restoration on a busy machine. */
const RUN = 240_000;

/** Each link of the walkthrough is pressed in a profile that has seen nothing before, and does what its text says. */
describe('walkthrough of a new user', () => {
  const editor = useEditor({
    name: 'walkthrough',
    files: { 'holiday.png': { copy: 'test/fixtures/pictures/card-dark.png' } },
    // A window over the window hides the walkthrough from the next test.
    settings: { 'workbench.editor.useModal': 'off' },
  });
  after(removeInstallation);

  let names: Record<string, string>;
  /** Links that a test has pressed. */
  const pressed = new Set<string>();

  before(async () => {
    names = JSON.parse(await readFile(path.join(projectRoot, 'package.nls.json'), 'utf8')) as Record<string, string>;
  });

  /** The open step of this key in package.nls.json. */
  async function step(key: string): Promise<Locator> {
    const { workbench } = editor();
    await workbench.command('Welcome: Open Walkthrough...');
    await workbench.pick(names['walkthrough.title'] ?? '');
    const row = workbench.page.locator('.gettingStartedContainer .getting-started-step', {
      hasText: names[`walkthrough.${key}.title`],
    });
    const text = row.locator('.step-description-container').filter({ visible: true });
    // The step that is open closes when it is clicked.
    await workbench.eventually(async () => {
      if (!(await text.isVisible())) await row.click({ timeout: 5_000 });
      await text.waitFor({ timeout: 5_000 });
    });
    return row;
  }

  async function press(key: string, link: string): Promise<void> {
    const row = await step(key);
    await editor().workbench.page.waitForTimeout(500);
    await editor().screenshot(`step-${key}`);
    await row
      .getByRole('button', { name: link, exact: true })
      .or(row.getByRole('link', { name: link, exact: true }))
      .click();
    pressed.add(`${key}: ${link}`);
  }

  /** The mark in front of a step that was done. */
  async function isDone(key: string): Promise<void> {
    const row = await step(key);
    await row.locator('.codicon-getting-started-step-checked').filter({ visible: true }).waitFor();
  }

  it('Open Quickstart copies the notebook with its pictures and opens it, ready to be run', async () => {
    const { workbench, workspace } = editor();
    await press('quickstart', 'Open Quickstart');
    await workbench.tab(/01-quickstart\.ipynb/).waitFor();
    const notebook = new NotebookView(workbench);
    await notebook.waitUntilShown();
    await workbench.eventually(async () => {
      assert.equal(await notebook.kernelLabel().innerText(), 'TypeScript (Progressive Restoration)');
    });
    await workbench.page.getByRole('button', { name: 'Run All', exact: true }).waitFor();
    const copied = await readdir(path.join(workspace, 'progressive-restoration-quickstart', 'pictures'));
    assert.ok(copied.includes('cat-blurred.png'), copied.join());
    await editor().screenshot('quickstart');
    await isDone('quickstart');
  });

  it('Restore Image... asks for a picture where none is open, then what is wrong, and restores it', async () => {
    const { workbench, workspace } = editor();
    await workbench.closeAll();
    await press('restore', 'Restore Image...');
    await workbench.page.locator('.quick-input-widget').filter({ hasText: 'Restore Image' }).waitFor();
    await editor().screenshot('which-picture');
    await workbench.chooseFile(path.join(workspace, 'holiday.png'), /workspace/);
    await workbench.quickRow(/detected/).waitFor();
    await editor().screenshot('what-is-wrong');
    await workbench.pick(/detected/);
    await new PanelView(workbench).waitUntilDone(RUN);
    await workbench.tab(/Restore holiday\.png/).waitFor();
    await isDone('restore');
  });

  it('New Notebook opens one with a cell that restores a picture of the folder', async () => {
    const { workbench } = editor();
    await workbench.closeAll();
    await press('notebook', 'New Notebook');
    const notebook = new NotebookView(workbench);
    await notebook.waitUntilShown();
    await workbench.eventually(async () => {
      const text = (await notebook.cells().first().innerText()).replaceAll('\u00a0', ' ');
      assert.match(text, /restore\('[\w./-]+\.png', \{/);
      assert.equal(await notebook.kernelLabel().innerText(), 'TypeScript (Progressive Restoration)');
    });
    await editor().screenshot('new-notebook');
    await workbench.command('View: Close All Editors');
    // It was never saved, and VS Code asks.
    const question = workbench.page.locator('.monaco-dialog-box');
    await question.getByRole('button', { name: "Don't Save" }).click();
    await workbench.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached' });
  });

  it('Show Models unfolds the view with the model that is there', async () => {
    const { workbench } = editor();
    const model = workbench.page.getByRole('treeitem', { name: /^Model compact,/ });
    assert.equal(await model.isVisible(), false);
    await press('devices', 'Show Models');
    await model.waitFor();
    await workbench.page.waitForTimeout(2_000);
    assert.equal(await workbench.toasts().count(), 0, 'nothing went wrong');
    await editor().screenshot('models');
  });

  it('Open Settings shows the settings of this extension and no others', async () => {
    const { workbench } = editor();
    await press('devices', 'Open Settings');
    const settings = workbench.page.locator('.settings-editor');
    const items = settings.locator('.settings-tree-container .setting-item-category').filter({ visible: true });
    await workbench.eventually(async () => {
      const categories = await items.allInnerTexts();
      assert.ok(categories.length > 0);
      assert.deepEqual(
        categories.filter((text) => !text.startsWith('Progressive Restoration')),
        [],
      );
    });
    await editor().screenshot('settings');
    await workbench.command('View: Close Editor');
  });

  it('Check Installation runs a network on the devices and opens its report', async () => {
    const { workbench } = editor();
    await press('devices', 'Check Installation');
    const report = workbench.page.locator('.part.editor .view-lines').filter({ visible: true }).first();
    await workbench.eventually(async () => {
      const text = (await report.innerText()).replaceAll('\u00a0', ' ');
      assert.match(text, /Everything that was tried works|Needs attention/);
    }, RUN);
    await editor().screenshot('installation');
  });

  it('has no link that was not pressed', () => {
    const linked = Object.entries(names)
      .map(([key, text]) => [/^walkthrough\.(\w+)\.description$/.exec(key)?.[1], text] as const)
      .flatMap(([key, text]) => [...text.matchAll(/\[([^\]]+)\]\(command:/g)].map(([, link]) => `${key}: ${link}`));
    assert.ok(linked.length >= 6);
    assert.deepEqual([...pressed].sort(), linked.sort());
  });
});
