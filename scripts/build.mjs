// Bundles every entry with esbuild and rolls up the public declarations: `node scripts/build.mjs [--watch]`.
import { context, build, transform } from 'esbuild';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNotices } from './notices.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const watch = process.argv.includes('--watch');
const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

/** Native packages and those that find files beside themselves stay outside the bundles. */
const external = ['vscode', 'sharp', 'onnxruntime-node', 'onnxruntime-common', 'tslab', '@tslab/typescript-for-tslab'];

/** Folder below a bundle's own for the pieces that it loads later. */
const PIECES = 'pieces';

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

/**
 * Bundles in pieces that are loaded when they are imported: the editor loads an extension with `require`, for which esbuild makes no
 * pieces, so that they are made as modules and translated. Minified, since what is read and compiled is what starting costs; names
 * stay, for the call stacks in the log.
 */
const inPieces = {
  name: 'commonjs-in-pieces',
  setup({ initialOptions, onStart, onEnd }) {
    const outdir = path.join(root, initialOptions.outdir);
    onStart(() => rm(path.join(outdir, PIECES), { recursive: true, force: true }));
    onEnd(async ({ outputFiles = [] }) => {
      for (const file of outputFiles) {
        await mkdir(path.dirname(file.path), { recursive: true });
        if (!file.path.endsWith('.js')) {
          await writeFile(file.path, file.contents);
          continue;
        }
        const { code, map } = await transform(file.text, {
          platform: 'node',
          format: 'cjs',
          target: 'node20',
          // Else the editor's own loader, which knows what "vscode" is, would not be asked.
          supported: { 'dynamic-import': false },
          sourcemap: true,
          sourcefile: path.basename(file.path),
          sourcesContent: true,
          minify: true,
          keepNames: true,
          legalComments: 'none',
        });
        const name = path.basename(file.path);
        await writeFile(
          file.path,
          `${code.replace(/\n?\/\/# sourceMappingURL=.*\n?$/, '\n')}//# sourceMappingURL=${name}.map\n`,
        );
        await writeFile(`${file.path}.map`, map);
      }
    });
  },
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
  {
    ...node,
    format: 'esm',
    splitting: true,
    chunkNames: `${PIECES}/[name]-[hash]`,
    sourcemap: 'inline',
    write: false,
    entryPoints: { extension: 'src/editor/extension.ts' },
    outdir: 'dist',
    plugins: [inPieces],
  },
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
