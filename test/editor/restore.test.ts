import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
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

/** A small photograph with what cameras write: EXIF and a colour profile that is not sRGB. */
async function photo(): Promise<Buffer> {
  return sharp(path.join(projectRoot, 'test/fixtures/pictures/card-blurred.png'))
    .withExif({ IFD0: { Model: 'Progressive Camera' } })
    .withIccProfile('p3')
    .jpeg({ quality: 92 })
    .toBuffer();
}

describe('Restore Image in the editor', () => {
  const editor = useEditor({
    name: 'restore',
    files: {
      'cat.png': { copy: 'notebooks/pictures/cat-blurred.png' },
      'second.PNG': { copy: 'test/fixtures/pictures/card-dark.png' },
      'broken.png': { bytes: Buffer.from('this is not a picture at all') },
      'photo.jpg': { make: photo },
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

  it('restores a picture with two clicks, the detected degradation first, and shows nine frames with their curve', async () => {
    const { workbench, workspace } = editor();
    const panel = new PanelView(workbench);
    await workbench.contextMenu('cat.png', 'Restore Image...');
    const first = workbench.page.locator('.quick-input-list .monaco-list-row').first();
    await first.filter({ hasText: /detected, \d+ % sure/ }).waitFor();
    await editor().screenshot('tasks');
    await first.click();
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
      'notes.txt',
      'photo.jpg',
      'second.PNG',
    ]);
  });

  it('turns the dial to a strength between the frames, which is made and not only blended', async () => {
    const panel = new PanelView(editor().workbench);
    const document = await panel.document();
    const shown = document.locator('.before-after .layer:nth-child(2) img');
    const sources = (): Promise<(string | null)[]> =>
      shown.evaluateAll((nodes) =>
        nodes
          .filter((node) => (node as HTMLElement).style.visibility !== 'hidden')
          .map((node) => node.getAttribute('src')),
      );
    const [restored] = await sources();
    await panel.turnDial(63);
    const made = await editor().workbench.eventually(async () => {
      const all = await sources();
      assert.equal(all.length, 1, 'one picture, not two that shine through each other');
      assert.match(all[0] ?? '', /^data:image\/png/);
      return all[0];
    });
    assert.notEqual(made, restored);
    await editor().screenshot('dial');
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

  it('saves the chosen strength under a chosen name, and never over the picture itself', async () => {
    const { workbench, workspace } = editor();
    const panel = new PanelView(workbench);
    const original = await sha256(path.join(workspace, 'cat.png'));
    await panel.press('Save As');
    await workbench.chooseFile(path.join(workspace, 'saved.png'), /cat\.restored-63\.png$/);
    await workbench.eventually(() => access(path.join(workspace, 'saved.png')));
    await workbench.toasts().filter({ hasText: 'Saved saved.png: 420 x 272 pixels, 8 bits.' }).waitFor();
    assert.equal((await readFile(path.join(workspace, 'saved.png'))).subarray(1, 4).toString(), 'PNG');
    const saved = await sha256(path.join(workspace, 'saved.png'));
    assert.notEqual(saved, original);

    await panel.turnDial(100);
    await panel.press('Save As');
    await workbench.chooseFile(path.join(workspace, 'full.png'), /cat\.restored\.png$/);
    await workbench.eventually(() => access(path.join(workspace, 'full.png')));
    assert.notEqual(await sha256(path.join(workspace, 'full.png')), saved);

    await panel.press('Save As');
    await workbench.chooseFile(path.join(workspace, 'cat.png'), /cat\.restored\.png$/);
    // The dialog asks before it hands out the name of a file that exists.
    await workbench.confirmOverwrite();
    assert.match(await panel.waitForError(90_000), /would overwrite cat\.png/);
    assert.equal(await sha256(path.join(workspace, 'cat.png')), original);
    assert.ok(!(await readdir(workspace)).some((name) => name.includes('partial')));
  });

  it('copies the picture', async () => {
    const { workbench } = editor();
    const { page } = workbench;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const panel = new PanelView(workbench);
    await panel.press('Copy');
    await (await panel.document()).locator('vscode-button', { hasText: 'Copied' }).waitFor();
    const size = await page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const blob = await item?.getType('image/png');
      const bitmap = blob === undefined ? undefined : await createImageBitmap(blob);
      return [bitmap?.width, bitmap?.height];
    });
    assert.deepEqual(size, [420, 272]);
  });

  it('keeps several results, and compares them with each other', async () => {
    const { workbench } = editor();
    const panel = new PanelView(workbench);
    const document = await panel.document();
    await document.locator('vscode-dropdown[aria-label="Task"]').click();
    await document.locator('vscode-option', { hasText: 'Low light' }).click();
    await document.locator('vscode-text-field input').fill('a cat at night');
    await panel.press('Restore');
    await document.locator('.results .result').nth(1).waitFor({ timeout: RUN });
    await panel.waitUntilDone(RUN);
    assert.equal(await document.locator('.frames .frame').count(), 18);
    assert.match(await document.locator('.results').innerText(), /Deblurring · compact · [\d.]+ s[^]*Low light/);
    await document.locator('vscode-dropdown[aria-label="Compare with"]').click();
    await document.locator('vscode-option', { hasText: /^1 · Deblurring/ }).click();
    assert.equal(await document.locator('.side-name.left').innerText(), '1 · Deblurring · 100 %');
    await editor().screenshot('results');
    await document.getByRole('button', { name: 'Remove result 2' }).click();
    await document.locator('.results').waitFor({ state: 'hidden' });
    assert.equal(await document.locator('.frames .frame').count(), 9);
    await panel.turnDial(50);
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
    assert.ok(typeof data['image/jpeg'] === 'string' && typeof data['text/plain'] === 'string');
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
    assert.equal(await document.locator('.strength-value').innerText(), '50 %');
    assert.equal(await document.locator('.strength-note').innerText(), '');
    await editor().screenshot('reloaded');
  });

  it('says in one sentence what is wrong with a picture that is none', async () => {
    const { workbench } = editor();
    await workbench.closeAll();
    await workbench.contextMenu('broken.png', 'Restore Image...');
    const toast = workbench.toasts().filter({ hasText: 'broken.png' });
    await toast.waitFor({ timeout: RUN });
    const sentence = await toast.locator('.notification-list-item-message').innerText();
    assert.doesNotMatch(sentence, /\n|\bat .*:\d+/);
    await editor().screenshot('broken');
    await workbench.command('Notifications: Clear All Notifications');
  });

  it('keeps what a photograph carries when its restoration is saved', async () => {
    const { workbench, workspace } = editor();
    const panel = new PanelView(workbench);
    await workbench.contextMenu('photo.jpg', 'Restore Image...');
    await workbench.pick(/detected/);
    await panel.waitUntilDone(RUN);
    await panel.press('Save As');
    await workbench.chooseFile(path.join(workspace, 'kept.jpg'), /photo\.restored\.jpg$/);
    const kept = path.join(workspace, 'kept.jpg');
    await workbench.eventually(() => access(kept));
    const { exif, icc, format } = await sharp(kept).metadata();
    assert.equal(format, 'jpeg');
    assert.match(exif?.toString('latin1') ?? '', /Progressive Camera/);
    assert.ok(icc !== undefined && icc.length > 100);
  });

  for (const [theme, kind] of [
    ['Dark Modern', 'vscode-dark'],
    ['Dark High Contrast', 'vscode-high-contrast'],
    ['Light High Contrast', 'vscode-high-contrast-light'],
    ['Light Modern', 'vscode-light'],
  ] as const) {
    it(`takes the colours of the editor: ${theme}`, async () => {
      const { workbench } = editor();
      await workbench.theme(theme);
      const document = await new PanelView(workbench).document();
      await workbench.eventually(async () => {
        assert.ok((await document.locator('body').getAttribute('class'))?.split(' ').includes(kind));
        // The library's own colours are those of the dark theme: a button must have this theme's.
        const [button, expected] = await document
          .locator('vscode-button:visible')
          .first()
          .evaluate((node) => {
            const probe = window.document.createElement('span');
            probe.style.color = 'var(--vscode-button-secondaryForeground)';
            node.append(probe);
            const wanted = getComputedStyle(probe).color;
            probe.remove();
            return [getComputedStyle(node).color, wanted];
          });
        assert.equal(button, expected);
      });
      await editor().screenshot(`theme-${kind}`);
    });
  }

  it('works with the keyboard alone', async () => {
    const { workbench } = editor();
    const { page } = workbench;
    const panel = new PanelView(workbench);
    await workbench.closeAll();
    await workbench.treeItem('second.PNG').click();
    await workbench.tab(/second\.PNG/).waitFor();
    // From here on no mouse. The palette takes the picture that is shown.
    await page.keyboard.press('F1');
    await page.keyboard.type('Progressive Restoration: Restore Image');
    await workbench.quickRow('Restore Image...').waitFor();
    await page.keyboard.press('Enter');
    await workbench.quickRow(/detected/).waitFor();
    await page.keyboard.press('Enter');
    const document = await panel.waitUntilDone(RUN);
    const focused = (): Promise<string> =>
      document.evaluate(() => {
        const { activeElement } = window.document;
        return activeElement?.getAttribute('type') ?? activeElement?.className ?? '';
      });
    await document.locator('body').evaluate((body) => body.ownerDocument.defaultView?.focus());
    for (let tabs = 0; tabs < 30 && (await focused()) !== 'range'; tabs += 1) await page.keyboard.press('Tab');
    assert.equal(await focused(), 'range', 'Tab leads to the dial');
    await page.keyboard.press('Home');
    await workbench.eventually(async () => assert.equal(await document.locator('.strength-value').innerText(), '0 %'));
    for (let steps = 0; steps < 3; steps += 1) await page.keyboard.press('ArrowRight');
    await workbench.eventually(async () => {
      assert.equal(await document.locator('.strength-value').innerText(), '3 %');
      assert.equal(await document.locator('.strength-note').innerText(), '');
    });
    for (let tabs = 0; tabs < 10 && !/divider/.test(await focused()); tabs += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    assert.equal(await document.locator('.stage .divider').getAttribute('aria-valuenow'), '100');
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
