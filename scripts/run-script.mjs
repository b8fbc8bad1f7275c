/** Building on demand and running scripts of this repository, for the scripts that need a built package. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
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

/** Builds when a bundle is missing or older than its source. */
export async function buildIfStale() {
  if (isBuilt()) return;
  console.log('Building ...');
  await runScript('scripts/build.mjs');
}

/** Runs a script of this repository with its output shown; ends this one with its exit code when it fails. */
export async function runScript(script, ...args) {
  const child = spawn(process.execPath, [path.join(root, script), ...args], { stdio: 'inherit', cwd: root });
  // The script gets the interrupt of the terminal too, and cleans up before it ends.
  const wait = () => undefined;
  process.on('SIGINT', wait);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  process.off('SIGINT', wait);
  if (code !== 0) process.exit(code ?? 1);
}
