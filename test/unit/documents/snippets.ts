import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
/** Folders without documents of ours. */
const LEFT_OUT = /^(node_modules|dist|out|runs|test-results|\..*)$/;

/** A fenced block of a document. */
export interface Snippet {
  /** Path from the root, with the line that it begins in. */
  where: string;
  /** Path of the document from the root. */
  document: string;
  /** What stands behind the fence; empty for plain text. */
  language: string;
  code: string;
}

/** Every fenced block of every document of the repository. */
export function snippets(): Snippet[] {
  return [...documents(ROOT)].flatMap((file) => snippetsOf(path.relative(ROOT, file).replaceAll(path.sep, '/')));
}

function* documents(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory() && !LEFT_OUT.test(entry.name)) yield* documents(place);
    if (entry.isFile() && entry.name.endsWith('.md')) yield place;
  }
}

function snippetsOf(document: string): Snippet[] {
  const text = readFileSync(path.join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language = '', 2: code = '' }) => ({
    where: `${document}:${text.slice(0, index).split('\n').length}`,
    document,
    language,
    code,
  }));
}

/** Words of a line of a shell, without its comment: quotes hold words together, everything else is taken as it stands. */
export function shellWords(line: string): string[] {
  const words = line.match(/#.*$|(?:[^\s'"#]|'[^']*'|"[^"]*")+/g) ?? [];
  return words
    .filter((word) => !word.startsWith('#'))
    .map((word) =>
      word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''),
    );
}

/** The commands of a block of a shell, also those that `&&` joins. */
export function shellCommands(code: string): string[][] {
  const commands: string[][] = [];
  for (const line of code.split('\n')) {
    let command: string[] = [];
    for (const word of shellWords(line)) {
      if (word === '&&' || word === '>') {
        commands.push(command);
        command = [];
      } else command.push(word);
    }
    commands.push(command);
  }
  return commands.filter((command) => command.length > 0);
}
