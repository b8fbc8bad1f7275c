/**
 * Runs the committed notebooks and saves their outputs in place: `npm run notebooks [-- NAME ...]`.
 *
 * Builds what is missing or older than its source. A notebook whose cells fail stays as it was, and so do those after it.
 * Without names all notebooks of `notebooks/` run; `02` means the one whose name begins so. Their own settings apply:
 * `PICTURES=FOLDER npm run notebooks -- 02` runs on other pictures. notebooks/strip.jpg, which the README shows, follows
 * the quickstart.
 */
import { readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildIfStale, root, runScript } from './run-script.mjs';

/** Documents are committed: one that is larger than this has outputs that belong into files. */
const MOST_BYTES = 3_000_000;

const folder = path.join(root, 'notebooks');
const all = readdirSync(folder)
  .filter((name) => name.endsWith('.ipynb'))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.find((word) => !all.some((name) => name.startsWith(word)));
if (unknown !== undefined) {
  console.error(`There is no notebook "${unknown}". There are: ${all.join(', ')}.`);
  process.exit(2);
}
const chosen = all.filter((name) => wanted.length === 0 || wanted.some((word) => name.startsWith(word)));

await buildIfStale();
for (const name of chosen) {
  const file = path.join(folder, name);
  const started = performance.now();
  await runScript('dist/cli.js', 'notebook', 'run', file);
  const bytes = statSync(file).size;
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s, ${Math.ceil(bytes / 1000)} kB`);
  if (bytes > MOST_BYTES) {
    console.error(`${name} is larger than ${MOST_BYTES / 1000} kB.`);
    process.exitCode = 1;
  }
}
if (chosen.includes('01-quickstart.ipynb')) await keepStrip();

/** The strip that the README shows: the one of the last run in the quickstart. */
async function keepStrip() {
  const { cells } = JSON.parse(await readFile(path.join(folder, '01-quickstart.ipynb'), 'utf8'));
  const strips = cells.flatMap((cell) => cell.outputs ?? []).flatMap((output) => output.data?.['image/jpeg'] ?? []);
  await writeFile(path.join(folder, 'strip.jpg'), Buffer.from(strips.at(-1), 'base64'));
}
