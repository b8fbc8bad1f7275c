// Bundles the suites that run inside VS Code's extension host into .cache/extension-host: `node scripts/extension-host-tests.mjs`.
import { build } from 'esbuild';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'test', 'extension-host');

await build({
  entryPoints: readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name)),
  outdir: path.join(root, '.cache', 'extension-host'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
  // Mocha finds its files beside itself.
  external: ['vscode', 'mocha'],
});
