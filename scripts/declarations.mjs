/** Rolls the public declarations up into one file: what `import 'progressive-restoration'` means to a compiler. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateDtsBundle } from 'dts-bundle-generator';

/**
 * Writes `dist/index.d.ts` from `src/api/index.ts`; does nothing before there is one.
 *
 * Notebooks compile with TypeScript 5.0, which knows no type arguments of typed arrays (`Uint8Array<ArrayBufferLike>`), so
 * they are left out; to newer compilers the plain name means the same.
 *
 * @param {string} root the repository
 */
export async function rollUpDeclarations(root) {
  const entry = path.join(root, 'src', 'api', 'index.ts');
  const target = path.join(root, 'dist', 'index.d.ts');
  if (!existsSync(entry) || isNewest(target, root)) return;
  const [text] = generateDtsBundle(
    [
      {
        filePath: entry,
        libraries: { allowedTypesLibraries: ['node'] },
        output: { noBanner: true, exportReferencedTypes: false, sortNodes: false },
      },
    ],
    { preferredConfigPath: path.join(root, 'src', 'api', 'tsconfig.json') },
  );
  const plain = text.replace(TYPED_ARRAY, '$1');
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(`${target}.part`, plain);
  await rename(`${target}.part`, target);
}

const TYPED_ARRAY = /\b((?:Big)?(?:Uint|Int|Float)\d+(?:Clamped)?Array|Buffer|DataView)<ArrayBuffer(?:Like)?>/g;

/** What the public declarations are made of. */
const LAYERS = ['protocol', 'measure', 'restoration', 'inference', 'api'];

/** The roll-up compiles everything, which takes seconds: it is left out when nothing has changed since. */
function isNewest(target, root) {
  if (!existsSync(target)) return false;
  const files = LAYERS.map((layer) => path.join(root, 'src', layer)).flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name)),
  );
  const made = statSync(target).mtimeMs;
  return [...files, path.join(root, 'scripts', 'declarations.mjs')].every((file) => statSync(file).mtimeMs < made);
}
