import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { evaluateResults, metrics, shutdown, type ComparisonReport } from '../../../src/api';
import { labelFolders } from '../../../src/restoration/evaluation';
import { runCli } from '../cli/run-cli';
import { noisy, savePicture, saveText, scene } from './data-sets';

const COUNT = 8;

describe('result folders', () => {
  let folder: string;
  let reference: string;
  let weak: string;
  let strong: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-results-'));
    reference = path.join(folder, 'GT');
    weak = path.join(folder, 'weak');
    strong = path.join(folder, 'strong');
    for (let i = 0; i < COUNT; i++) {
      const picture = scene(48, 40, i + 1);
      await savePicture(picture, reference, `p${i}_HR.png`);
      await savePicture(noisy(picture, 12, i), weak, `p${i}_x4_weak.png`);
      await savePicture(noisy(picture, 6, i + 50), strong, 'deep', `p${i}.png`);
    }
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('are measured as single pictures are, compared, and written as tables', async () => {
    const tables = ['md', 'tex', 'csv'].map((ending) => path.join(folder, `table.${ending}`));
    const words = ['evaluate', '--results', weak, strong, '--reference', reference, '--protocol', 'sr', '--scale', '4'];
    const result = await runCli([...words, ...tables.flatMap((file) => ['--table', file]), '--json']);
    assert.equal(result.code, 0, result.stderr);
    const report = JSON.parse(result.stdout) as ComparisonReport;
    assert.deepEqual([report.protocol, report.scale, report.count], ['sr', 4, COUNT]);
    assert.deepEqual(
      report.results.map(({ name, count, missing, unmatched, failures }) => [
        name,
        count,
        missing,
        unmatched,
        failures,
      ]),
      [
        ['weak', COUNT, [], [], []],
        ['strong', COUNT, [], [], []],
      ],
    );
    const single = await metrics(path.join(weak, 'p3_x4_weak.png'), path.join(reference, 'p3_HR.png'), {
      protocol: 'sr',
    });
    const item = report.results[0]!.items.find(({ name }) => name === 'p3_HR')!.frames[0]!;
    assert.deepEqual(
      [item.psnr, item.ssim, item.lpips, item.flip],
      [single.psnr, single.ssim, single.lpips, single.flip],
    );
    const mean = report.results[0]!.items.reduce((sum, { frames }) => sum + (frames[0]!.psnr as number), 0) / COUNT;
    assert.ok(Math.abs((report.results[0]!.psnr as number) - mean) < 1e-9);
    const psnr = report.differences.find(({ metric }) => metric === 'psnr')!;
    assert.deepEqual([psnr.a, psnr.b, psnr.better, psnr.units], ['weak', 'strong', 'strong', COUNT]);
    assert.ok(psnr.high! < -3 && psnr.low! > -12);
    for (const file of tables) assert.match(await readFile(file, 'utf8'), /strong/);
  });

  it('are shown to people with what is missing and what failed; exit code 1 for failures', async () => {
    const partial = path.join(folder, 'partial');
    for (const i of [0, 1, 2]) await savePicture(noisy(scene(48, 40, i + 1), 3, i), partial, `p${i}.png`);
    await savePicture(scene(20, 40, 4), partial, 'p3.png');
    await saveText('no picture', partial, 'p4.png');
    await savePicture(scene(20, 20, 4), partial, 'foreign.png');
    const result = await runCli([
      'evaluate',
      '--results',
      strong,
      `Half way=${partial}`,
      '--reference',
      reference,
      '--protocol',
      'rgb',
    ]);
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stdout, /^3 pictures in every folder, protocol rgb/);
    assert.match(result.stdout, /missing in Half way: p5_HR, p6_HR, p7_HR/);
    assert.match(result.stdout, /without a reference in Half way: foreign/);
    assert.match(result.stdout, /failed: Half way: p3_HR: .*same size.*20x40.*48x40/);
    assert.match(result.stdout, /failed: Half way: p4_HR: p4\.png is not a picture/);
    assert.match(result.stdout, /Too few independent pictures \(3\) to decide/);
    assert.match(result.stderr, /2 pictures could not be measured/);
  });

  it('know clips, and a rule of the caller', async () => {
    const clips = path.join(folder, 'clips');
    const noisyClips = path.join(folder, 'clips-noisy');
    for (let i = 0; i < 6; i++) {
      const name = `00${i % 2}_0000000${i}.png`;
      await savePicture(scene(32, 32, i + 1), clips, name);
      await savePicture(noisy(scene(32, 32, i + 1), 5, i), noisyClips, name);
    }
    const options = { reference: clips, protocol: 'rgb' } as const;
    const usual = await evaluateResults([noisyClips, clips], options);
    assert.equal(usual.clips.count, 2);
    assert.ok(usual.differences.every(({ better }) => better === null));
    const single = await evaluateResults([noisyClips, clips], { ...options, clips: '^.*$', seed: 3 });
    assert.deepEqual([single.clips.count, single.statistics.seed], [6, 3]);
    const ssim = single.differences.find(({ metric }) => metric === 'ssim')!;
    assert.equal(ssim.better, 'clips');
    // All pictures of one folder are perfect: there is no finite difference in PSNR.
    assert.ok(single.differences.every(({ metric }) => metric !== 'psnr'));
    assert.equal(single.results[1]!.psnr, 'Infinity');
    const limited = await evaluateResults([noisyClips], { ...options, limit: 2 });
    assert.deepEqual([limited.count, limited.differences], [2, []]);
  });

  it('look for faults on request, and find the protocol of a claimed figure', async () => {
    const words = ['evaluate', '--results', weak, '--reference', reference, '--protocol', 'rgb', '--check', '--json'];
    const first = JSON.parse((await runCli(words)).stdout) as ComparisonReport & { check: { folders: object[] } };
    assert.equal(first.check.folders.length, 1);
    const claim = `psnr=${(first.results[0]!.psnr as number).toFixed(3)}`;
    const second = await runCli([...words.slice(0, -1), '--claimed', claim]);
    assert.equal(second.code, 0, second.stderr);
    assert.match(
      second.stdout,
      /PSNR \d\d\.\d{3} (is|fits \d ways of measuring, best) PSNR on RGB, nothing cropped \(/,
    );
  });

  const wrong: Array<[what: string, words: () => string[], code: number, message: RegExp]> = [
    ['no reference', () => ['--results', weak, '--protocol', 'rgb'], 2, /--reference is missing/],
    ['no protocol', () => ['--results', weak, '--reference', reference], 2, /--protocol is missing/],
    [
      'no such folder',
      () => ['--results', path.join(folder, 'no'), '--reference', reference, '--protocol', 'rgb'],
      1,
      /There is no folder/,
    ],
    [
      'a file',
      () => ['--results', path.join(weak, 'p0_x4_weak.png'), '--reference', reference, '--protocol', 'rgb'],
      1,
      /is a file/,
    ],
    [
      'no common name',
      () => ['--results', path.join(folder, 'clips'), '--reference', reference, '--protocol', 'rgb'],
      1,
      /No picture in .* has the name/,
    ],
    [
      'one folder twice',
      () => ['--results', weak, weak, '--reference', reference, '--protocol', 'rgb'],
      2,
      /Two result folders are called ".*weak"/,
    ],
    [
      'a table of no kind',
      () => ['--results', weak, '--reference', reference, '--protocol', 'rgb', '--table', 'a.xls'],
      2,
      /\.md, \.tex and \.csv/,
    ],
    [
      'a bad clip pattern',
      () => ['--results', weak, '--reference', reference, '--protocol', 'rgb', '--clips', '('],
      2,
      /not a regular expression/,
    ],
    [
      'a bad seed',
      () => ['--results', weak, '--reference', reference, '--protocol', 'rgb', '--seed', '1.5'],
      2,
      /--seed has to be/,
    ],
    [
      'a bad claim',
      () => ['--results', weak, '--reference', reference, '--protocol', 'rgb', '--claimed', 'good'],
      2,
      /reads psnr=32\.1/,
    ],
    [
      'a task',
      () => ['--results', weak, '--reference', reference, '--protocol', 'rgb', '--task', 'deblurring'],
      2,
      /has no option --task/,
    ],
    [
      'resume without a folder',
      () => ['--results', weak, '--reference', reference, '--protocol', 'rgb', '--resume'],
      2,
      /nothing to resume/,
    ],
  ];
  for (const [what, words, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const before = await readdir(folder);
      const result = await runCli(['evaluate', ...words(), '--json'], { cwd: folder });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /^\s+at /m);
      assert.equal(result.stdout, '');
      assert.deepEqual(await readdir(folder), before);
    });
  }

  it('refuses names that stand for two pictures, and names both', async () => {
    const twice = path.join(folder, 'twice');
    for (const name of ['p0.png', 'p0_out.png', 'p1.png']) await savePicture(scene(48, 40, 1), twice, name);
    await assert.rejects(
      evaluateResults([twice], { reference, protocol: 'rgb' }),
      /meant by "p0_HR": "p0" or "p0_out"\./,
    );
  });

  it('get labels that tell them apart', () => {
    const isFolder = (word: string): boolean => word === '/x/a=b';
    const names = (words: string[]): string[] => labelFolders(words, isFolder).map(({ name }) => name);
    assert.deepEqual(names(['/x/EDSR/', '/y/SAFMN']), ['EDSR', 'SAFMN']);
    assert.deepEqual(names(['/x/EDSR/out', '/x/SAFMN/out', '/z']), ['EDSR/out', 'SAFMN/out', 'z']);
    assert.deepEqual(names(['Ours=/x/EDSR/out', '/x/SAFMN/out', '/x/a=b']), ['Ours', 'out', 'a=b']);
    assert.throws(() => names(['A=/x', 'A=/y']), /Two result folders are called "A"/);
  });
});
