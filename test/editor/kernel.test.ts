import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { removeInstallation, useEditor } from './harness/editor';
import { typescriptNotebook } from './harness/notebook-file';
import { NotebookView } from './harness/notebook-view';
import { processesWith } from './harness/processes';

interface SavedNotebook {
  metadata: { kernelspec?: { name?: string }; language_info?: { name?: string } };
  cells: { execution_count: number | null; outputs: { output_type: string; name?: string; text?: string[] }[] }[];
}

describe('notebook kernel in the editor', () => {
  const editor = useEditor({
    name: 'kernel',
    files: {
      'state.ipynb': {
        text: typescriptNotebook([
          'let count: number = 40;\nconsole.log("started");\nconsole.error("warned");',
          'count += 2;\nconsole.log(`count is ${count}`);',
        ]),
      },
      'forget.ipynb': { text: typescriptNotebook(['let count: number = 40;', 'console.log(`count is ${count}`);']) },
      'plain.ipynb': {
        text: JSON.stringify({
          nbformat: 4,
          nbformat_minor: 5,
          metadata: { language_info: { name: 'typescript' } },
          cells: [{ cell_type: 'code', id: 'a', metadata: {}, source: ['1 + 1'], outputs: [], execution_count: null }],
        }),
      },
      'stop.ipynb': {
        text: typescriptNotebook([
          'const kept = 7;',
          'console.log("waiting");\nawait new Promise(() => undefined);',
          'console.log("after", kept);',
        ]),
      },
      // The first run waits for ever in its second cell, the second one does not.
      'again.ipynb': {
        text: typescriptNotebook([
          [
            "import { appendFileSync, readFileSync } from 'node:fs';",
            "appendFileSync('runs.txt', 'x');",
            "const runs = readFileSync('runs.txt', 'utf8').length;",
            'console.log(`run ${runs}`);',
          ].join('\n'),
          'await new Promise<void>((resolve) => runs > 1 && resolve());',
        ]),
      },
      'death.ipynb': {
        text: typescriptNotebook(['console.log("alive");', 'await new Promise((r) => setTimeout(r, 60_000));']),
      },
    },
  });
  after(removeInstallation);

  const kernels = (): Promise<number[]> =>
    processesWith(editor().installation.extensions, path.join('dist', 'kernel.js'));

  it('starts nothing before a cell runs, keeps state from cell to cell, and saves outputs with kernel and language', async () => {
    const { workbench, workspace } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.openFile('state.ipynb');
    await notebook.waitUntilShown();
    await workbench.eventually(async () => {
      assert.equal(await notebook.kernelLabel().innerText(), 'TypeScript (Progressive Restoration)');
    });
    assert.deepEqual(await kernels(), []);
    await notebook.runAll();
    await notebook.waitForSuccess(2, 120_000);
    const output = await notebook.output('text=count is 42');
    assert.ok(await output.locator('text=warned').isVisible());
    await editor().screenshot('state');
    await notebook.save();
    const saved = JSON.parse(await readFile(path.join(workspace, 'state.ipynb'), 'utf8')) as SavedNotebook;
    assert.deepEqual(
      saved.cells.map((cell) => cell.execution_count),
      [1, 2],
    );
    assert.deepEqual(
      saved.cells.map((cell) => cell.outputs.map(({ name, text }) => [name, text?.join('')])),
      [
        [
          ['stdout', 'started\n'],
          ['stderr', 'warned\n'],
        ],
        [['stdout', 'count is 42\n']],
      ],
    );
    assert.equal(saved.metadata.kernelspec?.name, 'tslab');
    assert.equal(saved.metadata.language_info?.name, 'typescript');
  });

  it('forgets variables on restart and counts from one again', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    await workbench.openFile('forget.ipynb');
    await notebook.waitUntilShown();
    await workbench.eventually(async () => assert.deepEqual(await kernels(), []));
    await notebook.runAll();
    await notebook.output('text=count is 40', 120_000);
    const [before, ...others] = await kernels();
    assert.ok(before !== undefined && others.length === 0);
    await workbench.command('Progressive Restoration: Restart Kernel');
    await workbench.eventually(async () => {
      const [now] = await kernels();
      assert.ok(now !== undefined && now !== before, 'another process runs the notebook');
    });
    await notebook.run(1);
    await notebook.waitForError(120_000);
    await notebook.output("text=/Cannot find name 'count'/");
    await editor().screenshot('restarted');
  });

  it('restarts and runs all cells from the top, also out of a cell that waits for ever', async () => {
    const { workbench, workspace } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    await workbench.openFile('again.ipynb');
    await notebook.waitUntilShown();
    await notebook.runAll();
    await notebook.output('text=/run 1/', 120_000);
    await notebook.isRunning().first().waitFor({ timeout: 90_000 });
    await workbench.command('Progressive Restoration: Restart Kernel and Run All Cells');
    await notebook.output('text=/run 2/', 120_000);
    await notebook.waitForSuccess(2, 120_000);
    await editor().screenshot('restarted-and-run');
    await notebook.save();
    const saved = JSON.parse(await readFile(path.join(workspace, 'again.ipynb'), 'utf8')) as SavedNotebook;
    assert.deepEqual(
      saved.cells.map((cell) => cell.execution_count),
      [1, 2],
    );
  });

  it('interrupts a pending cell, drops the cells behind it and goes on with its variables', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    await workbench.openFile('stop.ipynb');
    await notebook.waitUntilShown();
    await notebook.runAll();
    await notebook.output('text=waiting', 120_000);
    await workbench.page.getByRole('button', { name: 'Interrupt', exact: true }).click();
    await notebook.isRunning().first().waitFor({ state: 'detached', timeout: 90_000 });
    await editor().screenshot('interrupted');
    await notebook.run(2);
    await notebook.output('text=/after 7/', 120_000);
  });

  it('says so when the kernel dies in the middle of a cell, and starts another for the next run', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.closeAll();
    await workbench.openFile('death.ipynb');
    await notebook.waitUntilShown();
    const others = new Set(await kernels());
    await notebook.run(0);
    await notebook.waitForSuccess(1, 120_000);
    const [victim] = (await kernels()).filter((pid) => !others.has(pid));
    assert.ok(victim !== undefined);
    await notebook.run(1);
    await notebook.isRunning().first().waitFor({ timeout: 90_000 });
    process.kill(victim, 'SIGKILL');
    await notebook.waitForError(90_000);
    await notebook.output('text=/kernel ended unexpectedly .*SIGKILL/');
    await editor().screenshot('killed');
    await notebook.run(0);
    await notebook.waitForSuccess(1, 120_000);
    const again = (await kernels()).filter((pid) => !others.has(pid));
    assert.equal(again.length, 1);
    assert.notEqual(again[0], victim);
  });

  it('ends a cell with number, mark and sentence at whatever moment of it the kernel dies', async () => {
    const { workbench } = editor();
    const notebook = new NotebookView(workbench);
    const cell = notebook.cells().nth(1);
    for (const wait of [0, 15, 60, 250]) {
      await notebook.run(0);
      await notebook.waitForSuccess(1, 120_000);
      const running = await kernels();
      assert.equal(running.length, 1);
      await notebook.run(1);
      await notebook.isRunning().first().waitFor({ timeout: 90_000 });
      await workbench.page.waitForTimeout(wait);
      for (const pid of running) process.kill(pid, 'SIGKILL');
      await cell.locator('.codicon-notebook-state-error').waitFor({ timeout: 60_000 });
      await notebook.output('text=/kernel ended unexpectedly .*SIGKILL/');
      assert.match(await cell.locator('.execution-count-label').innerText(), /^\[\d+\]$/);
    }
    // A kernel lives on for the next test.
    await notebook.run(0);
    await notebook.waitForSuccess(1, 120_000);
  });

  it('ends the kernel when its notebook is closed', async () => {
    const { workbench } = editor();
    assert.ok((await kernels()).length > 0);
    await workbench.closeAll();
    await workbench.eventually(async () => assert.deepEqual(await kernels(), []));
  });

  it('completes the metadata of a TypeScript notebook of another kernel when a cell is run', async () => {
    const { workbench, workspace } = editor();
    const notebook = new NotebookView(workbench);
    await workbench.openFile('plain.ipynb');
    await notebook.waitUntilShown();
    await notebook.runAll();
    await notebook.waitForSuccess(1, 120_000);
    await notebook.save();
    const saved = JSON.parse(await readFile(path.join(workspace, 'plain.ipynb'), 'utf8')) as SavedNotebook;
    assert.equal(saved.metadata.kernelspec?.name, 'tslab');
    assert.equal(saved.metadata.language_info?.name, 'typescript');
  });
});
