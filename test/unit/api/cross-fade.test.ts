import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, crossFade, restore, shutdown } from '../../../src/api';

const FIXTURES = path.resolve(__dirname, '..', '..', 'fixtures', 'pictures');
const DARK = path.join(FIXTURES, 'patch-dark.png');
const REFERENCE = path.join(FIXTURES, 'patch.png');

describe('cross-fade', () => {
  let temporary: string;
  before(async () => {
    temporary = await mkdtemp(path.join(os.tmpdir(), 'pir-fade-'));
  });
  after(async () => {
    await shutdown();
    await rm(temporary, { recursive: true, force: true });
  });

  it('has the ends of the restoration, and between them nothing but a fade', async () => {
    const options = { task: 'low-light', frames: 3 } as const;
    const run = await restore(DARK, options);
    const { TMPDIR, TEMP } = process.env;
    Object.assign(process.env, { TMPDIR: temporary, TEMP: temporary });
    const fade = await crossFade(DARK, { ...options, reference: REFERENCE });
    for (const [name, value] of Object.entries({ TMPDIR, TEMP })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    const [first, middle, last] = await Promise.all(fade.frames.map((frame) => frame.image));
    assert.deepEqual(first, await run.frames[0]!.image);
    assert.deepEqual(last, await run.frames[2]!.image);
    middle!.data.forEach((value, i) => {
      assert.equal(value, Math.floor((first.data[i]! + last.data[i]!) / 2 + 0.5));
    });
    assert.deepEqual([fade.record.task, fade.record.protocol?.name], ['low-light', 'rgb']);
    assert.match(fade.record.model.id, /cross-fade/);
    assert.equal(fade.metrics.psnr.length, 3);
    assert.equal(fade.metrics.lpips.length, 3);
    const left = (await readdir(temporary)).filter((name) => name.startsWith('progressive-restoration-fade-'));
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  it('refuses as many frames as a restoration does', async () => {
    for (const frames of [1, 258, 2.5]) {
      await assert.rejects(
        crossFade(DARK, { task: 'low-light', frames }),
        (error) => error instanceof RestorationError && error.code === 'bad-argument' && /2 to 257/.test(error.message),
      );
    }
  });

  it('says what is wrong in the words of restore', async () => {
    await assert.rejects(
      crossFade(path.join(FIXTURES, 'none.png'), { task: 'low-light' }),
      (error) => error instanceof RestorationError && error.code === 'missing-file',
    );
  });
});
