import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { RestorationError } from '../../protocol';
import { isObject, isText } from '../../protocol/checks';

/** Longest description, in characters. */
const MAXIMUM_SCENE = 10_000;

/** Descriptions of pictures, looked up by file. */
export interface Captions {
  /** The scene of a picture, or undefined when nobody described it. */
  of(file: string): string | undefined;
  count: number;
}

/**
 * Reads a JSON Lines file of descriptions: `{"file": "photos/a.jpg", "scene": "A red door."}` a line, `file` relative to the
 * folder that holds the list. A picture that lies elsewhere is found by its file name when only one line has that name.
 *
 * @throws RestorationError `missing-file`, or `bad-argument` that names the first line that is not such an object
 */
export async function readCaptions(list: string): Promise<Captions> {
  const byPath = new Map<string, string>();
  const byName = new Map<string, string | undefined>();
  const folder = path.dirname(path.resolve(list));
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(list, 'utf8'), crlfDelay: Infinity })) {
      number++;
      if (line.trim() === '') continue;
      const { file, scene } = parseLine(line, list, number);
      byPath.set(path.resolve(folder, file), scene);
      const name = path.posix.basename(file.replaceAll('\\', '/'));
      byName.set(name, byName.has(name) ? undefined : scene);
    }
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    throw new RestorationError(
      'missing-file',
      `The prompts in ${list} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`,
      'Name a file with one {"file": ..., "scene": ...} a line.',
      { cause: error },
    );
  }
  return {
    of: (file) => byPath.get(path.resolve(file)) ?? byName.get(path.basename(file)),
    count: byPath.size,
  };
}

function parseLine(line: string, list: string, number: number): { file: string; scene: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (isObject(value) && isText(value.file, 4096) && value.file !== '' && isText(value.scene, MAXIMUM_SCENE)) {
    return { file: value.file, scene: value.scene };
  }
  throw new RestorationError(
    'bad-argument',
    `Line ${number} of ${list} is not a description of a picture.`,
    'Write {"file": "name.jpg", "scene": "What is in it."} on every line.',
  );
}
