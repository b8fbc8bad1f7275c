import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { decodePicture } from '../../../src/restoration/image/decode';
import { cropPixels } from '../../../src/restoration/image/pixels';
import { shrink } from '../../../src/restoration/degradation/resolution';
import { listPictures } from '../../../src/restoration/evaluation/list-pictures';

const fixtures = path.resolve(__dirname, '../../fixtures/pictures');
const SCALE = 4;
/** Pixels of the small picture at each side that padding may have touched. */
const BORDER = 3;

/**
 * With PROGRESSIVE_RESTORATION_SR_SETS naming a folder that holds Set5/{input,reference} and the like (they may not be
 * distributed), the small pictures that everybody compares on are made again from the sharp ones.
 */
const sets = process.env.PROGRESSIVE_RESTORATION_SR_SETS;

describe("MATLAB's bicubic on standard test sets", () => {
  it('makes the golden picture of the fixtures', async () => {
    const picture = (await decodePicture(path.join(fixtures, 'rim.png'))).pixels;
    const cut = cropPixels(
      picture,
      0,
      0,
      picture.width - (picture.width % SCALE),
      picture.height - (picture.height % SCALE),
    );
    const expected = (await decodePicture(path.join(fixtures, 'rim-down4.png'))).pixels;
    assert.deepEqual(shrink(cut, SCALE), expected);
  });

  if (sets === undefined) return;
  for (const name of ['Set5', 'Set14', 'BSD100'].filter((set) => existsSync(path.join(sets, set)))) {
    it(`${name}: the same small pictures, bit for bit inside`, async () => {
      const inputs = new Map((await listPictures(path.join(sets, name, 'input'))).map((p) => [p.name, p.file]));
      let pictures = 0;
      let samples = 0;
      let unequal = 0;
      let unequalAtBorder = 0;
      for (const { name: picture, file } of await listPictures(path.join(sets, name, 'reference'))) {
        const reference = (await decodePicture(file)).pixels;
        const expected = (await decodePicture(inputs.get(picture)!)).pixels;
        const cut = cropPixels(
          reference,
          0,
          0,
          reference.width - (reference.width % SCALE),
          reference.height - (reference.height % SCALE),
        );
        const actual = shrink(cut, SCALE);
        assert.deepEqual([actual.width, actual.height], [expected.width, expected.height], picture);
        for (let y = 0; y < actual.height; y++) {
          for (let x = 0; x < actual.width; x++) {
            const inside = Math.min(x, y, actual.width - 1 - x, actual.height - 1 - y) >= BORDER;
            for (let c = 0; c < 3; c++) {
              const i = (y * actual.width + x) * 3 + c;
              if (inside) samples++;
              if (actual.data[i] === expected.data[i]) continue;
              if (inside) unequal++;
              else unequalAtBorder++;
            }
          }
        }
        pictures++;
      }
      console.log(
        `      ${pictures} pictures, ${unequal} of ${samples} samples inside differ, ${unequalAtBorder} at the border`,
      );
      assert.ok(pictures > 0);
      assert.equal(unequal, 0);
    });
  }
});
