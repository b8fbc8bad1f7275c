import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { CONTROLLER_ID, EXTENSION_ID } from '../../src/editor/ids';
import { RUN_MIME, isRunView } from '../../src/protocol';
import { typescriptNotebook } from '../editor/harness/notebook-file';

/**
 * What can be said by the API of VS Code alone, so that it holds in every VS Code: here in the browser's, elsewhere on the
 * desktop. What a user sees and presses is tested in `test/editor`.
 */
const LONG = 120_000;

const SOURCES = [
  "import { restore } from 'progressive-restoration';\nconst run = await restore('cat-blurred.png', { task: 'deblurring', reference: 'cat.png' });\nrun",
  'const kept = run.frames.length;\nkept',
  "await restore('missing.png', { task: 'deblurring' });",
  'res',
];

describe('the extension in an extension host', () => {
  let folder: string;
  let notebook: vscode.NotebookDocument;

  before(async function () {
    this.timeout(LONG);
    const extension = vscode.extensions.getExtension(EXTENSION_ID);
    assert.ok(extension, 'VS Code knows the extension');
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-extension-host-'));
    const pictures = path.join(extension.extensionPath, 'notebooks', 'pictures');
    for (const name of ['cat.png', 'cat-blurred.png'])
      await copyFile(path.join(pictures, name), path.join(folder, name));
    const file = path.join(folder, 'work.ipynb');
    await writeFile(file, typescriptNotebook(SOURCES));
    notebook = await vscode.workspace.openNotebookDocument(vscode.Uri.file(file));
    await vscode.window.showNotebookDocument(notebook);
    await eventually(() => assert.ok(extension.isActive, 'a notebook wakes the extension'));
    await vscode.commands.executeCommand('notebook.selectKernel', { id: CONTROLLER_ID, extension: EXTENSION_ID });
  });

  after(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    // On Windows a process that just ends may still hold the folder.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  /** Runs a cell and resolves to it when it has ended. */
  async function ended(index: number): Promise<vscode.NotebookCell> {
    const cell = notebook.cellAt(index);
    const before = cell.executionSummary?.executionOrder;
    await vscode.commands.executeCommand('notebook.cell.execute', {
      ranges: [{ start: index, end: index + 1 }],
      document: notebook.uri,
    });
    await eventually(() => {
      assert.ok(cell.executionSummary?.success !== undefined && cell.executionSummary.executionOrder !== before);
    });
    return cell;
  }

  it('has every command of its manifest', async () => {
    const { contributes } = vscode.extensions.getExtension(EXTENSION_ID)?.packageJSON as {
      contributes: { commands: { command: string }[] };
    };
    const known = new Set(await vscode.commands.getCommands(true));
    assert.ok(contributes.commands.length > 0);
    for (const { command } of contributes.commands) assert.ok(known.has(command), command);
  });

  it('restores a picture in a cell: nine measured frames', async () => {
    const cell = await ended(0);
    assert.equal(cell.executionSummary?.success, true, textOf(cell));
    const item = cell.outputs.flatMap(({ items }) => items).find(({ mime }) => mime === RUN_MIME);
    assert.ok(item, 'an output of our own type');
    const view: unknown = JSON.parse(new TextDecoder().decode(item.data));
    assert.ok(isRunView(view) && view.state.kind === 'done');
    assert.equal(view.record.frames.length, 9);
    for (const { psnr, ssim, lpips } of view.record.frames) {
      assert.ok(typeof psnr === 'number' && typeof ssim === 'number' && typeof lpips === 'number');
    }
  });

  it('keeps variables for the cells after it, until the kernel is restarted', async () => {
    const known = await ended(1);
    assert.equal(known.executionSummary?.success, true, textOf(known));
    assert.match(textOf(known), /9/);
    await vscode.commands.executeCommand('progressiveRestoration.restartKernel', notebook.uri);
    const forgotten = await ended(1);
    assert.equal(forgotten.executionSummary?.success, false);
  });

  it('fails a cell with one sentence', async () => {
    await ended(0);
    const cell = await ended(2);
    assert.equal(cell.executionSummary?.success, false);
    assert.match(textOf(cell), /missing\.png/);
  });

  it('completes the library in a cell', async () => {
    const { document } = notebook.cellAt(3);
    await eventually(async () => {
      const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
        'vscode.executeCompletionItemProvider',
        document.uri,
        document.positionAt(document.getText().length),
      );
      const labels = items.map(({ label }) => (typeof label === 'string' ? label : label.label));
      assert.ok(labels.includes('restore'), labels.slice(0, 20).join(', '));
    });
  });
});

/** Everything that a cell shows, as text. */
function textOf(cell: vscode.NotebookCell): string {
  return cell.outputs
    .flatMap(({ items }) => items)
    .filter(({ mime }) => mime !== RUN_MIME && !mime.startsWith('image/'))
    .map(({ data }) => new TextDecoder().decode(data))
    .join('\n');
}

/** Repeats `check` until it holds; throws what it threw last when the time is over. */
async function eventually(check: () => void | Promise<void>, milliseconds = LONG): Promise<void> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
