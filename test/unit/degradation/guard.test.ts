import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { isDegradation, type Degradation } from '../../../src/protocol';
import { checkRequest } from '../../../src/inference/check-request';

const file = path.resolve(__dirname, '../../fixtures/degradation/cases.json');
const valid = (JSON.parse(readFileSync(file, 'utf8')) as { degradation: Degradation }[]).map((c) => c.degradation);

/** Every place in a JSON value, as a path of keys. */
function places(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...at, key]))];
}

function replaced(value: unknown, at: readonly (string | number)[], by: unknown): unknown {
  const [key, ...rest] = at;
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const sample = {
  input: '/a.png',
  task: 'low-light',
  frames: 9,
  seed: 1,
  stream: 0,
  size: { width: 64, height: 64 },
  wishes: {},
  folder: '/b',
  clip: true,
  priority: 'batch',
};
const degrade = {
  input: '/a.png',
  task: 'super-resolution',
  severities: [1],
  seed: 0,
  wishes: {},
  form: 'full',
  framesFolder: '/b',
  priority: 'interactive',
};

describe('parameters of a degradation from outside', () => {
  it('are accepted as the library writes them', () => assert.ok(valid.every(isDegradation)));

  it('are refused when any of their parts is of another kind', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...valid).chain((one) => fc.tuple(fc.constant(one), fc.constantFrom(...places(one)))),
        fc.constantFrom(null, 'x', {}, Number.NaN, Number.POSITIVE_INFINITY, 1e300, [[]]),
        ([one, at], by) => {
          // Things that may be absent are absent as undefined, not as something else.
          assert.equal(isDegradation(replaced(one, at, by)), false, at.join('.'));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('never make the guard throw', () => {
    fc.assert(fc.property(fc.anything(), (value) => assert.equal(isDegradation(value), false)));
  });

  const bad: [string, 'degrade' | 'sample', Record<string, unknown>, RegExp][] = [
    ['a relative path', 'degrade', { input: 'a.png' }, /picture has to be the path/],
    ['an unknown task', 'degrade', { task: 'colourise' }, /no task "colourise"/],
    ['a severity above 1', 'degrade', { severities: [1.5] }, /severity has to be a number from 0/],
    ['no severity', 'degrade', { severities: [] }, /severity has to be/],
    ['a severity that is none', 'degrade', { severities: [Number.NaN] }, /severity has to be/],
    ['a negative seed', 'degrade', { seed: -1 }, /seed has to be a whole number/],
    ['half a seed', 'sample', { seed: 0.5 }, /seed has to be a whole number/],
    ['an unknown parameter', 'degrade', { wishes: { colour: 1 } }, /no parameter "colour"/],
    ['a parameter of the prototype', 'degrade', { wishes: { toString: 1 } }, /no parameter "toString"/],
    ['a parameter of another task', 'degrade', { wishes: { gain: 0.1 } }, /gain is a parameter of low-light/],
    ['a scale of 9', 'degrade', { wishes: { scale: 9 } }, /scale has to be a number from 1 to 8/],
    ['a small picture of another task', 'degrade', { task: 'low-light', form: 'small' }, /Only super-resolution/],
    ['a pair of another task', 'degrade', { partner: '/c.png' }, /defined for low-light/],
    ['a degradation that is none', 'degrade', { degradation: { task: 'super-resolution' } }, /not the parameters/],
    ['a degradation of another task', 'degrade', { degradation: valid.at(-1) }, /parameters of low-light/],
    ['one frame', 'sample', { frames: 1 }, /number of frames/],
    ['a size of 100', 'sample', { size: { width: 100, height: 64 } }, /multiples of 16/],
    ['a size that is a number', 'sample', { size: 64 }, /multiples of 16/],
    ['a clip that is a word', 'sample', { clip: 'mp4' }, /clip has to be true or false/],
    ['a number beyond 32 bits', 'sample', { stream: 2 ** 32 }, /number of a sample/],
    ['wishes that are a list', 'sample', { wishes: [] }, /have to be an object/],
    ['a sensor that is none', 'sample', { wishes: { sensor: 'film' } }, /gaussian or poisson/],
  ];
  for (const [what, kind, change, message] of bad) {
    it(`${what} is refused`, () => {
      const whole = kind === 'degrade' ? degrade : sample;
      assert.ok(checkRequest(kind, whole));
      assert.throws(() => checkRequest(kind, { ...whole, ...change }), { code: 'bad-argument', problem: message });
    });
  }
});
