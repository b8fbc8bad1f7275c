import { existsSync } from 'node:fs';
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
