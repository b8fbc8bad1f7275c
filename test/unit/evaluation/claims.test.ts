import assert from 'node:assert/strict';
import { RestorationError } from '../../../src/protocol';
import { seededRandom } from '../../../src/measure';
import { judgeClaim, parseClaim } from '../../../src/restoration/evaluation/claims';
import { describeVariant, measureVariants } from '../../../src/restoration/evaluation/metric-variants';
import { decode, paint } from '../measure/pictures';

/** `skimage.metrics.structural_similarity(a, b, data_range=255)` of scikit-image 0.26.0, of the noisy fixtures. */
const SCIKIT = { spoon: 0.76571251, eye: 0.60146832 };

describe('claimed figures', () => {
  it('are read', () => {
    assert.deepEqual(parseClaim('psnr=32.10'), { metric: 'psnr', value: 32.1, digits: 2 });
    assert.deepEqual(parseClaim(' PSNR = 28 dB'), { metric: 'psnr', value: 28, digits: 0 });
    assert.deepEqual(parseClaim('ssim:0.8938'), { metric: 'ssim', value: 0.8938, digits: 4 });
    for (const text of [
      '',
      'psnr',
      'psnr=',
      'psnr=-1',
      'psnr=32,1',
      'ssim=1.5',
      'lpips=0.1',
      'psnr=1e9',
      'psnr=32.1;x',
    ]) {
      assert.throws(
        () => parseClaim(text),
        (error) => error instanceof RestorationError && error.code === 'bad-argument',
        text,
      );
    }
  });

  it('are found in the protocol that they were made in', () => {
    const random = seededRandom(3);
    const pictures = [1, 2, 3].map((strength) => {
      const reference = paint(60, 48, (x, y, c) => 60 + x + y + 40 * c);
      // Noise mostly in blue, and stronger near the border: channels and borders all differ.
      const picture = paint(60, 48, (x, y, c) => {
        const border = Math.min(x, y, 59 - x, 47 - y) < 4 ? 4 : 1;
        return 60 + x + y + 40 * c + (random() - 0.5) * 8 * strength * border * (c === 2 ? 4 : 1) - 3;
      });
      return Object.fromEntries(measureVariants(picture, reference, 4));
    });
    const ids = Object.keys(pictures[0]!).filter((id) => id.startsWith('psnr'));
    assert.ok(ids.length >= 16);
    for (const id of ids) {
      const value = pictures.reduce((sum, record) => sum + record[id]!, 0) / pictures.length;
      const { fitting, statement } = judgeClaim(parseClaim(`psnr=${value.toFixed(4)}`), pictures);
      assert.ok(
        fitting.some((variant) => variant.id === `${id} mean`),
        `${id} is not among ${fitting.map((variant) => variant.id).join(', ')}`,
      );
      assert.ok(fitting.length <= 3, statement);
      assert.ok(statement.includes(describeVariant(fitting[0]!.id.replace(/ (mean|pooled)$/, ''))));
    }
    const pooled = judgeClaim(parseClaim('psnr=50'), pictures);
    assert.deepEqual(pooled.fitting, []);
    assert.match(pooled.statement, /^PSNR 50 fits no known way.*closest are /);
  });

  it('of no digits fit many ways, and it is said', () => {
    const record = { 'psnr rgb 0': 30.2, 'psnr y 0': 30.4, 'psnr y 4': 32.9 };
    const { fitting, statement } = judgeClaim(parseClaim('psnr=30'), [record]);
    assert.equal(fitting.length, 2);
    assert.match(statement, /fits 2 ways.*Give more digits/);
    assert.match(judgeClaim(parseClaim('psnr=30'), []).statement, /cannot be checked/);
  });

  it('a brightness that is off is found under "GT mean"', async () => {
    const reference = await decode('test/fixtures/pictures/patch.png');
    const dark = { ...reference, data: Uint8Array.from(reference.data, (value) => Math.round(value * 0.5)) };
    const variants = measureVariants(dark, reference, 1);
    assert.ok(variants.get('psnr rgb-gt-mean 0')! > variants.get('psnr rgb 0')! + 20);
  });

  it('the uniform window is that of scikit-image', async () => {
    const pair = async (a: string, b: string): Promise<Map<string, number>> =>
      measureVariants(
        await decode(`test/fixtures/pictures/${a}.png`),
        await decode(`test/fixtures/pictures/${b}.png`),
        1,
      );
    const grey = await pair('spoon-grey-noisy', 'spoon-grey');
    assert.ok(Math.abs(grey.get('ssim-uniform grey 0')! - SCIKIT.spoon) < 1e-6, `${grey.get('ssim-uniform grey 0')}`);
    const rgb = await pair('eye-noisy', 'eye');
    assert.ok(Math.abs(rgb.get('ssim-uniform rgb 0')! - SCIKIT.eye) < 1e-6, `${rgb.get('ssim-uniform rgb 0')}`);
  });
});
