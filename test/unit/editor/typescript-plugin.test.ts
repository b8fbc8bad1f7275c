import assert from 'node:assert/strict';
import path from 'node:path';
import ts from 'typescript';
import plugin from '../../../src/editor/language/typescript-plugin';

const CELL = '^/vscode-notebook-cell/ts-nul-authority/folder/cells.ipynb#W0sZmlsZQ==.ts';
const FILE = '/folder/module.ts';

const SOURCE = `
import unusedModule from 'node:os';
import { unusedName, join } from 'node:path';
const unusedConstant = 1;
const { unusedPart, ...unusedRest } = { unusedPart: 1 };
function unusedFunction(unusedParameter: number) { const unusedWithin = 1; }
class UnusedClass { #unusedField = 1; }
type UnusedType = 1;
interface UnusedInterface { member: 1 }
{ const unusedInBlock = 1; }
for (const unusedItem of [1]) join();
export {};
`;

/** Texts that TypeScript, with the plugin, holds for unused in a file. */
function unused(file: string): string[] {
  const settings: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, noLib: true, types: [] };
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => settings,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => (name === file ? ts.ScriptSnapshot.fromString(SOURCE) : undefined),
    getCurrentDirectory: () => path.sep,
    getDefaultLibFileName: () => 'lib.d.ts',
    fileExists: (name) => name === file,
    readFile: () => undefined,
  };
  const languageService = ts.createLanguageService(host);
  const adapted = plugin({ typescript: ts }).create({ languageService } as ts.server.PluginCreateInfo);
  return adapted
    .getSuggestionDiagnostics(file)
    .filter(({ reportsUnnecessary }) => reportsUnnecessary !== undefined)
    .map(({ start, length }) => SOURCE.slice(start, start + length));
}

describe('the plugin of the TypeScript server', () => {
  it('takes names at the top of a cell for used, and no others', () => {
    assert.deepEqual(unused(CELL).sort(), [
      '#unusedField',
      'unusedInBlock',
      'unusedItem',
      'unusedParameter',
      'unusedWithin',
    ]);
  });

  it('leaves files alone', () => {
    const found = unused(FILE).join('\n');
    for (const name of ['unusedConstant', 'unusedFunction', 'UnusedClass', 'UnusedType', 'node:os', 'unusedWithin']) {
      assert.ok(found.includes(name), `${name} in\n${found}`);
    }
  });
});
