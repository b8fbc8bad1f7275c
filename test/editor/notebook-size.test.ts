import assert from 'node:assert/strict';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { notebookOfRuns } from './harness/many-runs';
import { NotebookView } from './harness/notebook-view';

const RUNS = 50;
/** Lossless crops as a sheet, three thumbnails and the drawn strip: about 0.1 MB a run. */
const MAXIMUM_BYTES = 5_000_000;

describe('a notebook with fifty runs', () => {
  let editor: Editor | undefined;
  after(async () => {
    await editor?.stop();
    await removeInstallation();
  });

  it('stays small enough and opens with its strips', async () => {
    const text = await notebookOfRuns(RUNS);
    const bytes = Buffer.byteLength(text);
    console.log(`      ${RUNS} runs: ${(bytes / 1e6).toFixed(1)} MB`);
    assert.ok(bytes < MAXIMUM_BYTES, `${bytes} bytes`);

    const opened = await startEditor({
      name: 'fifty',
      files: { 'fifty.ipynb': { text } },
    });
    editor = opened;
    const { workbench } = opened;
    const view = new NotebookView(workbench);
    const start = Date.now();
    await workbench.openFile('fifty.ipynb');
    await view.waitUntilShown();
    const cells = Date.now() - start;
    await view.output('.frames .frame img[src]', 120_000);
    console.log(`      cells after ${cells} ms, the first strip after ${Date.now() - start} ms`);
    await opened.screenshot('opened');
  });
});
