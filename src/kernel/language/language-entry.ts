import path from 'node:path';
import { isLanguageRequest, type LanguageAnswer, type LanguageRequest } from '../../protocol';
import { CellCompiler, type OwnPackage } from '../cells/cell-compiler';
import { CellLanguage } from './cell-language';

/** As in the kernel: the package's bundles lie beside this one. */
const OWN: OwnPackage = {
  name: 'progressive-restoration',
  main: path.join(__dirname, 'index.js'),
  types: path.join(__dirname, 'index.d.ts'),
};

let language: CellLanguage | undefined;

function answer({ id, cell, query }: LanguageRequest): LanguageAnswer {
  try {
    // Made with the first question: the working directory is the notebook's folder.
    language ??= new CellLanguage(new CellCompiler(OWN));
    return { id, result: language.answer(cell, query) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (message) => {
  if (isLanguageRequest(message) && process.connected) process.send?.(answer(message));
});
process.once('disconnect', () => process.exit(0));
