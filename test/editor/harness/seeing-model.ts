import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { installExtension } from './code-server';
import { installed } from './installation';

/**
 * An extension that offers a language model to the editor, as the vendors of real ones do, through the editor's own interface. It
 * answers with what it was sent, so that a test sees what has left the machine.
 */
const SOURCE = `
const vscode = require('vscode');
exports.activate = (context) => {
  const models = [true, false].map((imageInput) => ({
    id: imageInput ? 'seeing' : 'blind',
    name: imageInput ? 'Seeing Model' : 'Blind Model',
    family: 'test', version: '1', maxInputTokens: 4096, maxOutputTokens: 256,
    capabilities: { imageInput, toolCalling: false },
  }));
  context.subscriptions.push(vscode.lm.registerLanguageModelChatProvider('test-vendor', {
    provideLanguageModelChatInformation: async () => models,
    provideLanguageModelChatResponse: async (model, messages, options, progress) => {
      const parts = messages.flatMap((message) => message.content);
      const picture = parts.find((part) => part.mimeType === 'image/jpeg');
      const jpeg = picture && picture.data[0] === 0xff && picture.data[1] === 0xd8;
      progress.report(new vscode.LanguageModelTextPart('A cat seen by ' + model.id + (jpeg ? ' in a JPEG' : ' in nothing')));
      progress.report(new vscode.LanguageModelTextPart(' on a sofa. It is a nice cat.'));
    },
    provideTokenCount: async () => 1,
  }));
};
`;

const MANIFEST = {
  name: 'seeing-model',
  publisher: 'progressive-restoration-tests',
  version: '0.0.1',
  engines: { vscode: '^1.104.0' },
  main: './extension.js',
  files: ['extension.js'],
  activationEvents: ['onStartupFinished'],
  license: 'MIT',
  contributes: { languageModelChatProviders: [{ vendor: 'test-vendor', displayName: 'Test Vendor' }] },
};

/** Installs the model beside the extension that is tested, for this process. */
export async function installSeeingModel(): Promise<void> {
  const { tools, extensions } = await installed();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-model-'));
  try {
    await writeFile(path.join(folder, 'package.json'), JSON.stringify(MANIFEST));
    await writeFile(path.join(folder, 'extension.js'), SOURCE);
    await writeFile(path.join(folder, 'README.md'), '# Seeing Model\n');
    await writeFile(path.join(folder, 'LICENSE'), 'MIT\n');
    const vsix = path.join(folder, 'seeing-model.vsix');
    await createVSIX({ cwd: folder, packagePath: vsix, dependencies: false, allowMissingRepository: true });
    await installExtension(tools, vsix, { userData: path.join(folder, 'install'), extensions });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
