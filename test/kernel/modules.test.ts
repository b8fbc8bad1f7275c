import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TestKernel } from './kernel-fixture';

describe('imports in cells', () => {
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.create();
  });
  after(() => kernel.dispose());

  async function write(name: string, text: string): Promise<void> {
    await mkdir(path.dirname(kernel.path(name)), { recursive: true });
    await writeFile(kernel.path(name), text);
  }

  it('find Node with its types', async () => {
    const { text } = await kernel.run(
      "import fs from 'node:fs';\nimport { join } from 'path';\nfs.existsSync(join('.', 'nothing'))",
    );
    assert.equal(text, 'false');
    const { error } = await kernel.run("import os from 'node:os';\nos.cpus(5);");
    assert.equal(error?.line, 2);
  });

  it('find local modules with their types, and pick up an edit made just before', async () => {
    await write('helper.ts', 'export function scale(x: number): number {\n  return 2 * x;\n}\n');
    assert.equal((await kernel.run("import { scale } from './helper';\nscale(4)")).text, '8');
    const wrong = await kernel.run("scale('4');");
    assert.deepEqual([wrong.error?.line, wrong.error?.column], [1, 7]);
    await write('helper.ts', 'export function scale(x: number): string {\n  return `${3 * x}`;\n}\n');
    assert.equal((await kernel.run("import { scale } from './helper';\nscale(4)")).text, "'12'");
  });

  it('pick up an edit of a module that a local module imports', async () => {
    await write('lib/inner.ts', 'export const value: number = 1;\n');
    await write('lib/index.ts', "import { value } from './inner';\nexport const doubled = 2 * value;\n");
    assert.equal((await kernel.run("import { doubled } from './lib';\ndoubled")).text, '2');
    await write('lib/inner.ts', 'export const value: number = 21;\n');
    assert.equal((await kernel.run("import { doubled } from './lib';\ndoubled")).text, '42');
  });

  it('find a module that was missing before', async () => {
    const missing = await kernel.run("import { later } from './later';\nlater");
    assert.match(missing.error?.message ?? '', /Cannot find module '\.\/later'/);
    assert.deepEqual([missing.error?.line, missing.error?.column], [1, 23]);
    await write('later.ts', 'export const later = 5;\n');
    assert.equal((await kernel.run("import { later } from './later';\nlater")).text, '5');
  });

  it('tell the file and line of errors in local modules', async () => {
    await write('broken.ts', "export const a = 1;\nexport const b: number = 'text';\n");
    const compile = await kernel.run("import { b } from './broken';\nb");
    assert.match(compile.error?.message ?? '', /^broken\.ts line 2:14: Type 'string'/);
    await write(
      'throwing.ts',
      'interface Gone { a: 1 }\n\nexport function fail(g?: Gone): never {\n  throw new Error(`failed ${String(g)}`);\n}\n',
    );
    const { error } = await kernel.run("import { fail } from './throwing';\n\nfail();");
    assert.equal(error?.line, 3);
    assert.match(error?.stack ?? '', /at fail in throwing\.ts:4:9\n {4}at cell \[\d+\]:3:\d/);
  });

  it('find data beside the notebook, read anew after an edit', async () => {
    await write('data.json', '{ "n": 1 }');
    assert.equal((await kernel.run("import data from './data.json';\ndata.n")).text, '1');
    await write('data.json', '{ "n": 22 }');
    assert.equal((await kernel.run("import data from './data.json';\ndata.n")).text, '22');
  });

  it('say that source outside the folder cannot be imported', async () => {
    const outside = path.join(path.dirname(kernel.folder), `${path.basename(kernel.folder)}-outside.ts`);
    await writeFile(outside, 'export const far = 1;\n');
    const { error } = await kernel.run(`import { far } from '../${path.basename(outside, '.ts')}';\nfar`);
    assert.match(error?.message ?? '', /outside the notebook.s folder.*Move it/);
    assert.equal((await kernel.run('1 + 1')).text, '2');
  });

  it('find CommonJS packages', async () => {
    await write(
      'node_modules/plain-cjs/package.json',
      '{ "name": "plain-cjs", "version": "1.0.0", "main": "main.js", "types": "main.d.ts" }',
    );
    await write('node_modules/plain-cjs/main.js', 'module.exports = { add: (a, b) => a + b };\n');
    await write('node_modules/plain-cjs/main.d.ts', 'export function add(a: number, b: number): number;\n');
    assert.equal((await kernel.run("import { add } from 'plain-cjs';\nadd(1, 2)")).text, '3');
    assert.equal((await kernel.run("import * as cjs from 'plain-cjs';\ncjs.add(2, 2)")).text, '4');
  });

  it('find packages that are ES modules only, declare themselves by exports only, and await while they load', async () => {
    await write(
      'node_modules/only-esm/package.json',
      '{ "name": "only-esm", "version": "1.0.0", "type": "module", "exports": { "import": { "types": "./lib/main.d.ts", "default": "./lib/main.js" } } }',
    );
    await write(
      'node_modules/only-esm/lib/main.js',
      'export const ready = await Promise.resolve(true);\nexport default function greet(name) { return `hello ${name}`; }\n',
    );
    await write(
      'node_modules/only-esm/lib/main.d.ts',
      'export const ready: boolean;\nexport default function greet(name: string): string;\n',
    );
    assert.equal(
      (await kernel.run("import greet, { ready } from 'only-esm';\n[ready, greet('you')]")).text,
      "[ true, 'hello you' ]",
    );
    assert.equal((await kernel.run("const esm = await import('only-esm');\nesm.default('me')")).text, "'hello me'");
    assert.match((await kernel.run('greet(1);')).error?.message ?? '', /Argument of type 'number'/);
  });

  it('find ES module packages from local modules too', async () => {
    await write('uses-esm.ts', "import greet from 'only-esm';\nexport const greeting: string = greet('module');\n");
    assert.equal((await kernel.run("import { greeting } from './uses-esm';\ngreeting")).text, "'hello module'");
  });

  it('take what a package without types exports, unchecked', async () => {
    await write('node_modules/untyped/package.json', '{ "name": "untyped", "version": "1.0.0", "main": "index.js" }');
    await write('node_modules/untyped/index.js', 'exports.answer = 42;\n');
    assert.equal((await kernel.run("import { answer } from 'untyped';\nanswer")).text, '42');
  });

  it('tell why a package cannot be loaded', async () => {
    await write(
      'node_modules/bad-esm/package.json',
      '{ "name": "bad-esm", "version": "1.0.0", "type": "module", "main": "index.js", "types": "index.d.ts" }',
    );
    await write('node_modules/bad-esm/index.js', 'throw new Error("broken inside");\n');
    await write('node_modules/bad-esm/index.d.ts', 'export const x: number;\n');
    const { error } = await kernel.run("\nimport { x } from 'bad-esm';\nx");
    assert.equal(error?.message, 'broken inside');
    assert.match(
      (await kernel.run("import 'not-installed';")).error?.message ?? '',
      /Cannot find module 'not-installed'/,
    );
  });
});
