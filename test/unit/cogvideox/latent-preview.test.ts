import assert from 'node:assert/strict';
import { latentOf, roughFrame } from '../../../src/restoration/cogvideox/latent-preview';
import { FIXTURES, json } from './fixtures';
import type { CogVideoXManifest } from '../../../src/restoration/models/manifest';

describe('colours of latents without the decoder', () => {
  it('takes the first latent frame for the first frame, and each other one for four', () => {
    assert.deepEqual(
      Array.from({ length: 17 }, (_, frame) => latentOf(frame)),
      [0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4],
    );
  });

  it('weighs the channels of the latent that a frame comes from, and adds the constant', () => {
    // [2 channels, 3 latent frames, 1, 4]: the right half of the last latent frame differs.
    const halves = (left: number, right = left): number[] => [left, left, right, right];
    const first = [halves(0), halves(0.5), halves(1, -1)];
    const second = [halves(0), halves(-0.25), halves(0.5)];
    const data = Float32Array.from([...first, ...second].flat());
    const latents = { count: 6, height: 1, width: 4, data };
    const colours = { red: [1, 0, 0], green: [0.5, 1, 0.25], blue: [0, 0, -3] };
    const levels = (value: number): number => Math.floor(Math.min(1, Math.max(0, (value + 1) / 2)) * 255 + 0.5);
    for (const [frame, left, right] of [
      [0, [0, 0.25, -1], [0, 0.25, -1]],
      [1, [0.5, 0.25, -1], [0.5, 0.25, -1]],
      [4, [0.5, 0.25, -1], [0.5, 0.25, -1]],
      [8, [1, 1, -1], [-1, 0.25, -1]],
    ] as const) {
      const picture = roughFrame(latents, colours, frame, 8);
      assert.deepEqual([picture.width, picture.height], [32, 8]);
      for (const row of [0, 7]) {
        const at = row * 32 * 3;
        assert.deepEqual([...picture.data.slice(at, at + 3)], left.map(levels), `frame ${frame}, left`);
        assert.deepEqual([...picture.data.slice(at + 93, at + 96)], right.map(levels), `frame ${frame}, right`);
      }
    }
  });

  it('has weights in every model that the recipe exports', () => {
    for (const variant of ['2b', '5b-i2v', '1.5-5b-i2v-17']) {
      const { vae } = json<CogVideoXManifest>(variant, 'manifest.json');
      assert.equal(vae.preview?.green.length, vae.channels + 1, `${FIXTURES}/${variant}`);
    }
  });
});
