import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  Draws,
  MANY_PHOTONS,
  normalField,
  philox,
  poisson,
  uniformField,
} from '../../../src/restoration/degradation/random';

describe('random numbers', () => {
  // The known answers that come with Random123, the authors' own library.
  const known: [number[], number[], number[]][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [Array<number>(4).fill(0xffffffff), [0xffffffff, 0xffffffff], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key, words] of known) {
    it(`are Philox-4x32-10: ${words[0]!.toString(16)}`, () => {
      assert.deepEqual([...philox(counter as [number, number, number, number], key as [number, number])], words);
    });
  }

  it('are normal and uniform', () => {
    const count = 200_000;
    const normal = normalField(12345, 0, count);
    const moment = (power: number): number => normal.reduce((sum, value) => sum + value ** power, 0) / count;
    assert.ok(Math.abs(moment(1)) < 0.01 && Math.abs(moment(2) - 1) < 0.02 && Math.abs(moment(4) - 3) < 0.1);
    const uniform = uniformField(2 ** 40 + 7, 1, count);
    assert.ok(uniform.every((value) => value > 0 && value < 1));
    const mean = uniform.reduce((sum, value) => sum + value, 0) / count;
    assert.ok(Math.abs(mean - 0.5) < 0.003);
    assert.notDeepEqual(normalField(1, 0, 8), normalField(1 + 2 ** 32, 0, 8), 'all 53 bits of a seed count');
    assert.notDeepEqual(uniformField(1, 0, 8), uniformField(1, 1, 8));
    assert.deepEqual(normalField(9, 0, 7), normalField(9, 0, 100).slice(0, 7), 'a number depends on its place alone');
  });

  for (const mean of [0.02, 1, 7.5, MANY_PHOTONS - 1, MANY_PHOTONS, 900]) {
    it(`count photons: Poisson of mean ${mean}`, () => {
      const count = 40_000;
      const uniform = uniformField(3, 1, count);
      const normal = normalField(3, 2, count);
      const counts = Array.from(uniform, (u, i) => poisson(mean, u, normal[i]!));
      assert.ok(counts.every((value) => Number.isInteger(value) && value >= 0));
      const average = counts.reduce((sum, value) => sum + value, 0) / count;
      const variance = counts.reduce((sum, value) => sum + (value - average) ** 2, 0) / count;
      assert.ok(Math.abs(average - mean) < 5 * Math.sqrt(mean / count) + 0.01, `${average}`);
      assert.ok(Math.abs(variance / mean - 1) < 0.1, `${variance}`);
    });
  }

  it('draw within their bounds, and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(2 ** 32 - 1), (seed, stream) => {
        const draws = new Draws(seed, stream);
        const again = new Draws(seed, stream);
        for (let i = 0; i < 9; i++) {
          const whole = draws.whole(3, 5);
          assert.ok([3, 4, 5].includes(whole));
          assert.equal(again.whole(3, 5), whole);
          const log = draws.logUniform(2, 60);
          assert.ok(log > 2 && log < 60);
          assert.equal(again.logUniform(2, 60), log);
        }
      }),
    );
  });
});
