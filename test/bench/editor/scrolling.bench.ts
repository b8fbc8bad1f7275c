import type { Frame } from 'playwright-core';
import type { Editor } from '../../editor/harness/editor';
import { LongTasks } from '../../editor/harness/long-tasks';
import { notebookOfRuns } from '../../editor/harness/many-runs';
import { NotebookView } from '../../editor/harness/notebook-view';
import { inEditor } from './measured-editor';

/** A notebook that was saved with fifty runs: its size, how fast it opens, and what blocks while it is scrolled. */
export const title = 'A notebook of fifty runs in VS Code';

/** Pixels that are scrolled, about half of the runs. */
const DISTANCE = 25_000;

export type Row = Record<string, string>;

export async function* run(): AsyncGenerator<Row> {
  const text = await notebookOfRuns(50);
  yield { what: 'size of the document', measured: `${(text.length / 1e6).toFixed(2)} MB`, aim: '< 5 MB' };
  const files = { 'fifty.ipynb': { text } };
  yield* inEditor({ name: 'bench-scrolling', files }, measure);
}

async function* measure(editor: Editor): AsyncGenerator<Row> {
  const { workbench } = editor;
  const tasks = await LongTasks.watch(workbench.page);
  const notebook = new NotebookView(workbench);
  // The second time, the editor, its notebook part and the extension are loaded: what is left is the document.
  for (const what of ['first notebook of the window', 'opened again']) {
    const start = performance.now();
    await workbench.openFile('fifty.ipynb');
    await notebook.waitUntilLargeShown();
    const cells = performance.now() - start;
    const frame = await workbench.soonFrameWith('.frames .frame img[src]', 120_000);
    const strip = performance.now() - start;
    const own = performance.timeOrigin + start + strip - (await rendererLoaded(frame));
    yield { what: `${what}: cells, first strip`, measured: `${ms(cells)}, ${ms(strip)}`, aim: '< 2 s' };
    yield { what: `${what}: of this after our script was there`, measured: ms(own), aim: '' };
    if (what !== 'opened again') await workbench.closeAll();
  }
  await workbench.page.waitForTimeout(3_000);
  await tasks.reset();
  const start = performance.now();
  await notebook.scroll(DISTANCE);
  const elapsed = performance.now() - start;
  for (const { where, count, total, longest } of await tasks.read()) {
    yield {
      what: `long tasks (> 50 ms) of the ${where} while scrolling ${(elapsed / 1000).toFixed(0)} s`,
      measured: `${count}, ${ms(total)} in all, longest ${ms(longest)}`,
      aim: '',
    };
  }
  await editor.screenshot('scrolled');
}

/** When the renderer's script had come to the document that shows the outputs, in milliseconds since the epoch. */
function rendererLoaded(frame: Frame): Promise<number> {
  return frame.evaluate(() => {
    const scripts = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    const ours = scripts.find(({ name }) => name.includes('progressive-restoration') && name.endsWith('/renderer.js'));
    return performance.timeOrigin + (ours?.responseEnd ?? 0);
  });
}

function ms(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}
