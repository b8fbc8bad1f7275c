/**
 * Restores three pictures for real: `npm run quickstart`.
 *
 * Builds what is missing or older than its source, runs notebooks/01-quickstart.ipynb without an editor, and leaves the
 * executed notebook, its frames and a strip a picture in `out/`. The notebook in `notebooks/` is not touched; it is
 * where the cells run, so that they find their pictures.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const RUN_MIME = 'application/vnd.progressive-restoration.run.v1+json';
const BUNDLES = ['cli.js', 'kernel.js', 'index.js', 'service.js'].map((name) => path.join(root, 'dist', name));
const SOURCES = ['src', 'scripts/build.mjs', 'package.json'].map((name) => path.join(root, name));

/** Newest change of a file, or of any file below a folder, in milliseconds. */
function newestChange(place) {
  const stat = statSync(place);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(...readdirSync(place, { recursive: true }).map((name) => statSync(path.join(place, name)).mtimeMs));
}

function isBuilt() {
  if (![...BUNDLES, path.join(root, 'dist', 'index.d.ts')].every((file) => existsSync(file))) return false;
  return Math.min(...BUNDLES.map(newestChange)) >= Math.max(...SOURCES.map(newestChange));
}

/** Runs a script of this repository with its output shown; ends this one with its exit code when it fails. */
async function run(script, ...args) {
  const child = spawn(process.execPath, [path.join(root, script), ...args], { stdio: 'inherit', cwd: root });
  // The script gets the interrupt of the terminal too, and cleans up before it ends.
  const wait = () => undefined;
  process.on('SIGINT', wait);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  process.off('SIGINT', wait);
  if (code !== 0) process.exit(code ?? 1);
}

if (!isBuilt()) {
  console.log('Building ...');
  await run('scripts/build.mjs');
}

const out = path.join(root, 'out');
const notebook = path.join(out, 'quickstart.ipynb');
await mkdir(out, { recursive: true });
await run('dist/cli.js', 'notebook', 'run', path.join(root, 'notebooks', '01-quickstart.ipynb'), '--out', notebook);

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
  const strip = path.join(out, `quickstart.${task}.strip.png`);
  await writeFile(strip, Buffer.from([data['image/png']].flat().join(''), 'base64'));
  strips.push(strip);
}
const shown = (file) => path.relative(process.cwd(), file) || file;
console.log(`\nExecuted notebook: ${shown(notebook)}`);
for (const strip of strips) console.log(`Strip:             ${shown(strip)}`);
console.log(`Frames:            ${shown(path.join(out, 'quickstart.frames'))}`);
