import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../protocol';

/**
 * Root of the installed package: the folder above this file that holds both `package.json` and `models/`. It is the same
 * in the repository, in the npm package and in the extension, whose bundles all lie in `dist/`.
 */
export function packageRoot(from: string = __dirname): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json')) && existsSync(path.join(folder, 'models'))) return folder;
    if (path.dirname(folder) === folder) break;
  }
  throw new RestorationError(
    'internal',
    'The installed package is incomplete: no folder with package.json and models/ was found.',
    'Install progressive-restoration again.',
  );
}

/** A bundle of the package, such as `service.js`. Sources run by a test use the built bundles as well. */
export function bundlePath(name: string): string {
  const file = path.join(packageRoot(), 'dist', name);
  if (!existsSync(file)) {
    throw new RestorationError(
      'internal',
      `The installed package is incomplete: dist/${name} is missing.`,
      'Run `npm run build` in a checkout, or install progressive-restoration again.',
    );
  }
  return file;
}

/** Folder of the models that ship inside. */
export function modelsFolder(): string {
  return path.join(packageRoot(), 'models');
}

/** A photograph of 256x192 pixels on which a model is tried (models/README.md). */
export function samplePictureFile(): string {
  return path.join(modelsFolder(), 'sample.png');
}

/** Overrides the folder of added models. */
export const MODELS_VARIABLE = 'PROGRESSIVE_RESTORATION_MODELS';

/**
 * Folder of the models that were added, one folder a model: what `PROGRESSIVE_RESTORATION_MODELS` says, else `models` in
 * the platform's folder for caches. It need not exist.
 */
export function installedModelsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env[MODELS_VARIABLE];
  if (given) return path.resolve(given);
  return path.join(cacheFolder(env), 'progressive-restoration', 'models');
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return env.LOCALAPPDATA || path.join(os.homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches');
  // A relative path there has to be ignored (XDG base directory specification).
  const given = env.XDG_CACHE_HOME;
  return given && path.isAbsolute(given) ? given : path.join(os.homedir(), '.cache');
}
