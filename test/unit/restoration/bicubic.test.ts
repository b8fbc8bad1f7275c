import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodePicture } from '../../../src/restoration/image/decode';
import { resizeBicubic, scaledSize } from '../../../src/restoration/image/bicubic';
import { createPixels, cropPixels } from '../../../src/restoration/image/pixels';

const root = path.resolve(__dirname, '../../..');
interface Golden {
  source: string;
  /** A whole factor to shrink by, after cutting the sides to multiples of it. */
  shrink?: number;
  enlarge?: number;
  size?: [number, number];
  result: string;
}
const { bicubic } = JSON.parse(readFileSync(path.join(root, 'test/fixtures/metrics-golden.json'), 'utf8')) as {
  bicubic: Golden[];
};

describe("MATLAB's bicubic", () => {
  it('has golden pictures', () => assert.ok(bicubic.length > 0));

  for (const { source, shrink, enlarge, size, result } of bicubic) {
    it(`makes ${path.basename(result)} from ${path.basename(source)} to the last bit`, async () => {
      const picture = (await decodePicture(path.join(root, source))).pixels;
      const multiple = shrink ?? 1;
      const cut = cropPixels(
        picture,
        0,
        0,
        picture.width - (picture.width % multiple),
        picture.height - (picture.height % multiple),
      );
      const scaled = scaledSize(cut, (enlarge ?? 1) / multiple);
      const [width, height] = size ?? [scaled.width, scaled.height];
      const actual = resizeBicubic(cut, width, height);
      const expected = (await decodePicture(path.join(root, result))).pixels;
      assert.deepEqual([actual.width, actual.height], [expected.width, expected.height]);
      assert.equal(Buffer.compare(Buffer.from(actual.data), Buffer.from(expected.data)), 0);
    });
  }

  it('rounds sides up and leaves a flat picture flat', () => {
    const flat = createPixels(67, 41);
    flat.data.fill(77);
    const small = scaledSize(flat, 1 / 4);
    assert.deepEqual(small, { width: 17, height: 11 });
    assert.ok(resizeBicubic(flat, small.width, small.height).data.every((value) => value === 77));
    assert.deepEqual(scaledSize({ width: 240, height: 240 }, 1 / 3), { width: 80, height: 80 });
    assert.ok(resizeBicubic(flat, 201, 123).data.every((value) => value === 77));
  });

  it('refuses sizes and factors that are none', () => {
    for (const factor of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => scaledSize(createPixels(4, 4), factor), RangeError);
    }
    assert.throws(() => resizeBicubic(createPixels(4, 4), 0, 3), RangeError);
    assert.throws(() => resizeBicubic(createPixels(4, 4), 2.5, 3), RangeError);
  });
});
