import assert from 'node:assert/strict';
import fc from 'fast-check';
import { relateSizes } from '../../../src/restoration/evaluation/sizes';

const relate = (width: number, height: number, referenceWidth: number, referenceHeight: number) =>
  relateSizes({ width, height, referenceWidth, referenceHeight });

describe('sizes against the reference', () => {
  const cases: Array<[what: string, sizes: [number, number, number, number], expected: object]> = [
    ['equal', [10, 20, 10, 20], { kind: 'same' }],
    ['turned', [20, 10, 10, 20], { kind: 'turned' }],
    ['four times smaller', [128, 96, 512, 384], { kind: 'scaled', factor: 4 }],
    ['four times smaller, rounded up', [126, 96, 501, 381], { kind: 'scaled', factor: 4 }],
    ['half as large again', [100, 80, 150, 120], { kind: 'scaled', factor: 1.5 }],
    ['twice as large', [1024, 768, 512, 384], { kind: 'scaled', factor: 0.5 }],
    ['cut to a multiple of 4', [500, 380, 501, 383], { kind: 'cut', multiples: [4] }],
    ['filled up to a multiple of 16 and more', [512, 384, 501, 381], { kind: 'padded', multiples: [16, 32, 64, 128] }],
    ['without a border of 4', [493, 373, 501, 381], { kind: 'border', pixels: 4 }],
    ['neither', [490, 379, 501, 381], { kind: 'other' }],
    ['larger one way and smaller the other', [510, 370, 501, 381], { kind: 'other' }],
  ];
  for (const [what, sizes, expected] of cases) it(what, () => assert.deepEqual(relate(...sizes), expected));

  it('whatever is cut to or filled up to a multiple is recognised', () => {
    const side = fc.integer({ min: 200, max: 2000 });
    fc.assert(
      fc.property(side, side, fc.constantFrom(2, 4, 8, 16, 32), fc.boolean(), (width, height, multiple, up) => {
        const round = up ? Math.ceil : Math.floor;
        const [w, h] = [round(width / multiple) * multiple, round(height / multiple) * multiple];
        const relation = relate(w, h, width, height);
        if (w === width && h === height) assert.deepEqual(relation, { kind: 'same' });
        else if (w === height && h === width) assert.deepEqual(relation, { kind: 'turned' });
        else {
          assert.equal(relation.kind, up ? 'padded' : 'cut');
          assert.ok('multiples' in relation && relation.multiples.includes(multiple));
        }
      }),
    );
  });
});
