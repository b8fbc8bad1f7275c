import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CellOutputs,
  NOTEBOOK_LIMIT,
  formatNotebook,
  parseNotebook,
  readNotebook,
  sourceOf,
  toLines,
  writeNotebook,
} from '../../src/kernel';
import { RUN_MIME, RestorationError, type ErrorCode } from '../../src/protocol';
import { ROOT, temporaryFolder } from './kernel-fixture';

const CODE = { cell_type: 'code', execution_count: null, id: 'a1', metadata: {}, outputs: [], source: ['1\n', '2'] };

function notebook(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ cells: [CODE], metadata: {}, nbformat: 4, nbformat_minor: 5, ...changes });
}

function refused(code: ErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RestorationError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(error.remedy.length > 0, 'the error names a remedy');
    return true;
  };
}

describe('notebook files', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('keep what this package does not know: metadata, attachments, cell ids, fields', () => {
    const text = notebook({
      cells: [
        { ...CODE, metadata: { tags: ['x'], vscode: { languageId: 'typescript' } } },
        { cell_type: 'markdown', id: 'm', metadata: {}, source: '# One\ntwo', attachments: { 'a.png': {} } },
        { cell_type: 'raw', id: 'r', metadata: {}, source: [] },
      ],
      metadata: { authors: [{ name: 'me' }], kernelspec: { name: 'other', extra: 1 } },
      extra: true,
    });
    const written = JSON.parse(formatNotebook(parseNotebook(text, 'a.ipynb'))) as Record<string, unknown>;
    assert.deepEqual(written.cells, [
      { ...CODE, metadata: { tags: ['x'], vscode: { languageId: 'typescript' } } },
      { cell_type: 'markdown', id: 'm', metadata: {}, source: ['# One\n', 'two'], attachments: { 'a.png': {} } },
      { cell_type: 'raw', id: 'r', metadata: {}, source: [] },
    ]);
    const metadata = written.metadata as Record<string, Record<string, unknown>>;
    assert.deepEqual(metadata.authors, [{ name: 'me' }]);
    assert.deepEqual(metadata.kernelspec, {
      name: 'tslab',
      display_name: 'TypeScript',
      language: 'typescript',
      extra: 1,
    });
    assert.equal(metadata.language_info?.name, 'typescript');
    assert.equal(written.extra, true);
  });

  it('are written as Jupyter writes them: one space of indentation, a line break at the end', () => {
    const text = formatNotebook(parseNotebook(notebook(), 'a.ipynb'));
    assert.match(text, /^\{\n "cells": \[\n {2}\{\n {3}"cell_type": "code",/);
    assert.match(text, /\}\n$/);
    assert.equal(formatNotebook(parseNotebook(text, 'a.ipynb')), text);
  });

  it('hold sources as lines', () => {
    for (const text of ['', 'a', 'a\n', 'a\nb', '\n\n', 'ä\r\nb']) assert.equal(toLines(text).join(''), text);
    assert.deepEqual(toLines('a\nb\n'), ['a\n', 'b\n']);
    assert.equal(sourceOf({ cell_type: 'code', metadata: {}, source: ['a\n', 'b'] }), 'a\nb');
  });

  it('are refused with what is wrong and what to do', () => {
    const cases: [string, RegExp][] = [
      ['', /a\.ipynb is empty/],
      [notebook().slice(0, -20), /is not complete JSON/],
      ['[1]', /holds no notebook object/],
      ['{"cells": []}', /names no notebook format/],
      [notebook({ nbformat: 3 }), /has format 3, where format 4 is expected.*nbconvert/],
      [notebook({ cells: {} }), /has no list of cells/],
      [notebook({ cells: [5] }), /number 1.*that is no object/],
      [notebook({ cells: [CODE, { ...CODE, cell_type: 'video' }] }), /number 2.*of an unknown type/],
      [notebook({ cells: [{ ...CODE, source: 5 }] }), /without text as source/],
      [notebook({ cells: [{ ...CODE, source: ['a', 1] }] }), /without text as source/],
      [notebook({ cells: [{ ...CODE, outputs: {} }] }), /with bad outputs/],
      [notebook({ cells: [{ ...CODE, outputs: ['x'] }] }), /with bad outputs/],
      [notebook({ cells: [{ ...CODE, metadata: [] }] }), /with bad metadata/],
      [notebook({ metadata: 'none' }), /metadata that are no object/],
      [notebook({ cells: Array.from({ length: 10_001 }, () => CODE) }), /has 10001 cells/],
    ];
    for (const [text, message] of cases) {
      assert.throws(() => parseNotebook(text, 'a.ipynb'), refused('bad-notebook', message));
    }
  });

  it('are refused when they are missing, folders or huge', async () => {
    await assert.rejects(readNotebook(path.join(folder, 'none.ipynb')), refused('missing-file', /there is none/));
    await assert.rejects(readNotebook(folder), refused('missing-file', /not a file/));
    const huge = path.join(folder, 'huge.ipynb');
    await writeFile(huge, '');
    await truncate(huge, NOTEBOOK_LIMIT + 1);
    await assert.rejects(readNotebook(huge), refused('bad-notebook', /has 256 MiB.*Clear its outputs/));
    await rm(huge);
  });

  it('replace the old file in one step, and leave nothing behind when they cannot', async () => {
    const file = path.join(folder, 'sub', 'written.ipynb');
    const document = parseNotebook(notebook(), 'a.ipynb');
    await writeNotebook(file, document);
    assert.equal(await readFile(file, 'utf8'), formatNotebook(document));
    await mkdir(path.join(folder, 'taken.ipynb', 'inside'), { recursive: true });
    await assert.rejects(
      writeNotebook(path.join(folder, 'taken.ipynb'), document),
      refused('unwritable', /could not be written/),
    );
    await assert.rejects(
      writeNotebook(path.join(file, 'below', 'a.ipynb'), document),
      refused('unwritable', /Choose a folder/),
    );
    assert.deepEqual((await readdir(folder)).sort(), ['sub', 'taken.ipynb']);
  });

  it('that are shipped are read, and already in the form in which they would be written', async () => {
    const shipped = path.join(ROOT, 'notebooks');
    const names = (await readdir(shipped)).filter((name) => name.endsWith('.ipynb'));
    assert.ok(names.length > 0);
    for (const name of names) {
      const file = path.join(shipped, name);
      assert.equal(formatNotebook(await readNotebook(file)), await readFile(file, 'utf8'));
    }
  });
});

describe('outputs of a cell in a notebook file', () => {
  it('are joined, replaced in place, and typed as the format wants them', () => {
    const outputs = new CellOutputs();
    outputs.stream('stdout', 'a\n');
    outputs.stream('stdout', 'b');
    outputs.stream('stderr', 'warning\n');
    outputs.display('run', { 'text/plain': 'working' });
    outputs.stream('stdout', 'after\n');
    outputs.display('run', {
      [RUN_MIME]: { not: 'a run' },
      'image/png': 'iVBORw0=',
      'text/plain': 'one\ntwo',
      'image/svg+xml': '<svg>\n</svg>',
    });
    outputs.error({
      name: 'TypeError',
      message: 'bad',
      stack: '    at f in cell [2]:1:2\n    at cell [3]:4:5',
      line: 4,
      column: 5,
    });
    assert.deepEqual(outputs.toNotebook(), [
      { name: 'stdout', output_type: 'stream', text: ['a\n', 'b'] },
      { name: 'stderr', output_type: 'stream', text: ['warning\n'] },
      {
        data: {
          [RUN_MIME]: { not: 'a run' },
          'image/png': 'iVBORw0=',
          'text/plain': ['one\n', 'two'],
          'image/svg+xml': ['<svg>\n', '</svg>'],
        },
        metadata: {},
        output_type: 'display_data',
      },
      { name: 'stdout', output_type: 'stream', text: ['after\n'] },
      {
        ename: 'TypeError',
        evalue: 'bad',
        output_type: 'error',
        traceback: [
          'TypeError: bad',
          'line 4, column 5 of this cell',
          '    at f in cell [2]:1:2',
          '    at cell [3]:4:5',
        ],
      },
    ]);
  });
});
