import assert from 'node:assert/strict';
import fc from 'fast-check';
import { matchNames } from '../../../src/restoration/evaluation';

interface Case {
  what: string;
  results: string[];
  references: string[];
  method?: string;
  /** Result for each reference. */
  expected: Array<string | undefined>;
  unmatched?: string[];
}

const CASES: Case[] = [
  { what: 'the same names', results: ['b', 'a'], references: ['a', 'b'], expected: ['a', 'b'] },
  { what: 'a scale', results: ['baby_x4', 'bird-x4'], references: ['baby', 'bird'], expected: ['baby_x4', 'bird-x4'] },
  { what: 'DIV2K', results: ['0801x4', '0802x4'], references: ['0801', '0802'], expected: ['0801x4', '0802x4'] },
  { what: 'Real-ESRGAN', results: ['0014_out'], references: ['0014'], expected: ['0014_out'] },
  {
    what: 'BasicSR, which writes the experiment',
    results: ['baby_EDSR_Lx4_f256b32_DIV2K', 'bird_EDSR_Lx4_f256b32_DIV2K'],
    references: ['baby', 'bird'],
    method: 'visualization',
    expected: ['baby_EDSR_Lx4_f256b32_DIV2K', 'bird_EDSR_Lx4_f256b32_DIV2K'],
  },
  { what: 'the method', results: ['baby_SwinIR'], references: ['baby'], method: 'SwinIR', expected: ['baby_SwinIR'] },
  {
    what: 'both sides decorated',
    results: ['img_001_SRF_4_LR', 'img_002_SRF_4_LR'],
    references: ['img_001_SRF_4_HR', 'img_002_SRF_4_HR'],
    expected: ['img_001_SRF_4_LR', 'img_002_SRF_4_LR'],
  },
  { what: 'a prefix', results: ['rlt_baby'], references: ['baby'], expected: ['rlt_baby'] },
  { what: 'upper and lower case', results: ['Baby_X4'], references: ['baby'], expected: ['Baby_X4'] },
  {
    what: 'LOL v2',
    results: ['low00690', 'low00691'],
    references: ['normal00690', 'normal00691'],
    expected: ['low00690', 'low00691'],
  },
  {
    what: 'folders against flat names',
    results: ['000/00000013', '001/00000009'],
    references: ['000_00000013', '001_00000009'],
    expected: ['000/00000013', '001/00000009'],
  },
  {
    what: 'GoPro',
    results: ['GOPR0384_11_00-000001'],
    references: ['GOPR0384_11_00/sharp/000001'],
    expected: ['GOPR0384_11_00-000001'],
  },
  {
    what: 'folders that all results lie in',
    results: ['visualization/Set5/baby', 'visualization/Set5/bird_x4'],
    references: ['HR/baby', 'HR/bird'],
    expected: ['visualization/Set5/baby', 'visualization/Set5/bird_x4'],
  },
  {
    what: 'the folder of one clip',
    results: ['GOPR0384_11_00/000001', 'GOPR0384_11_00/000002'],
    references: ['GOPR0384_11_00-000001', 'GOPR0384_11_00-000002'],
    expected: ['GOPR0384_11_00/000001', 'GOPR0384_11_00/000002'],
  },
  {
    what: 'a name that looks like another with a suffix',
    results: ['a', 'a_x4'],
    references: ['a', 'a_x4'],
    expected: ['a', 'a_x4'],
  },
  {
    what: 'numbers that are no suffix',
    results: ['img_1_2', 'img_1_3'],
    references: ['img_1', 'img_1_2'],
    expected: [undefined, 'img_1_2'],
    unmatched: ['img_1_3'],
  },
  {
    what: 'missing and foreign pictures',
    results: ['a_out', 'other'],
    references: ['a', 'b'],
    expected: ['a_out', undefined],
    unmatched: ['other'],
  },
];

describe('names of result files', () => {
  for (const { what, results, references, method, expected, unmatched = [] } of CASES) {
    it(`match: ${what}`, () => {
      const matches = matchNames(results, references, method);
      assert.deepEqual(matches.ambiguous, []);
      assert.deepEqual(
        matches.resultOf.map((place) => (place === undefined ? undefined : results[place])),
        expected,
      );
      assert.deepEqual(matches.unmatched, unmatched);
      assert.deepEqual(
        matches.missing,
        references.filter((_, i) => expected[i] === undefined),
      );
    });
  }

  const ambiguous: Array<[string, string[], string[], { name: string; candidates: string[] }]> = [
    ['two results of one reference', ['a_x2', 'a_x4'], ['a', 'b'], { name: 'a', candidates: ['a_x2', 'a_x4'] }],
    ['a copy of the input beside the result', ['a', 'a_out'], ['a'], { name: 'a', candidates: ['a', 'a_out'] }],
    ['one file with two endings', ['a', 'a'], ['a'], { name: 'a', candidates: ['a', 'a'] }],
    ['two references alike', ['a_out'], ['a_gt', 'a_hr'], { name: 'a_out', candidates: ['a_gt', 'a_hr'] }],
  ];
  for (const [what, results, references, expected] of ambiguous) {
    it(`are ambiguous: ${what}`, () => {
      const matches = matchNames(results, references);
      assert.deepEqual(matches.ambiguous, [expected]);
      assert.ok(!matches.missing.includes(expected.name));
    });
  }

  // Digits and letters that are no decoration by themselves.
  const stem = fc
    .stringMatching(/^[b-z]{3}[0-9]{2}(_[b-z]{2}[0-9]{2})?$/)
    .filter((name) => !/out|res|rec|ref/.test(name));
  const decoration = fc.constantFrom('', '_x4', '-x2', '_out', '_restored', '.SR', '_SRF_4_HR', '_EDSR', '_exp42-f64');

  it('are found under any one decoration, and never twice', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(stem, { minLength: 2, maxLength: 12 }),
        decoration,
        fc.nat(),
        (names, suffix, turn) => {
          const results = names.map((_, i) => `${names[(i + turn) % names.length]!}${suffix}`);
          const { resultOf, missing, unmatched, ambiguous: unclear } = matchNames(results, names, 'EDSR');
          assert.deepEqual([missing, unmatched, unclear], [[], [], []]);
          assert.deepEqual(
            resultOf.map((place) => results[place!]),
            names.map((name) => `${name}${suffix}`),
          );
        },
      ),
    );
  });

  it('whatever they are, every file ends in one place', () => {
    const part = fc.constantFrom('a', 'b', '1', '2', 'x4', 'out', 'HR', 'gt', 'zebra');
    const name = fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('_', '-', '/', '.'))
      .map(([parts, separator]) => parts.join(separator));
    const names = fc.uniqueArray(name, { maxLength: 8 });
    fc.assert(
      fc.property(names, names, (results, references) => {
        const matches = matchNames(results, references, 'zebra');
        const used = matches.resultOf.filter((place): place is number => place !== undefined);
        assert.equal(new Set(used).size, used.length, 'no result is used twice');
        const accounted = new Set([
          ...used.map((place) => results[place]!),
          ...matches.unmatched,
          ...matches.ambiguous.flatMap(({ name: unclear, candidates }) => [unclear, ...candidates]),
        ]);
        for (const result of results) assert.ok(accounted.has(result), `${result} is nowhere`);
        const known = new Set([
          ...matches.missing,
          ...references.filter((_, i) => matches.resultOf[i] !== undefined),
          ...matches.ambiguous.flatMap(({ name: unclear, candidates }) => [unclear, ...candidates]),
        ]);
        for (const reference of references) assert.ok(known.has(reference), `${reference} is nowhere`);
      }),
    );
  });

  it('take little time also for thousands of files with long names', () => {
    const names = Array.from({ length: 3000 }, (_, i) => `${'_x4_out'.repeat(20)}_${String(i).padStart(6, '0')}`);
    const start = performance.now();
    const { missing } = matchNames(
      names.map((name) => `${name}_restored`),
      names,
    );
    assert.deepEqual(missing, []);
    assert.ok(performance.now() - start < 20_000);
  });
});
