import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, evaluate, shutdown, type EvaluateOptions } from '../../../src/api';

const FIXTURES = path.resolve(__dirname, '..', '..', 'fixtures', 'pictures');
const SCENE = 'A bright card with letters and a red square.';

describe('evaluate with a scene prompt a picture', () => {
  let folder: string;
  const options = { task: 'low-light', frames: 2, metrics: ['psnr'] } satisfies EvaluateOptions;
  const set = (): string => path.join(folder, 'set');

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-captions-'));
    for (const part of ['input', 'reference']) await mkdir(path.join(set(), part), { recursive: true });
    for (const scene of ['card', 'patch']) {
      await copyFile(path.join(FIXTURES, `${scene}-dark.png`), path.join(set(), 'input', `${scene}.png`));
      await copyFile(path.join(FIXTURES, `${scene}.png`), path.join(set(), 'reference', `${scene}.png`));
    }
    await writeFile(path.join(folder, 'captions.jsonl'), `${JSON.stringify({ file: 'card.png', scene: SCENE })}\n`);
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  const isBadArgument = (pattern: RegExp) => (error: unknown) =>
    error instanceof RestorationError && error.code === 'bad-argument' && pattern.test(error.message);

  it('gives each picture its own, and the uniform sentence to those without', async () => {
    const captions = path.join(folder, 'captions.jsonl');
    const uniform = await evaluate(set(), options);
    const same = await evaluate(set(), { ...options, prompt: SCENE });
    const own = await evaluate(set(), { ...options, captions });
    assert.equal(own.prompts, 'captions');
    assert.deepEqual(own.items[0], same.items[0], 'card: the scene');
    assert.deepEqual(own.items[1], uniform.items[1], 'patch: the uniform sentence');
    assert.notDeepEqual(own.items[0], uniform.items[0], 'the words act');
    const asked: string[] = [];
    const byFunction = await evaluate(set(), {
      ...options,
      captions: ({ name, reference }) => {
        asked.push(path.relative(set(), reference));
        return name === 'card' ? SCENE : undefined;
      },
    });
    assert.deepEqual(byFunction.items, own.items);
    assert.deepEqual([...new Set(asked)], [path.join('reference', 'card.png'), path.join('reference', 'patch.png')]);
  });

  it('does not mix rows of other captions', async () => {
    const out = path.join(folder, 'out');
    await evaluate(set(), { ...options, out, captions: () => SCENE });
    await assert.rejects(
      evaluate(set(), { ...options, out, resume: true, captions: ({ name }) => `${SCENE} ${name}` }),
      RestorationError,
    );
    const again = await evaluate(set(), { ...options, out, resume: true, captions: () => SCENE });
    assert.equal(again.count, 2);
  });

  it('refuses captions beside a prompt, and captions that are none', async () => {
    await assert.rejects(
      evaluate(set(), { ...options, prompt: SCENE, captions: () => SCENE }),
      isBadArgument(/Both one prompt for all pictures and captions/),
    );
    await assert.rejects(evaluate(set(), { ...options, captions: 3 as never }), isBadArgument(/cannot be a number/));
    await assert.rejects(
      evaluate(set(), { ...options, captions: path.join(folder, 'none.jsonl') }),
      (error) => error instanceof RestorationError && error.code === 'missing-file',
    );
  });
});
