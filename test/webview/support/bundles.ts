import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(__dirname, '../../..');

/** The strip alone as a module, bundled as the build bundles it inside the renderer and the panel. */
export async function stripBundle(): Promise<string> {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: ['webview/strip/strip.ts'],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    loader: { '.css': 'text' },
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild wrote nothing.');
  return file.text;
}

/** A bundle that `npm run build` has written. */
export function builtBundle(name: 'renderer' | 'panel'): Promise<string> {
  return readFile(path.join(ROOT, 'dist', 'webview', `${name}.js`), 'utf8');
}
