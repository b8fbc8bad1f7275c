import assert from 'node:assert/strict';
import { RestorationError } from '../../../src/protocol';
import { planMemory, type Part } from '../../../src/restoration/cogvideox/memory-plan';
import type { CogVideoXSettings } from '../../../src/restoration/models/cogvideox-manifest';

const GB = 1e9;

/** 5B-I2V as it is published. */
const settings: CogVideoXSettings = {
  frames: 9,
  canvas: { width: 720, height: 480, fixed: true },
  resize: 'pad',
  text: { length: 226, width: 4096 },
  transformer: {
    variant: '5b-i2v',
    layers: 42,
    heads: 48,
    headDim: 64,
    inChannels: 32,
    outChannels: 16,
    patch: 2,
    patchT: 1,
    positions: 'rope+learned',
    ropeGrid: 'resize-crop',
    ropeBase: { height: 30, width: 45 },
    ofs: false,
  },
  vae: {
    channels: 16,
    scale: 0.7,
    invertImageScale: false,
    tile: { height: 240, width: 360, overlapHeight: 1 / 6, overlapWidth: 1 / 5 },
    fullChannels: 128,
  },
  scheduler: { kind: 'ddim', snrShift: 1, steps: 50 },
  guidance: { kind: 'fixed', scale: 6 },
  precision: 'fp16',
};
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

  it('counts half precision three times on a CPU, where it is widened', () => {
    const { parts } = planMemory(model, canvas, 'cpu', { host: 400 * GB, gpu: undefined });
    const transformer = parts.find(({ part }) => part === 'transformer');
    assert.equal(Math.round((transformer?.weights ?? 0) / GB), 34);
    assert.throws(() => planMemory(model, canvas, 'cpu', { host: 16 * GB, gpu: undefined }), /on the cpu/);
  });
});
