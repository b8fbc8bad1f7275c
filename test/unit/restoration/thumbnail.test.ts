import assert from 'node:assert/strict';
import { createPixels } from '../../../src/restoration/image/pixels';
import { areaThumbnail } from '../../../src/restoration/image/thumbnail';

describe('area thumbnail', () => {
  it('averages exactly, with fractional coverage', () => {
    // 3x1 onto 2 cells: the middle pixel belongs half to each.
    const picture = createPixels(3, 1);
    picture.data.set([0, 0, 0, 30, 60, 90, 255, 255, 255]);
    const two = areaThumbnail(picture, 2);
    const cells = [...two].map((v) => v * 255);
    const left = [(0 + 15) / 1.5, (0 + 30) / 1.5, (0 + 45) / 1.5];
    const right = [(15 + 255) / 1.5, (30 + 255) / 1.5, (45 + 255) / 1.5];
    left.forEach((value, c) => assert.ok(Math.abs((cells[c * 4] as number) - value) < 1e-4));
    right.forEach((value, c) => assert.ok(Math.abs((cells[c * 4 + 1] as number) - value) < 1e-4));
  });

  it('keeps the mean of any picture', () => {
    const picture = createPixels(131, 77);
    for (let i = 0; i < picture.data.length; i++) picture.data[i] = (i * 7919) % 256;
    const thumbnail = areaThumbnail(picture, 64);
    const mean = picture.data.reduce((a, b) => a + b, 0) / picture.data.length / 255;
    const cells = thumbnail.reduce((a, b) => a + b, 0) / thumbnail.length;
    assert.ok(Math.abs(mean - cells) < 1e-5);
  });
});
