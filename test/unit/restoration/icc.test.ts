import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { readProfile, type ColourProfile } from '../../../src/restoration/image/icc';
import { toSixteenBits, type Pixels } from '../../../src/restoration/image/pixels';
import { pngWithMetadata } from '../../../src/restoration/image/png-chunks';
import { ADOBE_RGB, SRGB, gammaCurve, greyProfile, rgbProfile, srgbCurve, tableCurve } from './icc-profile';

/** Every colour of a coarse grid, so that corners and greys are among them. */
function grid(): Pixels {
  const steps = [0, 3, 20, 51, 90, 128, 170, 204, 240, 255];
  const data = Uint8Array.from(steps.flatMap((r) => steps.flatMap((g) => steps.flatMap((b) => [r, g, b]))));
  return { data, width: 100, height: 10 };
}

function converted(bytes: Buffer): ColourProfile {
  const read = readProfile(bytes);
  assert.equal(read.kind, 'converted');
  return (read as { profile: ColourProfile }).profile;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] as number) - (b[i] as number)));
  return largest;
}

async function engineToSrgb(pixels: Pixels, profile: Buffer): Promise<Buffer> {
  const { width, height } = pixels;
  const png = await sharp(pixels.data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return sharp(pngWithMetadata(png, { profile })).removeAlpha().raw().toBuffer();
}

describe('ICC profiles', () => {
  let displayP3: Buffer;
  before(async () => {
    const png = await sharp(Buffer.alloc(3), { raw: { width: 1, height: 1, channels: 3 } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    displayP3 = Buffer.from((await sharp(png).metadata()).icc as Buffer);
  });

  it('convert as the colour engine does, within a level', async () => {
    const profiles = {
      'Display P3': displayP3,
      'Adobe RGB': rgbProfile(ADOBE_RGB, gammaCurve(2.19921875)),
      'a table of gamma 1.8': rgbProfile(
        ADOBE_RGB,
        tableCurve(Array.from({ length: 256 }, (_, i) => (i / 255) ** 1.8)),
      ),
    };
    for (const [name, bytes] of Object.entries(profiles)) {
      const pixels = grid();
      const expected = await engineToSrgb(pixels, bytes);
      converted(bytes).toSrgb(pixels);
      assert.ok(largestDifference(pixels.data, expected) <= 1, `${name}: ${largestDifference(pixels.data, expected)}`);
    }
  });

  it('come back from sRGB: within a tenth of an 8-bit level in 16 bits, within half a level on average in 8', () => {
    const wide = converted(displayP3);
    const deep = toSixteenBits(grid());
    const original = deep.data.slice();
    wide.fromSrgb(deep);
    assert.equal(wide.toSrgb(deep), 0, 'sRGB lies inside of Display P3');
    const differences = original.map((value, i) => Math.abs(value - (deep.data[i] as number)));
    // Both spaces have the same blue, and rounded primaries put a pure one a little outside.
    assert.ok(Math.max(...differences) <= 2 * 257, `${Math.max(...differences)} of 65535`);
    const inside = differences.filter((_, i) => original.subarray(i - (i % 3), i - (i % 3) + 3).every((v) => v > 0));
    assert.ok(Math.max(...inside) <= 26, `${Math.max(...inside)} of 65535`);
    const shallow = grid();
    const before = shallow.data.slice();
    wide.fromSrgb(shallow);
    wide.toSrgb(shallow);
    let sum = 0;
    shallow.data.forEach((value, i) => (sum += Math.abs(value - (before[i] as number))));
    assert.ok(sum / before.length < 0.5, `mean ${sum / before.length}`);
  });

  it('count the pixels that sRGB cannot hold', () => {
    const pixels = { data: Uint8Array.of(0, 255, 0, 128, 128, 128, 255, 0, 0, 255, 255, 255), width: 4, height: 1 };
    assert.equal(converted(displayP3).toSrgb(pixels), 2);
    assert.deepEqual([...pixels.data.subarray(3, 6)], [128, 128, 128], 'grey stays grey');
    assert.deepEqual([...pixels.data.subarray(9)], [255, 255, 255], 'white stays white');
  });

  it('know sRGB in its spellings', () => {
    const table = Array.from({ length: 1024 }, (_, i) => {
      const v = i / 1023;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    assert.deepEqual(readProfile(rgbProfile(SRGB, srgbCurve())), { kind: 'srgb', space: 'rgb' });
    assert.deepEqual(readProfile(rgbProfile(SRGB, tableCurve(table))), { kind: 'srgb', space: 'rgb' });
    assert.deepEqual(readProfile(greyProfile(srgbCurve())), { kind: 'srgb', space: 'grey' });
    assert.equal(readProfile(rgbProfile(SRGB, gammaCurve(1.8))).kind, 'converted');
  });

  it('of grey convert by their curve alone', () => {
    const profile = converted(greyProfile(gammaCurve(1)));
    const pixels = { data: Uint16Array.of(0, 0, 0, 14055, 14055, 14055, 65535, 65535, 65535), width: 3, height: 1 };
    profile.toSrgb(pixels);
    // sRGB of 0.21446 in linear light is 0.5004.
    assert.deepEqual([...new Set(pixels.data.map((v) => Math.round(v / 66)))], [0, 497, 993]);
    profile.fromSrgb(pixels);
    assert.ok(Math.abs((pixels.data[3] as number) - 14055) <= 1);
  });

  it('that are damaged never throw and never convert by chance', () => {
    const whole = rgbProfile(ADOBE_RGB, tableCurve([0, 0.2, 1]));
    assert.equal(readProfile(new Uint8Array()).kind, 'broken');
    assert.equal(readProfile(whole.subarray(0, 200)).kind, 'broken');
    const falling = rgbProfile(ADOBE_RGB, tableCurve([1, 0.5, 0]));
    assert.equal(readProfile(falling).kind, 'broken');
    const flat = rgbProfile([ADOBE_RGB[0], ADOBE_RGB[0], ADOBE_RGB[0]], gammaCurve(2));
    assert.equal(readProfile(flat).kind, 'broken');
    const kinds = ['broken', 'srgb', 'tables', 'converted'];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const read = readProfile(bytes);
        assert.ok(kinds.includes(read.kind));
        if (read.kind !== 'converted') return;
        const pixels = grid();
        read.profile.toSrgb(pixels);
        read.profile.fromSrgb(pixels);
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});
