import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import { clipRule } from '../../../src/restoration/evaluation';

describe('clips by name', () => {
  const cases: Array<[name: string, clip: string]> = [
    ['000_00000013', '000'],
    ['GOPR0384_11_00-000001', 'GOPR0384_11_00'],
    ['000/00000013', '000'],
    ['GOPR0384_11_00/sharp/000001', 'GOPR0384_11_00'],
    ['val/clip7/frame_00012', 'val/clip7'],
    ['walk_frame00012', 'walk'],
    // Pictures of their own.
    ['img_001', 'img_001'],
    ['DSC_0012', 'DSC_0012'],
    ['0801', '0801'],
    ['COCO_val2014_000000000139', 'COCO_val2014_000000000139'],
    ['baby', 'baby'],
    ['00000013', '00000013'],
  ];
  for (const [name, clip] of cases) {
    it(`${name} is of ${clip}`, () => assert.equal(clipRule().clipOf(name), clip));
  }

  it('every frame of a clip is of that clip, and of no other', () => {
    const clip = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}(_[0-9]{1,3})?$/);
    const separator = fc.constantFrom('_', '-', '/');
    fc.assert(
      fc.property(clip, separator, fc.integer({ min: 5, max: 8 }), fc.nat(99_999), (name, sign, digits, frame) => {
        assert.equal(clipRule().clipOf(`${name}${sign}${String(frame).padStart(digits, '0')}`), name);
      }),
    );
  });

  it('a pattern of the caller counts instead: its group, or the whole match', () => {
    const group = clipRule('^(scene\\d+)_');
    assert.equal(group.clipOf('scene12_blur_3'), 'scene12');
    assert.equal(group.clipOf('other_1'), 'other_1');
    assert.equal(clipRule('^.').clipOf('abc'), 'a');
    assert.equal(clipRule('^.*$').clipOf('000_00000013'), '000_00000013');
    assert.equal(group.description, '^(scene\\d+)_');
  });

  for (const pattern of ['(', '[z-a]', '*', '(?<n>a)(?<n>b)']) {
    it(`the pattern ${pattern} is refused`, () => {
      assert.throws(
        () => clipRule(pattern),
        (error) =>
          error instanceof RestorationError && error.code === 'bad-argument' && /first group/.test(error.remedy),
      );
    });
  }
});
