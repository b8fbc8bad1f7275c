import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Frame } from 'playwright-core';
import { removeInstallation, useEditor } from './harness/editor';
import { PanelView } from './harness/panel-view';
import { installSeeingModel } from './harness/seeing-model';

const RUN = 240_000;
const PORT = 45_817;

/** What was sent to the endpoint. */
interface Asked {
  model: string;
  messages: { content: { type: string; text?: string; image_url?: { url: string } }[] }[];
}

describe('Scene prompts in the editor', () => {
  const asked: Asked[] = [];
  let endpoint: Server;
  before(async () => {
    endpoint = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        asked.push(JSON.parse(body) as Asked);
        const content = 'A cat described by the endpoint. And more.';
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ choices: [{ message: { content } }] }));
      });
    });
    endpoint.listen(PORT, '127.0.0.1');
    await once(endpoint, 'listening');
    await installSeeingModel();
  });
  const editor = useEditor({
    name: 'prompts',
    files: { 'cat.png': { copy: 'notebooks/pictures/cat-blurred.png' } },
    settings: {
      'chat.disableAIFeatures': false,
      'progressiveRestoration.prompts.endpoint': `http://127.0.0.1:${PORT}/v1`,
      'progressiveRestoration.prompts.endpointModel': 'llava-test',
    },
  });
  after(async () => {
    endpoint.close();
    await removeInstallation();
  });

  const dialog = (): ReturnType<Frame['locator']> => editor().workbench.page.locator('.monaco-dialog-box');

  /** Opens the prompt of the question what to restore, and has the picture described by `source`. */
  async function describeWith(source: string): Promise<void> {
    const { workbench } = editor();
    await workbench.page.locator('.quick-input-widget').getByRole('button', { name: 'Describe the Picture' }).click();
    await workbench.quickRow(source).waitFor();
    await editor().screenshot('sources');
    await workbench.pick(source);
  }

  const prompt = (): Promise<string> => editor().workbench.quickInput().inputValue();

  it('offers the model that sees and not the one that does not, and sends nothing without consent', async () => {
    const { workbench } = editor();
    await workbench.contextMenu('cat.png', 'Restore Image...');
    await workbench.pick(/Prompt\.\.\./);
    await workbench.inputTitled('Restore cat.png');
    const uniform = await prompt();
    assert.notEqual(uniform, '');
    await describeWith('llava-test');
    assert.equal(await workbench.quickRow('Blind Model').count(), 0);
    await dialog()
      .filter({ hasText: `127.0.0.1:${PORT}` })
      .waitFor();
    await editor().screenshot('consent');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await workbench.inputTitled('Restore cat.png');
    assert.equal(await prompt(), uniform);
    assert.deepEqual(asked, []);
  });

  it('takes a sentence of the endpoint after consent, which is asked once', async () => {
    const { workbench } = editor();
    await describeWith('llava-test');
    await dialog().getByRole('button', { name: 'Send Pictures' }).click();
    await workbench.eventually(async () => assert.equal(await prompt(), 'A cat described by the endpoint.'));
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.model, 'llava-test');
    const picture = asked[0]?.messages[0]?.content.find(({ type }) => type === 'image_url')?.image_url?.url ?? '';
    assert.match(picture, /^data:image\/jpeg;base64,/);
    await describeWith('llava-test');
    await workbench.eventually(async () => assert.equal(asked.length, 2));
    await workbench.inputTitled('Restore cat.png');
    assert.equal(await dialog().count(), 0);
  });

  it('takes a sentence of a language model of the editor, shown and editable before it is used', async () => {
    const { workbench } = editor();
    await describeWith('Seeing Model');
    await dialog().filter({ hasText: 'test-vendor' }).getByRole('button', { name: 'Send Pictures' }).click();
    // The editor asks by itself whether the extension may use the models of another one.
    const allow = dialog().getByRole('button', { name: /^Allow/ });
    await workbench.eventually(async () => {
      if (await allow.isVisible()) await allow.click();
      assert.equal(await prompt(), 'A cat seen by seeing in a JPEG on a sofa.');
    });
    await workbench.quickInput().fill('A cat on a green sofa.');
    await workbench.page.keyboard.press('Enter');
    await workbench.quickRow('A cat on a green sofa.').waitFor();
    await workbench.pick(/detected/);
    const panel = new PanelView(workbench);
    const document = await panel.waitUntilDone(RUN);
    assert.equal(await document.locator('vscode-text-field input').inputValue(), 'A cat on a green sofa.');
    await document.getByText('A cat on a green sofa.').first().waitFor();
  });

  it('describes in the panel with what is built in, without asking anything', async () => {
    const { workbench } = editor();
    const panel = new PanelView(workbench);
    await panel.press('Describe');
    await workbench.pick('Built-in Describer');
    const field = (await panel.document()).locator('vscode-text-field input');
    await workbench.eventually(async () => assert.match(await field.inputValue(), /^A .*picture .*\.$/));
    assert.equal(await dialog().count(), 0);
  });

  it('asks again after the consent was revoked', async () => {
    const { workbench } = editor();
    const before = asked.length;
    await workbench.command('Progressive Restoration: Revoke Picture Sharing Consent');
    await new PanelView(workbench).press('Describe');
    await workbench.pick('llava-test');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    assert.equal(asked.length, before);
  });
});
