import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError } from '../../protocol';

/** A degraded picture and its sharp one. Paths are absolute when the folder's was. */
export interface Pair {
  /** The common base name. */
  name: string;
  input: string;
  reference: string;
}

export interface PairList {
  /** Sorted by name, so that a limited evaluation measures the same pictures everywhere. */
  pairs: Pair[];
  /** File names without a partner. */
  unmatched: { input: string[]; reference: string[] };
}

const INPUT = 'input';
const REFERENCE = 'reference';
/** How many names an error lists. */
const NAMED = 3;

/**
 * Pairs in `folder`, which holds `input/` and `reference/` with the same base names; the extensions may differ. Hidden
 * files and folders are passed over.
 *
 * @throws RestorationError `missing-file` when one of the folders is not there or no names match; `bad-argument` when a
 *   base name stands for two files
 */
export async function findPairs(folder: string): Promise<PairList> {
  const inputs = await filesByBaseName(folder, INPUT);
  const references = await filesByBaseName(folder, REFERENCE);
  const pairs: Pair[] = [];
  const unmatched: PairList['unmatched'] = { input: [], reference: [] };
  for (const [name, file] of inputs) {
    const reference = references.get(name);
    if (reference === undefined) unmatched.input.push(file);
    else
      pairs.push({ name, input: path.join(folder, INPUT, file), reference: path.join(folder, REFERENCE, reference) });
  }
  for (const [name, file] of references) if (!inputs.has(name)) unmatched.reference.push(file);
  if (pairs.length === 0) {
    throw new RestorationError(
      'missing-file',
      `No picture in ${path.join(folder, INPUT)} has the base name of one in ${path.join(folder, REFERENCE)} ` +
        `(${listed(unmatched.input)} against ${listed(unmatched.reference)}).`,
      'Give a degraded picture and its reference the same name; the extensions may differ.',
    );
  }
  return { pairs, unmatched };
}

async function filesByBaseName(folder: string, part: string): Promise<Map<string, string>> {
  const directory = path.join(folder, part);
  let entries;
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    throw new RestorationError(
      'missing-file',
      `${folder} should hold the folders ${INPUT}/ and ${REFERENCE}/, but ${part}/ cannot be read.`,
      'Name a folder with both; the pictures in them pair by base name.',
      { cause: error },
    );
  }
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
  const files = new Map<string, string>();
  for (const file of names) {
    const name = path.parse(file).name;
    const other = files.get(name);
    if (other !== undefined) {
      throw new RestorationError(
        'bad-argument',
        `${directory} holds both ${other} and ${file}, so that it is unclear which one is meant by "${name}".`,
        'Keep one of them.',
      );
    }
    files.set(name, file);
  }
  // By base name: "a-b.png" sorts before "a.png", but "a" before "a-b".
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function listed(files: readonly string[]): string {
  if (files.length === 0) return 'no files';
  const more = files.length - NAMED;
  return `${files.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
