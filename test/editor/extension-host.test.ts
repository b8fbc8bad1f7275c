import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { HostTest } from '../extension-host/run';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { projectRoot } from './harness/installation';

/** The suites that a desktop VS Code runs by `npm run test:desktop`, here in the extension host of the server. */
describe('the suites of the extension host', () => {
  let editor: Editor | undefined;
  let folder: string;
  after(async () => {
    await editor?.stop();
    await removeInstallation();
    await rm(folder, { recursive: true, force: true });
  });

  it('pass', async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-host-results-'));
    const results = path.join(folder, 'results.json');
    await promisify(execFile)(process.execPath, [path.join(projectRoot, 'scripts', 'extension-host-tests.mjs')]);
    editor = await startEditor({
      name: 'extension-host',
      files: { 'readme.md': { text: 'A workspace.' } },
      environment: { EXTENSION_HOST_RESULTS: results },
      extensionTests: path.join(projectRoot, '.cache', 'extension-host', 'run.js'),
    });
    const tests = await editor.workbench.eventually(
      async () => JSON.parse(await readFile(results, 'utf8')) as HostTest[],
      300_000,
    );
    for (const { title, error } of tests) console.log(`      ${error === undefined ? 'passed' : 'FAILED'}: ${title}`);
    assert.deepEqual(
      tests.flatMap(({ error }) => error ?? []),
      [],
    );
    assert.ok(tests.length >= 5, `${tests.length} tests ran`);
  });
});
