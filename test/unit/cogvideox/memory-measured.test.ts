import assert from 'node:assert/strict';
import { partMemories, type Part } from '../../../src/restoration/cogvideox/memory-plan';
import { json } from './fixtures';
import { settings } from './memory-plan.settings';

/** What models/recipes/cogvideox/memory.py measured, in bytes: of the files, and of a process that loaded and ran them. */
interface Row {
  part: 'transformer' | 'vae_encoder' | 'vae_decoder';
  heads?: number;
  channels?: number;
  precision?: 'fp16' | 'fp32';
  height: number;
  width: number;
  files: number;
  /** Most above the start while it loaded, what it held then, and most above that while it ran. */
  load: number;
  held: number;
  run: number;
}

/** A process with onnxruntime in it, which no plan counts: what is free is asked when it already runs. */
const RUNTIME = 40e6;

/** What a process takes more or less from one start to the next. */
const NOISE = 25e6;

describe('memory plan against measurements on the CPU', () => {
  for (const row of json<Row[]>('memory.json')) {
    const { part, heads, channels, precision = 'fp32', width, height, files } = row;
    const what = `${part} of ${heads ? `${heads} heads, ${precision}` : `${channels} channels`}`;
    it(`is near the peak of ${what} at ${width}x${height}`, () => {
      const own = {
        ...settings,
        precision,
        transformer: { ...settings.transformer, heads: heads ?? 48 },
        vae: { ...settings.vae, fullChannels: channels ?? 128 },
      };
      const weights = new Map<Part, number>([[part, files]]);
      const [planned] = partMemories(own, weights, { width, height }, 'cpu', false);
      assert.ok(planned);
      const estimate = planned.weights + planned.activations;
      const measured = Math.max(row.load, row.held + row.run) - RUNTIME;
      const ratio = estimate / measured;
      const near = (ratio > 0.85 && ratio < 2) || Math.abs(estimate - measured) < NOISE;
      assert.ok(near, `${(estimate / 1e6).toFixed(0)} MB planned, ${ratio.toFixed(2)} of measured`);
    });
  }
});
