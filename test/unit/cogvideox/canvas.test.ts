import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseCanvas, offCanvas, ontoCanvas, placePicture } from '../../../src/restoration/cogvideox/canvas';
import { createPixels, toSixteenBits, type Pixels } from '../../../src/restoration/image/pixels';

function picture(width: number, height: number): Pixels {
  const pixels = createPixels(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.data.set([(x * 5) % 256, (y * 7) % 256, (x + y) % 256], (y * width + x) * 3);
    }
  }
  return pixels;
}

const side = fc.integer({ min: 1, max: 90 });

describe('canvas of a video model', () => {
  it('is the model’s own where it is fixed, and has the picture’s shape where it is free', () => {
    const settings = { width: 720, height: 480, fixed: true };
    assert.deepEqual(chooseCanvas({ width: 10, height: 1000 }, settings, 16), { width: 720, height: 480 });
    const free = { ...settings, fixed: false };
    assert.deepEqual(chooseCanvas({ width: 1500, height: 1000 }, free, 16), { width: 720, height: 480 });
    assert.deepEqual(chooseCanvas({ width: 1000, height: 1500 }, free, 16), { width: 480, height: 720 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 }), (width, height) => {
        const canvas = chooseCanvas({ width, height }, free, 16);
        assert.ok(canvas.width % 16 === 0 && canvas.height % 16 === 0);
        const area = (canvas.width * canvas.height) / (720 * 480);
        assert.ok(area > 0.85 && area < 1.15, `${width}x${height}: ${canvas.width}x${canvas.height}`);
      }),
      { seed: 1 },
    );
  });

  it('keeps the aspect ratio and the whole picture when it pads', () => {
    fc.assert(
      fc.property(side, side, side, side, (w, h, cw, ch) => {
        const { inner, left, top } = placePicture({ width: w, height: h }, { width: cw, height: ch }, 'pad');
        assert.ok(inner.width <= cw && inner.height <= ch && left >= 0 && top >= 0);
        assert.ok(inner.width === cw || inner.height === ch);
        const scale = Math.min(cw / w, ch / h);
        assert.ok(Math.abs(inner.width - w * scale) <= 1 && Math.abs(inner.height - h * scale) <= 1);
      }),
      { seed: 2 },
    );
  });

  it('gives a picture back that nothing was done to', () => {
    for (const [w, h, cw, ch] of [
      [48, 32, 48, 32],
      [20, 32, 48, 32],
      [48, 11, 48, 32],
    ] as const) {
      const source = picture(w, h);
      const placement = placePicture(source, { width: cw, height: ch }, 'pad');
      const canvas = ontoCanvas(source, placement);
      assert.deepEqual([canvas.width, canvas.height], [cw, ch]);
      assert.deepEqual(offCanvas(canvas, source, placement), source);
      const deep = toSixteenBits(source);
      assert.deepEqual(offCanvas(ontoCanvas(deep, placement), deep, placement), deep);
    }
  });

  it('mirrors the picture beyond its border', () => {
    const source = picture(4, 2);
    const placement = placePicture(source, { width: 12, height: 2 }, 'pad');
    const canvas = ontoCanvas(source, placement);
    const reds = Array.from({ length: 12 }, (_, x) => canvas.data[x * 3]);
    assert.deepEqual(reds, [15, 10, 5, 0, 0, 5, 10, 15, 15, 10, 5, 0]);
  });

  it('leaves what a crop cuts off as it came', () => {
    const source = picture(60, 32);
    const placement = placePicture(source, { width: 48, height: 32 }, 'crop');
    assert.deepEqual(placement.inner, { width: 60, height: 32 });
    const canvas = ontoCanvas(source, placement);
    const frame = { ...canvas, data: canvas.data.map(() => 200) } as Pixels;
    const result = offCanvas(frame, source, placement);
    assert.deepEqual([result.width, result.height], [60, 32]);
    for (let x = 0; x < 60; x++) {
      const expected = x >= 6 && x < 54 ? 200 : source.data[x * 3];
      assert.equal(result.data[x * 3], expected, `column ${x}`);
    }
    assert.deepEqual(source, picture(60, 32), 'the picture is not written to');
  });
});
