import assert from 'node:assert/strict';
import { RestorationError } from '../../../src/protocol';
import { planMemory, type Part } from '../../../src/restoration/cogvideox/memory-plan';
import { settings } from './memory-plan.settings';

const GB = 1e9;

const weights = new Map<Part, number>([
  ['vae_encoder', 0.4 * GB],
  ['transformer', 11.3 * GB],
  ['vae_decoder', 0.5 * GB],
]);
const model = { id: 'cogvideox-5b-i2v', settings, weights };
const canvas = { width: 720, height: 480 };

describe('memory plan', () => {
  it('takes everything at once where there is room, and less where there is not', () => {
    const plan = (gpu: number | undefined) => planMemory(model, canvas, 'cuda', { host: 64 * GB, gpu });
    const ample = plan(80 * GB);
    assert.deepEqual([ample.tiled, ample.sequential], [false, false]);
    let before = ample.peak;
    const seen = new Set<string>();
    for (let gpu = 80 * GB; gpu > 5 * GB; gpu -= GB / 4) {
      try {
        const { tiled, sequential, peak } = plan(gpu);
        assert.ok(peak <= gpu * 0.9 && peak <= before);
        before = peak;
        seen.add(`${tiled} ${sequential}`);
      } catch (error) {
        assert.ok(error instanceof RestorationError && error.code === 'device-unavailable');
        assert.match(error.message, /cogvideox-5b-i2v does not fit.*GB are free.*Close other programs/s);
        seen.add('refused');
      }
    }
    assert.ok(seen.has('refused') && seen.has('true false'), [...seen].join(', '));
  });

  it('is frugal on a GPU that does not tell its memory', () => {
    const plan = planMemory(model, canvas, 'webgpu', { host: 64 * GB, gpu: undefined });
    assert.deepEqual([plan.tiled, plan.sequential], [true, false]);
  });

  it('refuses a GPU’s weights that do not pass through the machine', () => {
    assert.throws(
      () => planMemory(model, canvas, 'cuda', { host: 8 * GB, gpu: 80 * GB }),
      /takes 11 GB of the machine's memory; 8\.0 GB are free/,
    );
  });

  it('counts half precision four times on a CPU, where it is copied and widened', () => {
    const { parts } = planMemory(model, canvas, 'cpu', { host: 400 * GB, gpu: undefined });
    const transformer = parts.find(({ part }) => part === 'transformer');
    assert.equal(Math.round((transformer?.weights ?? 0) / GB), 47);
    assert.throws(() => planMemory(model, canvas, 'cpu', { host: 16 * GB, gpu: undefined }), /on the cpu/);
  });
});
