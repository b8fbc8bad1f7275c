// Bundles every entry with esbuild and rolls up the public declarations: `node scripts/build.mjs [--watch]`.
import { context, build } from 'esbuild';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNotices } from './notices.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const watch = process.argv.includes('--watch');
const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

/** Native packages and those that find files beside themselves stay outside the bundles. */
const external = ['vscode', 'sharp', 'onnxruntime-node', 'onnxruntime-common', 'tslab', '@tslab/typescript-for-tslab'];

const shared = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: true,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  define: { PACKAGE_VERSION: JSON.stringify(manifest.version) },
};

const node = {
  ...shared,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external,
};

const browser = {
  ...shared,
  platform: 'browser',
  target: 'es2022',
  minify: true,
  loader: { '.css': 'text' },
};

const entries = [
  { ...node, entryPoints: { index: 'src/api/index.ts' }, outdir: 'dist' },
  { ...node, entryPoints: { service: 'src/inference/service-entry.ts' }, outdir: 'dist' },
  { ...node, entryPoints: { kernel: 'src/kernel/kernel-entry.ts' }, outdir: 'dist' },
  { ...node, entryPoints: { language: 'src/kernel/language/language-entry.ts' }, outdir: 'dist' },
  { ...node, entryPoints: { cli: 'src/cli/main.ts' }, outdir: 'dist', banner: { js: '#!/usr/bin/env node' } },
  { ...node, entryPoints: { extension: 'src/editor/extension.ts' }, outdir: 'dist' },
  // Loaded by the editor's TypeScript server, which takes a function for a plugin.
  {
    ...node,
    entryPoints: { 'typescript-plugin': 'src/editor/language/typescript-plugin.ts' },
    outdir: 'dist',
    footer: { js: 'module.exports = module.exports.default;' },
  },
  // VS Code in a browser loads CommonJS too; nothing of Node is there, and the bundler fails when something asks for it.
  {
    ...browser,
    format: 'cjs',
    entryPoints: { extension: 'src/editor/web/extension.ts' },
    outdir: 'dist/web',
    external: ['vscode'],
  },
  { ...browser, format: 'esm', entryPoints: { renderer: 'webview/renderer/renderer.ts' }, outdir: 'dist/webview' },
  { ...browser, format: 'iife', entryPoints: { panel: 'webview/panel/panel.ts' }, outdir: 'dist/webview' },
].filter((options) => Object.values(options.entryPoints).every((entry) => existsSync(path.join(root, entry))));

await mkdir(path.join(root, 'dist'), { recursive: true });
await copyFile(path.join(root, 'src/restoration/report/run.schema.json'), path.join(root, 'dist/run.schema.json'));

if (watch) {
  for (const options of entries) await (await context(options)).watch();
  console.log('watching');
} else {
  const results = await Promise.all(entries.map((options) => build(options)));
  await writeNotices(
    root,
    results.flatMap(({ metafile }) => Object.keys(metafile.inputs)),
  );
  const { rollUpDeclarations } = await import('./declarations.mjs');
  await rollUpDeclarations(root);
}
