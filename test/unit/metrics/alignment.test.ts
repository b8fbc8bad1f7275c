import assert from 'node:assert/strict';
import { alignmentOf } from '../../../src/restoration/metrics/alignment';
import { cropToRegion } from '../../../src/measure';
import { decode } from '../measure/pictures';

describe('misalignment warning', () => {
  for (const [picture, reference] of [
    ['notebooks/pictures/cat-blurred.png', 'notebooks/pictures/cat.png'],
    ['notebooks/pictures/astronaut-dark.png', 'notebooks/pictures/astronaut.png'],
    ['test/fixtures/pictures/coffee-bicubic.png', 'notebooks/pictures/coffee.png'],
    ['test/fixtures/pictures/patch-jpeg.png', 'test/fixtures/pictures/patch.png'],
    ['test/fixtures/pictures/patch-noisy.png', 'test/fixtures/pictures/patch.png'],
    ['test/fixtures/pictures/patch-dark.png', 'test/fixtures/pictures/patch.png'],
    ['test/fixtures/pictures/patch-other.png', 'test/fixtures/pictures/patch.png'],
    ['test/fixtures/pictures/rim-down4-up4.png', 'test/fixtures/pictures/rim-multiple.png'],
  ] as const) {
    it(`is not raised for ${picture}`, async () => {
      assert.equal(alignmentOf(await decode(picture), await decode(reference))?.warning, undefined);
    });
  }

  it('is raised for a shift, with its sides, also of a degraded picture', async () => {
    const reference = await decode('notebooks/pictures/astronaut.png');
    const inner = { x: 10, y: 10, width: 300, height: 260 };
    for (const file of ['notebooks/pictures/astronaut.png', 'notebooks/pictures/astronaut-dark.png']) {
      const moved = cropToRegion(await decode(file), { ...inner, x: inner.x - 2, y: inner.y + 1 });
      const found = alignmentOf(moved, cropToRegion(reference, inner));
      assert.ok(found && Math.abs(found.dx - 2) < 0.1 && Math.abs(found.dy + 1) < 0.1, JSON.stringify(found));
      assert.match(
        found.warning ?? '',
        /2\.\d\d pixels right of and 1\.\d\d pixels above its reference|1\.9\d pixels right/,
      );
    }
  });

  it('says nothing of pictures too small to tell', async () => {
    const card = cropToRegion(await decode('test/fixtures/pictures/card.png'), { x: 0, y: 0, width: 31, height: 31 });
    assert.equal(alignmentOf(card, card), undefined);
  });
});
