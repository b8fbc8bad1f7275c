import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { typescriptNotebook } from './harness/notebook-file';
import { NotebookView } from './harness/notebook-view';
import { PanelView } from './harness/panel-view';
import { projectRoot } from './harness/installation';

const TINY = path.join(projectRoot, 'test/fixtures/cogvideox/5b-i2v');
/** Longest time of one small run on a busy machine. */
const RUN = 120_000;

describe('a CogVideoX model in the editor', () => {
  let editor: Editor;
  let models: string;

  /** Installs the tiny model under a name; `steps` stands in for the long run of a large one, `parts` are left out. */
  async function install(id: string, steps: number, parts: readonly string[] = []): Promise<void> {
    const folder = path.join(models, id);
    await cp(TINY, folder, { recursive: true });
    const file = path.join(folder, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as {
      id: string;
      scheduler: { steps: number };
      files: Record<string, unknown>;
    };
    manifest.id = id;
    manifest.scheduler.steps = steps;
    for (const part of parts) delete manifest.files[part];
    await writeFile(file, JSON.stringify(manifest));
  }

  before(async () => {
    models = await mkdtemp(path.join(os.tmpdir(), 'pir-models-cogvideox-'));
    await install('video-tiny', 12);
    await install('video-long', 1000);
    await install('video-uniform', 4, ['text_encoder', 'tokenizer', 'tokenizer_config']);
    editor = await startEditor({
      name: 'cogvideox',
      files: {
        'cat.png': { copy: 'notebooks/pictures/cat-blurred.png' },
        'work.ipynb': {
          text: typescriptNotebook([
            "import { restore } from 'progressive-restoration';\nawait restore('cat.png', { task: 'deblurring', model: 'video-tiny' })",
          ]),
        },
      },
      settings: { 'progressiveRestoration.model': 'video-tiny', 'progressiveRestoration.device': 'cpu' },
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
    await removeInstallation();
    await rm(models, { recursive: true, force: true });
  });

  /** Chooses a model in the panel, as a click on its entry does. */
  async function choose(model: string): Promise<void> {
    const document = await new PanelView(editor.workbench).document();
    const dropdown = document.locator('vscode-dropdown[aria-label="Model"]');
    await dropdown.click();
    await dropdown.locator(`vscode-option[value="${model}"]`).click();
    await editor.workbench.eventually(async () =>
      assert.equal(await dropdown.evaluate((node) => (node as HTMLSelectElement).value), model),
    );
  }

  it('restores on right-click with the model of the setting: nine frames and what its autoencoder allows', async () => {
    const { workbench } = editor;
    const panel = new PanelView(workbench);
    await workbench.contextMenu('cat.png', 'Restore Image...');
    await workbench
      .quickRow(/detected, \d+ % sure/)
      .first()
      .click();
    const document = await panel.waitUntilDone(RUN);
    assert.equal(await document.locator('.frames .frame').count(), 9);
    const facts = await document.locator('.facts').innerText();
    assert.match(facts, /12 steps of DDIM · fixed guidance 6 · seed 0/);
    assert.match(facts, /the autoencoder alone: \d+\.\d\d dB/);
    await editor.screenshot('done');
  });

  it('shows estimates of the frames while a chosen model works, and stops between two steps', async () => {
    const panel = new PanelView(editor.workbench);
    await choose('video-long');
    await panel.press('Restore');
    const document = await panel.document();
    const stop = document.locator('vscode-button', { hasText: 'Stop' });
    // The first result has nine frames; those of the second are estimates, the first of them after a fifth of the steps.
    await editor.workbench.eventually(async () => {
      const count = await document.locator('.frames .frame img[src^="data:"]').count();
      assert.ok(count >= 18, `${count} frames`);
    }, 40_000);
    assert.equal(await stop.isVisible(), true, 'it still works');
    await stop.click();
    await editor.workbench.eventually(async () => {
      assert.equal(await stop.isVisible(), false);
      assert.match(await document.locator('main').innerText(), /2 · Deblurring · video-long · not done/);
    }, RUN);
    await editor.screenshot('stopped');
    assert.ok((await document.locator('.frames .frame img[src^="data:"]').count()) >= 18, 'its estimates stay');
  });

  it('says in one sentence why a prompt is refused by a model without its text encoder', async () => {
    const panel = new PanelView(editor.workbench);
    await choose('video-uniform');
    const document = await panel.document();
    await document.locator('.prompt input').fill('a cat on a chair');
    await panel.press('Restore');
    const message = await panel.waitForError(RUN);
    assert.match(message, /^Model video-uniform came without its text encoder.*Leave the prompt out/s);
    await editor.screenshot('refused');
  });

  it('runs in a notebook cell by its name', async () => {
    const { workbench } = editor;
    await workbench.closeAll();
    await workbench.openFile('work.ipynb');
    const notebook = new NotebookView(workbench);
    await notebook.waitUntilShown();
    await notebook.run(0);
    await notebook.waitForSuccess(1, RUN);
    const document = await notebook.output('.frames .frame', RUN);
    assert.equal(await document.locator('.frames .frame').count(), 9);
  });
});
