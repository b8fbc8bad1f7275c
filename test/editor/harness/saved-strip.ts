import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunView, RUN_MIME, type RunView } from '../../../src/protocol';
import type { EditorOptions } from './editor';
import { projectRoot } from './installation';

interface Notebook {
  metadata: Record<string, unknown>;
  cells: { cell_type: string; outputs?: { data?: Record<string, unknown> }[] }[];
}

/**
 * Files of a workspace with a notebook that was saved with one strip, as the quickstart keeps it, and with its folder of frames.
 * Every full frame is the picture that was the reference: what counts is that it has the size and comes from the folder.
 *
 * @param copies strips in the notebook, each in a cell of its own
 */
export async function savedStrip(copies = 1): Promise<{ files: EditorOptions['files']; view: RunView }> {
  const quickstart = path.join(projectRoot, 'notebooks', '01-quickstart.ipynb');
  const notebook = JSON.parse(await readFile(quickstart, 'utf8')) as Notebook;
  const cell = notebook.cells.find(({ outputs }) =>
    outputs?.some(({ data }) => {
      const view = data?.[RUN_MIME];
      return isRunView(view) && view.record.task === 'low-light';
    }),
  );
  const data = cell?.outputs?.find((output) => output.data?.[RUN_MIME] !== undefined)?.data;
  const view = data?.[RUN_MIME];
  assert.ok(data !== undefined && isRunView(view));
  data[RUN_MIME] = { ...view, framesFolder: 'saved.frames' };
  const cells = Array.from({ length: copies }, (_, index) => ({ ...cell, id: `cell-${index}` }));
  const kept = [...view.record.frames, ...(view.reference ? [view.reference] : [])];
  const frames = kept.map(
    ({ file }) => [`saved.frames/${file}`, { copy: 'notebooks/pictures/astronaut.png' }] as const,
  );
  return {
    files: { 'saved.ipynb': { text: JSON.stringify({ ...notebook, cells }) }, ...Object.fromEntries(frames) },
    view,
  };
}
