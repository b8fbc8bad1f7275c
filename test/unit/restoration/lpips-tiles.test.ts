import assert from 'node:assert/strict';
import path from 'node:path';
import { decodePicture } from '../../../src/restoration/image/decode';
import { resizeBicubic } from '../../../src/restoration/image/bicubic';
import { createPixels, type Pixels } from '../../../src/restoration/image/pixels';
import { Lpips, lpipsTiles } from '../../../src/restoration/metrics/lpips';

const source = path.resolve(__dirname, '../../../notebooks/pictures/coffee.png');

describe('LPIPS in tiles', () => {
  let lpips: Lpips;
  before(async () => {
    lpips = await Lpips.load('cpu');
  });
  after(() => lpips.release());

  async function pair(width: number, height: number): Promise<[Pixels, Pixels]> {
    const reference = resizeBicubic((await decodePicture(source)).pixels, width, height);
    const frame = createPixels(width, height);
    // Wrong in a way that differs from place to place, so that a place that counts twice or not at all is noticed.
    for (let i = 0; i < frame.data.length; i++) {
      const at = Math.floor(i / 3);
      const amount = ((at % width) + 2 * Math.floor(at / width)) / (width + 2 * height);
      frame.data[i] = (reference.data[i] as number) * (1 - amount) + ((i * 7919) % 256) * amount;
    }
    return [frame, reference];
  }

  for (const [width, height, tile] of [
    [303, 290, 256],
    [200, 417, 272],
  ] as const) {
    it(`is the same number as in one piece: ${width}x${height} in tiles of ${tile}`, async () => {
      const [frame, reference] = await pair(width, height);
      assert.ok(lpipsTiles(reference, tile).length > 1);
      const whole = await (await lpips.prepare(reference))(frame);
      const tiled = await (await lpips.prepare(reference, tile))(frame);
      assert.ok(whole > 0.05);
      assert.ok(Math.abs(whole - tiled) < 1e-6, `${tiled} instead of ${whole}`);
      assert.ok((await (await lpips.prepare(reference, tile))(reference)) < 1e-9);
    });
  }

  it('covers every cell once and stays within the longest side', () => {
    for (const length of [257, 300, 512, 1000, 1281]) {
      const tiles = lpipsTiles({ width: length, height: 100 }, 256);
      let next = 0;
      for (const { input, cells } of tiles) {
        assert.ok(input.width <= 256 + 15 && input.x + input.width <= length);
        assert.equal(input.x % 16, 0);
        assert.equal(input.x / 16 + cells.x.from, next);
        next = input.x / 16 + cells.x.to;
      }
      assert.equal(next, Math.floor(length / 16));
      assert.ok(tiles.at(-1)?.cells.x.last);
    }
  });
});
