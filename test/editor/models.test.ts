import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { writeOnnxModel } from '../../src/restoration/models/onnx-writer';
import { FileServer } from '../unit/models/file-server';
import { NETWORKS, networkManifest } from '../unit/models/test-network';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { processesWith } from './harness/processes';
import type { Workbench } from './harness/workbench';

/** Longest time of one trial of a small network on a busy machine. */
const TRIAL = 240_000;
const PREFIX = 'Progressive Restoration: ';
/** A size that takes a few seconds at the speed below, so that it can be broken off. */
const PADDING = 400_000;

const THEMES = {
  light: 'Light Modern',
  'contrast-dark': 'Dark High Contrast',
  'contrast-light': 'Light High Contrast',
} as const;

/** What the text editor shows, line after line; a long line that is broken is whole. */
async function shownText({ page }: Workbench): Promise<string> {
  const lines = await page.locator('.part.editor .monaco-editor .view-line').evaluateAll((nodes) =>
    nodes
      .map((node) => ({ top: (node as HTMLElement).offsetTop, text: node.textContent ?? '' }))
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text),
  );
  return lines.join('').replaceAll('\u00a0', ' ');
}

describe('models in the editor', () => {
  let editor: Editor;
  let folder: string;
  let models: string;
  let server: FileServer;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-models-editor-'));
    models = path.join(folder, 'models');
    server = await FileServer.start();
    editor = await startEditor({
      name: 'models',
      files: {
        'Halfway_White.onnx': { bytes: writeOnnxModel(NETWORKS.luma) },
        'notes.txt': { text: 'nothing' },
      },
      environment: { PROGRESSIVE_RESTORATION_MODELS: models },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') {
      await editor?.screenshot(`failed-${this.currentTest.title.replace(/\W+/g, '-').slice(0, 50)}`);
    }
  });
  after(async () => {
    await editor?.stop();
    await server.close();
    await removeInstallation();
    await rm(folder, { recursive: true, force: true });
  });

  const view = (): Locator =>
    editor.workbench.page.locator('.pane').filter({ has: editor.workbench.page.getByText('Restoration Models') });
  const row = (name: string | RegExp): Locator => view().getByRole('treeitem', { name });
  const modal = (): Locator => editor.workbench.page.locator('.monaco-dialog-box');

  /** Unfolds a line of the view. */
  async function unfold(name: string | RegExp): Promise<void> {
    const line = row(name).first();
    await line.waitFor();
    if ((await line.getAttribute('aria-expanded')) === 'true') return;
    await line.locator('.monaco-tl-twistie').click();
  }

  async function press(name: string | RegExp): Promise<void> {
    await modal()
      .getByRole('button', { name, exact: typeof name === 'string' })
      .click();
  }

  /** Chooses an entry of the quick pick with this placeholder. */
  async function pickWhere(placeholder: RegExp, entry: string | RegExp): Promise<void> {
    const { page } = editor.workbench;
    await editor.workbench.eventually(async () => {
      const shown = await editor.workbench.quickInput().getAttribute('placeholder');
      assert.match(shown ?? '', placeholder);
    }, TRIAL);
    await page.waitForTimeout(200);
    await editor.workbench.pick(entry);
  }

  /** Names a file in the dialog for opening, which begins with the folder. */
  async function openInDialog(file: string): Promise<void> {
    const { workbench } = editor;
    const input = workbench.quickInput();
    await workbench.eventually(async () => assert.match(await input.inputValue(), /[\\/]$/));
    await workbench.eventually(async () => {
      await input.fill(file);
      await workbench.page.waitForTimeout(700);
      assert.equal(await input.inputValue(), file);
    });
    await workbench.page.keyboard.press('Enter');
  }

  /** Answers the input box that explains itself like this; without `text` its proposal is taken. */
  async function answerWhere(prompt: RegExp, text?: string): Promise<string> {
    const { page } = editor.workbench;
    await page.locator('.quick-input-widget').filter({ hasText: prompt }).waitFor();
    await page.waitForTimeout(200);
    const proposal = await editor.workbench.quickInput().inputValue();
    if (text !== undefined) await editor.workbench.quickInput().fill(text);
    await page.keyboard.press('Enter');
    return proposal;
  }

  it('are listed with size, device, adapters and state, and nothing runs for that', async () => {
    const { workbench, installation } = editor;
    await workbench.command(`${PREFIX}Show Models`);
    // Rows that do not fit into a view are not in the page: folded, the folder leaves its room to the models.
    await workbench.page.locator('.explorer-viewlet .pane-header').filter({ hasText: 'workspace' }).click();
    await row(/^Model compact, in use · \d+\.\d MiB/).waitFor();
    assert.deepEqual(await processesWith(installation.extensions, path.join('dist', 'service.js')), []);
    await unfold(/^Model compact/);
    await row('State: files not compared yet').waitFor();
    await row('Tasks: super-resolution, deblurring, low-light').waitFor();
    // The devices are asked for once a model is looked at.
    await row(/^Device: \w+ \(auto\)$/).waitFor({ timeout: TRIAL });
    await unfold(/^Adapters: \d/);
    await row(/^perceptual: \d+/).waitFor();
    await workbench.command(`${PREFIX}Verify Model Files`);
    await row(/^State: all files intact at /).waitFor();
    await editor.screenshot('view-dark');
  });

  it('come from a plain .onnx file: questions, a trial on a sample that is shown, then the model', async () => {
    const { workbench, workspace } = editor;
    await workbench.command(`${PREFIX}Add ONNX Model...`);
    await openInDialog(path.join(workspace, 'Halfway_White.onnx'));
    await pickWhere(/What does the network restore/, 'Low Light');
    await workbench.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    await pickWhere(/What do the channels/, /^Ybrightness/);
    await pickWhere(/Which values stand for black and white/, /found by a run/);
    await answerWhere(/License of the network/, 'MIT');
    assert.equal(await answerWhere(/Name under which the model is used/), 'halfway-white');
    await workbench.tab(/halfway-white-low-light\.png/).waitFor({ timeout: TRIAL });
    await workbench.quickRow(/Add halfway-white/).waitFor();
    assert.deepEqual(
      (await readdir(models)).filter((name) => !name.startsWith('.')),
      [],
      'nothing is added before the user has seen the result',
    );
    await workbench.page.waitForTimeout(1500);
    await editor.screenshot('trial');
    assert.match(
      (await workbench.quickRow(/Add halfway-white/).textContent()) ?? '',
      /Low Light: PSNR \d+\.\d\d to \d+\.\d\d dB, LPIPS \d\.\d+ to \d\.\d+/,
    );
    await workbench.pick(/Add halfway-white/);
    await row(/^Model halfway-white/).waitFor();
    await workbench.tab(/halfway-white-low-light\.png/).waitFor({ state: 'detached' });
    const manifest = JSON.parse(await readFile(path.join(models, 'halfway-white', 'manifest.json'), 'utf8')) as {
      tasks: string[];
      license: string;
      input: { channels: string };
    };
    assert.deepEqual([manifest.tasks, manifest.license, manifest.input.channels], [['low-light'], 'MIT', 'Y']);
    const toast = workbench.toasts().filter({ hasText: 'The model halfway-white was added.' });
    await toast.getByRole('button', { name: 'Use It' }).click();
    await row(/^Model halfway-white, in use/).waitFor();
  });

  it('are not added when the user says no to what the trial shows', async () => {
    const { workbench, workspace } = editor;
    await workbench.command(`${PREFIX}Add ONNX Model...`);
    await openInDialog(path.join(workspace, 'Halfway_White.onnx'));
    await pickWhere(/What does the network restore/, 'Deblurring');
    await workbench.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    await pickWhere(/What do the channels/, /^Ybrightness/);
    await pickWhere(/Which values stand for black and white/, /^-1 to 1/);
    assert.equal(await answerWhere(/License of the network/), 'unknown');
    await answerWhere(/Name under which the model is used/, 'doubtful');
    await workbench.quickRow(/Do Not Add/).waitFor({ timeout: TRIAL });
    await workbench.pick(/Do Not Add/);
    await workbench.tab(/doubtful-deblurring\.png/).waitFor({ state: 'detached' });
    assert.ok(!(await readdir(models)).includes('doubtful'));
    assert.equal(await row(/^Model doubtful/).count(), 0);
  });

  it('are downloaded after consent, go on after a break, and say when they are damaged', async () => {
    const { workbench } = editor;
    const bytes = writeOnnxModel(NETWORKS.twice);
    const padding = Buffer.alloc(PADDING, 7);
    const served = { body: padding, slow: 30 };
    server.serve('/sharp/network.onnx', { body: bytes });
    server.serve('/sharp/padding.bin', served);
    const address = server.serve('/sharp/manifest.json', {
      body: JSON.stringify(
        networkManifest(bytes, {
          manifest: { tasks: ['super-resolution'], scale: 2, id: 'sharp' },
          files: { 'padding.bin': padding },
        }),
      ),
    });
    await workbench.command(`${PREFIX}Download Model...`);
    await workbench.answer('Download Model', address);
    await modal().getByText('Download sharp?').waitFor();
    assert.match((await modal().textContent()) ?? '', /License: CC0-1\.0.*Download: 0\.4 MiB from 127\.0\.0\.1/s);
    await editor.screenshot('consent');
    assert.ok(!server.seen.some(({ path: asked }) => asked.endsWith('.onnx')), 'nothing but the manifest came');
    await press('Download');
    const progress = workbench.toasts().filter({ hasText: /padding\.bin: (?:\d\d+ KiB|0\.\d MiB) of/ });
    await progress.waitFor();
    await editor.screenshot('progress');
    await progress.hover();
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await progress.waitFor({ state: 'detached' });
    assert.equal(await row(/^Model sharp/).count(), 0);

    served.slow = 100_000;
    await workbench.command(`${PREFIX}Download Model...`);
    await workbench.answer('Download Model', address);
    await press('Download');
    await workbench.quickRow(/Add sharp/).waitFor({ timeout: TRIAL });
    assert.match(
      server.seen.filter(({ path: asked }) => asked.endsWith('padding.bin')).at(-1)?.range ?? '',
      /^bytes=[1-9]/,
    );
    await workbench.pick(/Add sharp/);
    await row(/^Model sharp/).waitFor();

    await truncate(path.join(models, 'sharp', 'padding.bin'), 10);
    await workbench.command(`${PREFIX}Verify Model Files`);
    await row(/^Model sharp, broken, padding\.bin was refused: it has 10 bytes/).waitFor();
    await workbench
      .toasts()
      .filter({ hasText: /sharp cannot be used/ })
      .waitFor();
    await editor.screenshot('broken');
  });

  it('are removed after a question, and the setting goes back when they were in use', async () => {
    const { workbench } = editor;
    await row(/^Model halfway-white/).hover();
    await row(/^Model halfway-white/)
      .getByRole('button', { name: /Remove Model/ })
      .click();
    await modal().getByText('Remove the model halfway-white?').waitFor();
    await press('Cancel');
    assert.ok((await readdir(models)).includes('halfway-white'));
    await row(/^Model halfway-white/).click();
    await workbench.command(`${PREFIX}Remove Model...`);
    await workbench.pick('halfway-white');
    await modal()
      .getByText(/It is in use: the setting goes back to "compact"/)
      .waitFor();
    await press('Remove');
    await row(/^Model halfway-white/).waitFor({ state: 'detached' });
    await row(/^Model compact, in use/).waitFor();
    assert.ok(!(await readdir(models)).includes('halfway-white'));
  });

  it('are part of a check of the installation, whose report is a document', async () => {
    const { workbench } = editor;
    await workbench.command(`${PREFIX}Check Installation`);
    await workbench.tab(/Installation\.md/).waitFor({ timeout: TRIAL });
    await workbench.eventually(async () => assert.match(await shownText(workbench), /What was tried/));
    const report = await shownText(workbench);
    // The damaged download of the test before is what needs attention.
    assert.match(report, /Needs attention: 1/);
    assert.match(
      report,
      /\*\*sharp\*\*: padding\.bin was refused: it has 10 bytes.*Remove the model and add it again/s,
    );
    assert.match(report, /- Pictures: png, jpeg, webp, avif, tiff written and read back/);
    assert.match(report, /- Network: compact made 3 frames of 256x192 pixels on/);
    assert.match(report, /- Metrics: PSNR 24\.048, SSIM 0\.989, LPIPS 0\.517, FLIP 0\.000/);
    assert.match(report, /- cpu: .*works: probe ran in/);
    await editor.screenshot('report');
    for (const [name, theme] of Object.entries(THEMES)) {
      await workbench.command('Preferences: Color Theme');
      await workbench.page.waitForTimeout(500);
      await workbench.quickInput().fill(theme);
      await workbench.page.waitForTimeout(500);
      await workbench.page.keyboard.press('Enter');
      await workbench.page.waitForTimeout(1500);
      await editor.screenshot(`view-${name}`);
    }
  });

  it('need no CUDA runtime on a machine without an NVIDIA GPU: it says so and fetches nothing', async () => {
    const { workbench } = editor;
    await workbench.command(`${PREFIX}Install CUDA Runtime...`);
    const toast = workbench.toasts().filter({ hasText: /Nothing was downloaded/ });
    await toast.waitFor();
    assert.match((await toast.textContent()) ?? '', /No NVIDIA GPU|CUDA is for Linux on x64/);
    await editor.screenshot('no-gpu');
  });
});
