import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { findModel } from '../../../src/restoration/models/manifest';
import { Network } from '../../../src/restoration/models/sessions';
import { composePrompt } from '../../../src/restoration/prompts/compose';
import { promptFeatures } from '../../../src/restoration/prompts/features';

const golden = JSON.parse(readFileSync(path.resolve(__dirname, '../../fixtures/text-encoder.json'), 'utf8')) as {
  text: string;
  ids: number[];
  prompt: number[];
  task: number[];
}[];

describe('prompts', () => {
  it('hash to the ids of the recipe, and the encoder gives its vectors', async () => {
    const model = await findModel('compact');
    assert.ok(model.manifest.kind === 'trajectory');
    const encoder = await Network.load(model, 'text', 'cpu');
    assert.ok(golden.length >= 10);
    for (const { text, ids, prompt, task } of golden) {
      const actual = promptFeatures(text, model.manifest.prompt);
      assert.deepEqual(actual, ids, text);
      const outputs = await encoder.run({
        ids: { type: 'int64', data: BigInt64Array.from(actual, BigInt), dims: [1, actual.length] },
      });
      prompt.forEach((value, i) => assert.ok(Math.abs((outputs.prompt?.data[i] as number) - value) < 1e-3, text));
      task.forEach((value, i) => assert.ok(Math.abs((outputs.task?.data[i] as number) - value) < 1e-3, text));
    }
    await encoder.release();
  });

  it('give ids inside the table for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
        const ids = promptFeatures(text, { buckets: 128, maximumIds: 50 });
        assert.ok(ids.length >= 1 && ids.length <= 50);
        assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 128));
      }),
      { seed: 3 },
    );
  });

  it('are the uniform sentence, or that sentence and the scene', () => {
    assert.deepEqual(composePrompt('Sharpen it.', undefined), { text: 'Sharpen it.', source: 'uniform' });
    assert.deepEqual(composePrompt('Sharpen it.', '  '), { text: 'Sharpen it.', source: 'uniform' });
    assert.deepEqual(composePrompt('Sharpen it.', 'a cat'), { text: 'Sharpen it. a cat', source: 'user' });
    assert.deepEqual(composePrompt('Sharpen it.', 'Sharpen it. a cat').text, 'Sharpen it. a cat');
  });
});
