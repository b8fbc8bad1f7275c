import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isDegradation, type Degradation, type DegradationWishes } from '../../../src/protocol';
import { drawDegradation, type Frame } from '../../../src/restoration/degradation/draw';
import { alongPath } from '../../../src/restoration/degradation/paths';
import { Draws } from '../../../src/restoration/degradation/random';
import { decodePicture } from '../../../src/restoration/image/decode';
import { cropPixels, type Pixels } from '../../../src/restoration/image/pixels';

const root = path.resolve(__dirname, '../../..');
const folder = path.join(root, 'test/fixtures/degradation');

interface Case {
  name: string;
  source: string;
  partner?: string;
  severities: number[];
  degradation: Degradation;
  seed?: number;
  stream?: number;
  wishes?: DegradationWishes;
  scales?: 'mixed';
  frame?: Frame;
}
const cases = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8')) as Case[];

async function read(file: string): Promise<Pixels> {
  return (await decodePicture(path.join(root, file))).pixels;
}

describe('degradations against the Python reference', () => {
  it('cover every kind', () => {
    const kinds = cases.map(({ degradation: d }) =>
      d.task === 'deblurring' ? d.blur.kind : d.task === 'low-light' ? d.light.kind : d.task,
    );
    assert.deepEqual(new Set(kinds), new Set(['super-resolution', 'motion', 'shake', 'defocus', 'gain', 'pair']));
  });

  for (const { name, source, partner, severities, degradation, ...drawn } of cases) {
    it(`${name}: the same pixels within one level`, async () => {
      assert.ok(isDegradation(degradation));
      const x = await read(source);
      const golden = await read(`test/fixtures/degradation/${name}.png`);
      assert.deepEqual([golden.width, golden.height], [x.width, x.height * severities.length]);
      const options = partner === undefined ? {} : { partner: await read(partner) };
      let row = 0;
      let unequal = 0;
      for await (const frame of alongPath(x, degradation, severities, options)) {
        const expected = cropPixels(golden, 0, row * x.height, x.width, x.height);
        for (let i = 0; i < frame.data.length; i++) {
          const difference = Math.abs(frame.data[i]! - expected.data[i]!);
          assert.ok(difference <= 1, `severity ${severities[row]}, sample ${i}: off by ${difference}`);
          if (difference > 0) unequal++;
        }
        row++;
      }
      assert.equal(row, severities.length);
      // One level where a sum falls the other way, not everywhere.
      assert.ok(unequal <= golden.data.length * 0.001, `${unequal} of ${golden.data.length} samples differ`);
    });

    if (drawn.seed !== undefined) {
      it(`${name}: drawn from its seed`, () => {
        const { seed, stream, wishes, scales, frame } = drawn;
        const draws = new Draws(seed!, stream!);
        assert.deepEqual(drawDegradation(degradation.task, draws, frame!, wishes, scales), degradation);
      });
    }
  }
});
