import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, type ErrorCode } from '../../../src/protocol';
import { findPairs } from '../../../src/restoration/evaluation';

describe('pairs of a data set', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-pairs-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function fill(files: string[]): Promise<void> {
    for (const file of files) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
      await writeFile(path.join(folder, file), '');
    }
  }

  async function assertRefused(code: ErrorCode, message: RegExp): Promise<void> {
    await assert.rejects(findPairs(folder), (error) => {
      assert.ok(error instanceof RestorationError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }

  it('match by base name, whatever the extensions, in the order of names', async () => {
    await fill(['input/b.png', 'input/a-1.jpg', 'input/a.x.webp', 'input/a.png']);
    await fill(['reference/a.jpeg', 'reference/b.PNG', 'reference/a-1.png', 'reference/a.x.png']);
    const { pairs, unmatched } = await findPairs(folder);
    assert.deepEqual(
      pairs.map(({ name }) => name),
      ['a', 'a-1', 'a.x', 'b'],
    );
    assert.deepEqual(pairs[3], {
      name: 'b',
      input: path.join(folder, 'input', 'b.png'),
      reference: path.join(folder, 'reference', 'b.PNG'),
    });
    assert.deepEqual(unmatched, { input: [], reference: [] });
  });

  it('list what has no partner and pass over hidden files and folders', async () => {
    await fill(['input/a.png', 'input/alone.png', 'input/.DS_Store', 'input/more/c.png']);
    await fill(['reference/a.png', 'reference/notes.txt', 'reference/.hidden.png', 'reference/more/c.png']);
    const { pairs, unmatched } = await findPairs(folder);
    assert.equal(pairs.length, 1);
    assert.deepEqual(unmatched, { input: ['alone.png'], reference: ['notes.txt'] });
  });

  it('are refused where a folder is missing', async () => {
    await fill(['input/a.png']);
    await assertRefused('missing-file', /input\/ and reference\/, but reference\/ cannot be read/);
  });

  it('are refused where no names match, with examples', async () => {
    await fill(['input/a.png', 'input/b.png', 'input/c.png', 'input/d.png', 'input/e.png', 'reference/x.png']);
    await assertRefused('missing-file', /\(a\.png, b\.png, c\.png and 2 more against x\.png\)/);
  });

  it('are refused where a folder is empty', async () => {
    await fill(['input/a.png', 'reference/.keep']);
    await assertRefused('missing-file', /\(a\.png against no files\)/);
  });

  it('are refused where a name is ambiguous', async () => {
    await fill(['input/a.png', 'input/a.jpg', 'reference/a.png']);
    await assertRefused('bad-argument', /both a\.jpg and a\.png/);
  });
});
