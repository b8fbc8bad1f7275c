import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findUnusedFrames } from '../../../src/editor/frames/unused-frames';

const frame = (digit: string): string => `${digit.repeat(64)}.png`;

describe('frames that no notebook names', () => {
  let folder: string;
  const frames = (): string => path.join(folder, 'one.frames');
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-frames-'));
    await mkdir(frames());
    for (const digit of ['a', 'b', 'c', 'd']) await writeFile(path.join(frames(), frame(digit)), digit);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are those that neither this notebook, nor a copy of it, nor an unsaved output names', async () => {
    await writeFile(path.join(folder, 'one.ipynb'), JSON.stringify({ file: frame('a') }));
    await writeFile(path.join(folder, 'copy.IPYNB'), JSON.stringify({ file: frame('b') }));
    assert.deepEqual(await findUnusedFrames(frames(), [`{"file":"${frame('c')}"}`]), {
      files: [path.join(frames(), frame('d'))],
      bytes: 1,
    });
  });

  it('are neither other files nor links', async () => {
    await writeFile(path.join(frames(), 'notes.txt'), 'mine');
    await mkdir(path.join(frames(), frame('e')));
    await symlink(path.join(folder, 'elsewhere'), path.join(frames(), frame('f')));
    const { files } = await findUnusedFrames(frames(), []);
    assert.deepEqual(files.map((file) => path.basename(file)).sort(), ['a', 'b', 'c', 'd'].map(frame));
  });

  it('are none when there is no folder, and unknown when a notebook cannot be read', async () => {
    assert.deepEqual(await findUnusedFrames(path.join(folder, 'none.frames'), []), { files: [], bytes: 0 });
    await mkdir(path.join(folder, 'unreadable.ipynb'));
    await assert.rejects(findUnusedFrames(frames(), []));
  });
});
