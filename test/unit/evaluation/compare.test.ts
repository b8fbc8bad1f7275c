import assert from 'node:assert/strict';
import { seededRandom } from '../../../src/measure';
import {
  clipRule,
  composeComparison,
  type ComparisonReport,
  type PictureMetrics,
} from '../../../src/restoration/evaluation';
import { LEAST_UNITS, type MeasuredFolder } from '../../../src/restoration/evaluation/compare';

/**
 * Differences, and what independent programs say about their mean: `scipy.stats.bootstrap(..., method='percentile')` with
 * 200000 resamples, and NumPy for the clusters of `SIZES` (400000 resamples of sums over counts).
 */
const DIFFERENCES = [
  ...[0.31, -0.12, 0.55, 0.02, 0.41, 0.18, -0.05, 0.77, 0.23, 0.36],
  ...[0.09, 0.28, -0.21, 0.44, 0.15, 0.6, 0.07, 0.33, 0.19, 0.26],
];
const SCIPY = { mean: 0.243, low: 0.1395, high: 0.3485 };
const SIZES = [3, 3, 2, 2, 3, 2, 3, 2];
const NUMPY_CLUSTERS = { low: 0.1715, high: 0.30632 };
/** Standard error of a 2.5 % quantile out of 5000 resamples, three times. */
const SAMPLING = 0.008;

function folder(name: string, rows: Record<string, PictureMetrics>): MeasuredFolder {
  return { name, folder: `/${name}`, metrics: new Map(Object.entries(rows)), failures: [], missing: [], unmatched: [] };
}

function compose(folders: MeasuredFolder[], clips?: string): ComparisonReport {
  return composeComparison(
    { protocol: 'rgb', scale: 4, reference: '/gt', clips: clipRule(clips), seed: 1, warnings: [] },
    folders,
  );
}

/** Two folders whose PSNR differs by the given values. */
function pairOf(differences: readonly number[], nameOf: (i: number) => string): MeasuredFolder[] {
  const rows = (offset: (i: number) => number): Record<string, PictureMetrics> =>
    Object.fromEntries(differences.map((_, i) => [nameOf(i), { psnr: 30 + offset(i), ssim: 0.9 }]));
  return [
    folder(
      'A',
      rows((i) => differences[i]!),
    ),
    folder(
      'B',
      rows(() => 0),
    ),
  ];
}

const psnrOf = ({ differences }: ComparisonReport) => differences.find(({ metric }) => metric === 'psnr')!;

describe('comparison of result folders', () => {
  it('agrees with SciPy on the interval of independent pictures', () => {
    const difference = psnrOf(compose(pairOf(DIFFERENCES, (i) => `picture${i}`)));
    assert.ok(Math.abs(difference.mean - SCIPY.mean) < 1e-9);
    assert.ok(Math.abs(difference.low! - SCIPY.low) < SAMPLING, `${difference.low}`);
    assert.ok(Math.abs(difference.high! - SCIPY.high) < SAMPLING, `${difference.high}`);
    assert.deepEqual([difference.units, difference.count, difference.better], [20, 20, 'A']);
  });

  it('agrees with NumPy on the interval of clips', () => {
    const clipOf = SIZES.flatMap((size, clip) => Array.from({ length: size }, () => clip));
    const report = compose(pairOf(DIFFERENCES, (i) => `clip${clipOf[i]}_${String(i).padStart(6, '0')}`));
    const difference = psnrOf(report);
    assert.deepEqual([report.clips.count, difference.units, difference.count], [8, 8, 20]);
    assert.ok(Math.abs(difference.low! - NUMPY_CLUSTERS.low) < SAMPLING, `${difference.low}`);
    assert.ok(Math.abs(difference.high! - NUMPY_CLUSTERS.high) < SAMPLING, `${difference.high}`);
    assert.match(difference.statement, /20 pictures in 8 clips/);
  });

  it('covers the truth about as often as it says', () => {
    const random = seededRandom(7);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let covered = 0;
    const runs = 120;
    for (let run = 0; run < runs; run++) {
      const differences = Array.from({ length: 30 }, () => 0.1 + 0.5 * normal());
      const { low, high } = psnrOf(compose(pairOf(differences, (i) => `picture${i}`)));
      if (low! <= 0.1 && high! >= 0.1) covered++;
    }
    // 95 % nominal, about 93 % for 30 normal values; three standard errors of 120 runs are 0.07.
    assert.ok(covered / runs > 0.86 && covered / runs <= 1, `${covered} of ${runs}`);
  });

  it('decides nothing from few clips, however clear they look', () => {
    for (const units of [1, 2, LEAST_UNITS - 1, LEAST_UNITS]) {
      const differences = Array.from({ length: units * 10 }, (_, i) => 1 + (i % 3) / 100);
      const difference = psnrOf(
        compose(pairOf(differences, (i) => `${String(i % units).padStart(3, '0')}_${String(i).padStart(8, '0')}`)),
      );
      assert.equal(difference.units, units);
      assert.equal(difference.better, units < LEAST_UNITS ? null : 'A');
      if (units === 1) {
        assert.equal(difference.low, undefined);
        assert.match(difference.statement, /All pictures come from one clip/);
      } else if (units < LEAST_UNITS) assert.match(difference.statement, /Too few independent clips/);
      else assert.match(difference.statement, /On pictures like these, A is better by PSNR\.$/);
    }
  });

  it('says when the interval holds 0, and which direction is better for each metric', () => {
    const rows = (lpips: number, psnr: (i: number) => number): Record<string, PictureMetrics> =>
      Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`p${i}`, { psnr: psnr(i), ssim: 0.9, lpips }]));
    const report = compose([
      folder(
        'A',
        rows(0.2, (i) => 30 + (i % 2)),
      ),
      folder(
        'B',
        rows(0.1, (i) => 30.5 + (i % 3) / 9),
      ),
    ]);
    assert.equal(psnrOf(report).better, null);
    assert.match(psnrOf(report).statement, /Not decided: the interval holds 0/);
    const lpips = report.differences.find(({ metric }) => metric === 'lpips')!;
    assert.deepEqual([lpips.mean.toFixed(6), lpips.better], ['0.100000', 'B']);
    // Folders that agree everywhere do not differ.
    const ssim = report.differences.find(({ metric }) => metric === 'ssim')!;
    assert.deepEqual([ssim.mean, ssim.low, ssim.high, ssim.better], [0, 0, 0, null]);
  });

  it('widens what it decides by when several folders are compared', () => {
    const differences = DIFFERENCES.map((value) => value - 0.16);
    const [a, b] = pairOf(differences, (i) => `p${i}`);
    const alone = psnrOf(compose([a!, b!]));
    assert.equal(alone.adjusted, undefined);
    const third = { ...b!, name: 'C' };
    const fourth = { ...b!, name: 'D' };
    const report = compose([a!, b!, third, fourth]);
    assert.equal(report.statistics.comparisons, 6);
    const among = psnrOf(report);
    assert.deepEqual([among.low, among.high], [alone.low, alone.high]);
    assert.ok(among.adjusted!.low < among.low! && among.adjusted!.high > among.high!);
    assert.ok(Math.abs(among.adjusted!.confidence - (1 - 0.05 / 6)) < 1e-12);
  });

  it('takes means over the pictures that all folders have, and keeps infinities apart', () => {
    const a = folder('A', {
      one: { psnr: 20, ssim: 0.5 },
      two: { psnr: 'Infinity', ssim: 1 },
      three: { psnr: 99, ssim: 1 },
    });
    const b = folder('B', { one: { psnr: 22, ssim: 0.6 }, two: { psnr: 30, ssim: 0.7 } });
    const report = compose([a, b]);
    assert.equal(report.count, 2);
    const [first, second] = report.results;
    assert.deepEqual([first!.psnr, first!.infinite, first!.ssim], [20, 1, 0.75]);
    assert.deepEqual([second!.psnr, second!.infinite], [26, undefined]);
    assert.equal(first!.items.length, 3);
    assert.deepEqual(first!.frames, [{ index: 1, psnr: 20, ssim: 0.75, infinite: 1 }]);
    const difference = psnrOf(report);
    assert.deepEqual([difference.count, difference.infinite, difference.mean], [1, 1, -2]);
    assert.match(report.warnings[0]!, /the 2 pictures that all folders have/);
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });

  it('leaves out a metric that some pictures lack', () => {
    const report = compose([folder('A', { one: { psnr: 20, ssim: 0.5, lpips: 0.1 }, two: { psnr: 21, ssim: 0.5 } })]);
    assert.equal(report.results[0]!.lpips, undefined);
    assert.deepEqual(report.differences, []);
  });

  it('is the same on every call', () => {
    const folders = pairOf(DIFFERENCES, (i) => `p${i}`);
    assert.deepEqual(compose(folders), compose(folders));
  });
});
