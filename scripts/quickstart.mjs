/**
 * Restores three pictures for real: `npm run quickstart`.
 *
 * Builds what is missing or older than its source, runs notebooks/01-quickstart.ipynb without an editor, and leaves the
 * executed notebook, its frames and a strip a picture in `out/`. The notebook in `notebooks/` is not touched; it is
 * where the cells run, so that they find their pictures.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildIfStale, root, runScript } from './run-script.mjs';

const RUN_MIME = 'application/vnd.progressive-restoration.run.v1+json';

await buildIfStale();

const out = path.join(root, 'out');
const notebook = path.join(out, 'quickstart.ipynb');
await mkdir(out, { recursive: true });
await runScript(
  'dist/cli.js',
  'notebook',
  'run',
  path.join(root, 'notebooks', '01-quickstart.ipynb'),
  '--out',
  notebook,
);

const { cells } = JSON.parse(await readFile(notebook, 'utf8'));
const runs = cells
  .flatMap((cell) => cell.outputs ?? [])
  .map((output) => output.data)
  .filter((data) => data?.[RUN_MIME] !== undefined);
const strips = [];
for (const data of runs) {
  const { task, input } = data[RUN_MIME].record;
  const table = [data['text/plain']].flat().join('');
  console.log(`\n${input.file}\n${table.trimEnd()}`);
  const strip = path.join(out, `quickstart.${task}.strip.jpg`);
  await writeFile(strip, Buffer.from([data['image/jpeg']].flat().join(''), 'base64'));
  strips.push(strip);
}
const shown = (file) => path.relative(process.cwd(), file) || file;
console.log(`\nExecuted notebook: ${shown(notebook)}`);
for (const strip of strips) console.log(`Strip:             ${shown(strip)}`);
console.log(`Frames:            ${shown(path.join(out, 'quickstart.frames'))}`);
