import assert from 'node:assert/strict';
import { RunQueue } from '../../../src/inference/queue';

describe('run queue', () => {
  it('runs one job at a time, interactive before batch, in order', async () => {
    const queue = new RunQueue();
    const order: string[] = [];
    let running = 0;
    const job = (name: string) => async (): Promise<void> => {
      assert.equal(++running, 1, 'two jobs at once');
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      order.push(name);
    };
    const finished = new Promise<void>((resolve) => {
      queue.add('batch', job('first'));
      queue.add('batch', job('batch 1'));
      queue.add('interactive', job('interactive 1'));
      queue.add('batch', job('batch 2'));
      queue.add('interactive', job('interactive 2'));
      queue.add('batch', async () => resolve());
    });
    assert.equal(queue.length, 5);
    await finished;
    assert.deepEqual(order, ['first', 'interactive 1', 'interactive 2', 'batch 1', 'batch 2']);
  });
});
