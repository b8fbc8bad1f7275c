import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError, TASKS, type SampleRequest, type SampleResult } from '../../../src/protocol';
import { readCaptions } from '../../../src/restoration/degradation/captions';
import {
  makeDataSet,
  type DataSetOptions,
  type DataSetSample,
  type DataSetSummary,
} from '../../../src/restoration/degradation/data-set';
import { alongPath } from '../../../src/restoration/degradation/paths';
import { applyCrop, drawCrop } from '../../../src/restoration/degradation/crop';
import { makeSample } from '../../../src/restoration/degradation/make-sample';
import { Draws } from '../../../src/restoration/degradation/random';
import { decodePicture } from '../../../src/restoration/image/decode';
import { createPixels } from '../../../src/restoration/image/pixels';

const fixtures = path.resolve(__dirname, '../../fixtures/pictures');
const quiet = { onProgress: () => undefined };

/** Every file below a folder with its hash. */
async function tree(folder: string): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    result[path.relative(folder, file).replaceAll(path.sep, '/')] = createHash('sha256').update(bytes).digest('hex');
  }
  return result;
}

describe('progression data sets', () => {
  let folder: string;
  let options: Omit<DataSetOptions, 'out'>;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-set-'));
    const photos = path.join(folder, 'photos');
    await mkdir(photos);
    await copyFile(path.join(fixtures, 'patch.png'), path.join(photos, 'a.png'));
    await writeFile(path.join(photos, 'b.png'), 'not a picture');
    await copyFile(path.join(fixtures, 'card.png'), path.join(photos, 'c.png'));
    await copyFile(path.join(fixtures, 'rim-down4.png'), path.join(photos, 'd.png'));
    options = {
      pictures: ['a', 'b', 'c', 'd'].map((name) => ({ name, file: path.join(photos, `${name}.png`) })),
      tasks: TASKS,
      frames: 3,
      seed: 11,
      size: { width: 64, height: 48 },
      perPicture: 1,
      wishes: {},
      clip: true,
      promptsId: 'test',
      promptOf: ({ name }, task) => ({ text: `Restore ${name},\n  ${task}.`, source: 'user' }),
      makeSample: (request, signal) => makeSample(request, quiet, signal),
      signal: new AbortController().signal,
    };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function run(
    out: string,
    change: Partial<DataSetOptions> = {},
  ): Promise<{ summary: DataSetSummary; samples: DataSetSample[] }> {
    const steps = makeDataSet({ ...options, out: path.join(folder, out), ...change });
    const samples: DataSetSample[] = [];
    for (;;) {
      const next = await steps.next();
      if (next.done) return { summary: next.value, samples };
      if (next.value.sample) samples.push(next.value.sample);
    }
  }

  it('hold samples, prompts and failures in the layout of the training scripts', async () => {
    const { summary, samples } = await run('whole');
    assert.deepEqual([summary.count, summary.made, summary.failures.length], [6, 6, 2]);
    assert.match(summary.failures[0]!.error, /b\.png is not a picture/);
    assert.match(summary.failures[1]!.error, /less than half/);
    const out = path.join(folder, 'whole');
    const rows = (await readFile(path.join(out, 'metadata.jsonl'), 'utf8')).trimEnd().split('\n');
    const parsed = rows.map(
      (row) => JSON.parse(row) as { file_name: string; text: string; caption: string; frames: string },
    );
    const prompts = (await readFile(path.join(out, 'prompts.txt'), 'utf8')).trimEnd().split('\n');
    const videos = (await readFile(path.join(out, 'videos.txt'), 'utf8')).trimEnd().split('\n');
    assert.deepEqual([rows.length, prompts.length, videos.length], [6, 6, 6]);
    assert.deepEqual(prompts.slice(0, 2), ['Restore a, super-resolution.', 'Restore a, deblurring.']);
    for (const [i, { file_name, text, caption, frames }] of parsed.entries()) {
      assert.equal(videos[i], file_name);
      assert.equal(prompts[i], text);
      assert.equal(caption, text);
      assert.ok((await readFile(path.join(out, file_name))).includes('avc1'));
      assert.deepEqual((await readdir(path.join(out, frames))).sort(), ['001.png', '002.png', '003.png']);
    }
    const failures = (await readFile(path.join(out, 'failures.jsonl'), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      failures.map((line) => (JSON.parse(line) as { file: string }).file),
      ['b', 'd'],
    );
    assert.match(await readFile(path.join(out, 'README.md'), 'utf8'), /--caption_column prompts\.txt/);
    assert.ok(samples.every(({ resumed }) => !resumed));
  });

  it('can be made again from the parameters alone', async () => {
    const { samples } = await run('whole');
    for (const { source, crop, degradation, severities, frameFiles } of samples) {
      const picture = options.pictures.find(({ name }) => name === source.name)!;
      const x = applyCrop((await decodePicture(picture.file)).pixels, crop);
      let i = 0;
      for await (const frame of alongPath(x, degradation, severities)) {
        assert.deepEqual((await decodePicture(frameFiles[i++]!)).pixels.data, frame.data);
      }
      assert.equal(i, 3);
    }
  });

  it('give every sample again as resumed, and make none', async () => {
    const before = await tree(path.join(folder, 'whole'));
    const { summary, samples } = await run('whole', {
      makeSample: () => Promise.reject(new RestorationError('unreadable-picture', 'Nothing is to be made.', '')),
    });
    assert.deepEqual([summary.count, summary.made], [6, 0]);
    assert.equal(samples.filter(({ resumed }) => resumed).length, 6);
    await run('whole');
    assert.deepEqual(await tree(path.join(folder, 'whole')), before);
  });

  it('are, after any number of breaks, what they are without one', async () => {
    const whole = await tree(path.join(folder, 'whole'));
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ after: fc.nat(3), how: fc.nat(3) }), { minLength: 1, maxLength: 3 }),
        async (breaks) => {
          const out = `broken-${count++}`;
          for (const { after, how } of breaks) {
            const controller = new AbortController();
            let left = after;
            const breaking = async (request: SampleRequest, signal: AbortSignal): Promise<SampleResult> => {
              if (left-- > 0) return makeSample(request, quiet, signal);
              // In the middle of a sample: cancelled, out of disk, half a frame left by a kill, or whole but never committed.
              if (how === 0) controller.abort();
              else if (how === 1) throw new RestorationError('unwritable', 'The disk is full.', '');
              else if (how === 2) await writeFile(path.join(request.folder, '001.png'), 'half a fra');
              else await makeSample(request, quiet, signal);
              throw new RestorationError('internal', 'Killed.', '');
            };
            await assert.rejects(
              run(out, { makeSample: breaking, signal: controller.signal }).then(({ summary }) => {
                // Nothing was left to make: then nothing could break.
                if (summary.made <= after) throw new RestorationError('cancelled', 'Complete.', '');
              }),
            );
          }
          const { summary } = await run(out);
          assert.equal(summary.count, 6);
          assert.deepEqual(await tree(path.join(folder, out)), whole);
          await rm(path.join(folder, out), { recursive: true });
        },
      ),
      { numRuns: 8 },
    );
  });

  it('mend what a kill or a hand has spoiled', async () => {
    const out = path.join(folder, 'spoiled');
    await run('spoiled');
    await rm(path.join(out, 'frames', '000001'), { recursive: true });
    await rm(path.join(out, 'videos', '000006.mp4'));
    await writeFile(path.join(out, 'samples', '000002.json'), '{"sample": 2, "ta');
    await writeFile(path.join(out, 'metadata.jsonl'), '{"file_name": "vid');
    await mkdir(path.join(out, '.unfinished-000009'));
    await writeFile(path.join(out, '.prompts.txt.part'), 'half');
    const { summary } = await run('spoiled');
    assert.deepEqual([summary.count, summary.made], [6, 3]);
    assert.deepEqual(await tree(out), await tree(path.join(folder, 'whole')));
  });

  it('go on with more pictures when the limit is raised', async () => {
    const { summary } = await run('limited', { limit: 1 });
    assert.equal(summary.count, 3);
    await run('limited');
    assert.deepEqual(await tree(path.join(folder, 'limited')), await tree(path.join(folder, 'whole')));
  });

  it('do without clips', async () => {
    await run('frames-only', { clip: false, tasks: ['low-light'] });
    const names = await readdir(path.join(folder, 'frames-only'));
    for (const name of ['videos', 'videos.txt', 'prompts.txt']) assert.ok(!names.includes(name));
  });

  const refused: [string, Partial<DataSetOptions>, RegExp][] = [
    ['another seed', { seed: 12 }, /seed is 11, not 12/],
    ['other frames', { frames: 5 }, /frames is 3, not 5/],
    ['another task', { tasks: ['low-light'] }, /tasks is/],
    ['other prompts', { promptsId: 'else' }, /prompts is "test", not "else"/],
    ['fixed parameters', { wishes: { gain: 0.1 } }, /wishes is/],
  ];
  for (const [what, change, message] of refused) {
    it(`are not continued with ${what}`, async () => {
      const before = await tree(path.join(folder, 'whole'));
      await assert.rejects(run('whole', change), { code: 'bad-argument', problem: message });
      assert.deepEqual(await tree(path.join(folder, 'whole')), before);
    });
  }

  it('are not continued with other pictures, nor written over something else', async () => {
    await assert.rejects(run('whole', { pictures: options.pictures.slice(1) }), { problem: /pictures is/ });
    await assert.rejects(run('photos'), { problem: /is not empty and holds no data set/ });
    await mkdir(path.join(folder, 'odd'));
    await writeFile(path.join(folder, 'odd', 'data-set.json'), '[]');
    await assert.rejects(run('odd'), { problem: /not that of a progression data set/ });
    await assert.rejects(run('photos/a.png'), { code: 'unwritable' });
  });

  it('refuse an empty prompt', async () => {
    await assert.rejects(run('mute', { promptOf: () => ({ text: ' \n', source: 'user' }) }), {
      problem: /prompt for a is empty/,
    });
  });

  it('have parts of pictures of the size asked for', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 16, max: 90 }),
        fc.integer({ min: 16, max: 90 }),
        (seed, width, height) => {
          const picture = createPixels(width, height);
          for (let i = 0; i < picture.data.length; i++) picture.data[i] = i;
          const crop = drawCrop(new Draws(seed, 0), picture, { width: 32, height: 16 });
          assert.ok(crop.shrink >= 1 && crop.x >= 0 && crop.y >= 0);
          const part = applyCrop(picture, crop);
          assert.deepEqual([part.width, part.height, part.data.length], [32, 16, 32 * 16 * 3]);
        },
      ),
    );
    assert.throws(() => drawCrop(new Draws(0, 0), { width: 15, height: 90 }, { width: 32, height: 16 }), {
      code: 'size-mismatch',
    });
  });

  it('find descriptions by path and by name, and say which line is wrong', async () => {
    const list = path.join(folder, 'captions.jsonl');
    await writeFile(
      list,
      '{"file":"photos/a.png","scene":"A cat."}\r\n\n{"file":"x/e.png","scene":"One."}\n{"file":"y/e.png","scene":"Two."}\n{"file":"z/f.png","scene":"Three."}',
    );
    const captions = await readCaptions(list);
    assert.equal(captions.count, 4);
    assert.equal(captions.of(path.join(folder, 'photos', 'a.png')), 'A cat.');
    assert.equal(captions.of('/elsewhere/f.png'), 'Three.');
    assert.equal(captions.of('/elsewhere/e.png'), undefined, 'two of that name');
    assert.equal(captions.of('/elsewhere/none.png'), undefined);
    for (const line of ['nonsense', '[]', '{"file":"a"}', '{"file":1,"scene":"x"}', '{"file":"","scene":"x"}']) {
      await writeFile(list, `{"file":"a.png","scene":"x"}\n${line}\n`);
      await assert.rejects(readCaptions(list), { code: 'bad-argument', problem: /^Line 2 of/ });
    }
    await assert.rejects(readCaptions(path.join(folder, 'nowhere.jsonl')), { code: 'missing-file' });
  });
});
