import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isCudaPlatform } from '../../src/restoration/models/cuda-runtime';
import { serveCudaFeed, type CudaFeed } from '../unit/models/cuda-feed';
import { FileServer } from '../unit/models/file-server';
import { removeInstallation, startEditor, type Editor } from './harness/editor';

const COMMAND = 'Progressive Restoration: Install CUDA Runtime...';
const GPU = 'Stand-in GPU, 580.10, 24576 MiB';

// Elsewhere there are no CUDA libraries; what the command says there is in a test of the models.
const describeCuda = isCudaPlatform() ? describe : undefined;

describeCuda?.('the CUDA runtime in the editor, on a machine whose driver answers', () => {
  let home: string;
  let server: FileServer;
  let feed: CudaFeed;
  let editor: Editor | undefined;

  before(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), 'pir-cuda-home-'));
    const driver = path.join(home, 'nvidia-smi');
    await writeFile(driver, `#!/bin/sh\necho '${GPU}'\n`);
    await chmod(driver, 0o755);
    // The editor takes the search path of its extensions from a login shell, which would forget what the server was given.
    for (const name of ['.profile', '.bash_profile', '.bashrc'])
      await writeFile(path.join(home, name), `PATH='${home}':"$PATH"; export PATH\n`);
    server = await FileServer.start();
    feed = serveCudaFeed(server);
    editor = await startEditor({
      name: 'cuda',
      files: { 'notes.txt': { text: 'nothing' } },
      machineSettings: { 'progressiveRestoration.cudaFeed': feed.index },
      environment: { HOME: home, SHELL: '/bin/bash', PATH: `${home}:${process.env.PATH ?? ''}` },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor?.screenshot('failed');
  });
  after(async () => {
    await editor?.stop();
    await server.close();
    await rm(home, { recursive: true, force: true });
    await removeInstallation();
  });

  function opened(): Editor {
    assert.ok(editor, 'the editor has started');
    return editor;
  }

  const archives = (): number => server.seen.filter(({ path: asked }) => asked === feed.archivePath).length;

  /** Libraries that the extension has stored, by name; the links that it makes for its processes do not count. */
  async function stored(): Promise<string[]> {
    const profile = path.join(path.dirname(opened().workspace), 'profile');
    const files = await readdir(profile, { recursive: true, withFileTypes: true });
    return files.filter((file) => file.isFile() && file.name.endsWith('.so')).map(({ name }) => name);
  }

  it('is explained first, and not downloaded without consent', async () => {
    const { workbench } = opened();
    await workbench.command(COMMAND);
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    const text = await dialog.innerText();
    assert.ok(text.includes(GPU), text);
    assert.match(text, /from Microsoft \(MIT license\)/);
    assert.match(text, /compared with its SHA-512/);
    assert.match(text, /libonnxruntime_providers_cuda\.so/);
    assert.match(text, /cuDNN 9/);
    await opened().screenshot('consent');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(archives(), 0);
    assert.deepEqual(await stored(), []);
  });

  it('comes after consent, is verified and kept in the storage of the extension', async () => {
    const { workbench } = opened();
    await workbench.command(COMMAND);
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByRole('button', { name: 'Download' }).click();
    const toast = workbench.toasts().filter({ hasText: 'The CUDA runtime was installed' });
    await toast.waitFor({ timeout: 120_000 });
    await opened().screenshot('installed');
    assert.equal(archives(), 1);
    assert.deepEqual((await stored()).sort(), Object.keys(feed.libraries).sort());
  });

  it('is part of the report on the installation', async () => {
    const { workbench } = opened();
    await workbench.command('Progressive Restoration: Check Installation');
    await workbench.tab(/Installation\.md/).waitFor({ timeout: 180_000 });
    await workbench.eventually(async () => {
      const report = (await workbench.page.locator('.monaco-editor .view-lines').last().innerText()).replaceAll(
        '\u00a0',
        ' ',
      );
      assert.ok(report.includes(`NVIDIA: ${GPU}`), report);
      assert.match(report, /CUDA libraries: onnxruntime \d/);
    }, 60_000);
    await opened().screenshot('report');
  });
});
