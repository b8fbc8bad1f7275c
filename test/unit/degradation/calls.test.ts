import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { degrade, degradePath, progression, shutdown, type DataSetSample, type DataSetSummary } from '../../../src/api';
import { decodePicture } from '../../../src/restoration/image/decode';
import { runCli, type CliResult } from '../cli/run-cli';

const root = path.resolve(__dirname, '../../..');
const pictures = path.join(root, 'test/fixtures/pictures');
const card = path.join(pictures, 'card.png');
const patch = path.join(pictures, 'patch.png');

async function tree(folder: string): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    result[path.relative(folder, file)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return result;
}

describe('degrade and progression', () => {
  let folder: string;
  let photos: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-degrade-'));
    photos = path.join(folder, 'photos');
    await mkdir(photos);
    for (const name of ['a', 'b', 'c', 'd']) await copyFile(patch, path.join(photos, `${name}.png`));
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('degrade a picture, at any severity and again from its parameters', async () => {
    const dark = await degrade(patch, { task: 'low-light', severity: 0.5, seed: 3, gain: 0.05 });
    assert.deepEqual([dark.severity, dark.width, dark.height, dark.input.file], [0.5, 128, 112, 'patch.png']);
    const { data } = await dark.image;
    const again = await degrade(patch, { task: 'low-light', severity: 0.5, degradation: dark.degradation });
    assert.deepEqual((await again.image).data, data);
    const other = await degrade(patch, { task: 'low-light', severity: 0.5, seed: 4, gain: 0.05 });
    assert.notDeepEqual((await other.image).data, data);
    const [first, last] = await degradePath(patch, [1, 0], { task: 'deblurring', seed: 1, blur: 'shake' });
    assert.deepEqual((await last!.image).data, (await decodePicture(patch)).pixels.data);
    assert.notDeepEqual((await first!.image).data, (await last!.image).data);
  });

  it('leave a picture small for super-resolution', async () => {
    const small = await degrade(path.join(pictures, 'rim-multiple.png'), { task: 'super-resolution', small: true });
    const { pixels } = await decodePicture(path.join(pictures, 'rim-down4.png'));
    assert.deepEqual((await small.image).data, pixels.data);
  });

  it('walk between a real pair', async () => {
    const pair = path.join(pictures, 'card-dark.png');
    const [y, middle, x] = await degradePath(card, [1, 0.5, 0], { task: 'low-light', pair });
    assert.deepEqual((await y!.image).data, (await decodePicture(pair)).pixels.data);
    assert.deepEqual((await x!.image).data, (await decodePicture(card)).pixels.data);
    const mean = (data: Uint8Array): number => data.reduce((sum, value) => sum + value, 0) / data.length;
    const level = mean((await middle!.image).data);
    assert.ok(level > mean((await y!.image).data) && level < mean((await x!.image).data));
    assert.equal(middle!.degradation.task === 'low-light' && middle!.degradation.light.kind, 'pair');
  });

  it('save a picture, but never over the one that was degraded', async () => {
    const source = path.join(folder, 'source.png');
    await copyFile(card, source);
    const made = await degrade(source, { task: 'super-resolution' });
    await assert.rejects(made.save(source), { code: 'bad-argument', problem: /is the picture itself/ });
    await assert.rejects(made.save(path.join(folder, 'x.jpg')), { problem: /does not end in \.png/ });
    await assert.rejects(made.save(path.join(source, 'x.png')), { code: 'unwritable' });
    assert.deepEqual(await readFile(source), await readFile(card));
    const saved = await made.save(path.join(folder, 'new', 'made.png'));
    assert.deepEqual((await decodePicture(saved)).pixels, await made.image);
    assert.deepEqual(await readdir(path.join(folder, 'new')), ['made.png']);
  });

  it('iterate over samples as they are made, with prompts from a file', async () => {
    const list = path.join(folder, 'captions.jsonl');
    await writeFile(list, '{"file": "photos/a.png", "scene": "An astronaut smiles."}\n');
    const set = progression(photos, {
      task: 'low-light',
      out: path.join(folder, 'iterated'),
      size: 64,
      prompts: list,
      limit: 2,
      frames: 5,
    });
    const samples: DataSetSample[] = [];
    for await (const sample of set) samples.push(sample);
    assert.deepEqual(
      samples.map(({ prompt }) => [prompt.source, /astronaut smiles\.$/.test(prompt.text)]),
      [
        ['scene', true],
        ['uniform', false],
      ],
    );
    assert.deepEqual(samples[0]!.severities, [1, 0.75, 0.5, 0.25, 0]);
    for (const file of samples[0]!.frameFiles) assert.equal((await decodePicture(file)).pixels.width, 64);
    assert.equal(set.summary?.count, 2);
    await assert.rejects(set.finish(), /already iterated/);
  });

  it('make samples of real pairs, and take prompts from a function', async () => {
    const pairs = path.join(folder, 'pairs');
    for (const part of ['input', 'reference']) await mkdir(path.join(pairs, part), { recursive: true });
    await copyFile(path.join(pictures, 'card-dark.png'), path.join(pairs, 'input', 'card.png'));
    await copyFile(card, path.join(pairs, 'reference', 'card.png'));
    const options = {
      task: 'low-light',
      out: path.join(folder, 'paired'),
      size: 32,
      pairs: true,
      clip: 'none',
    } as const;
    const set = progression(pairs, { ...options, prompts: ({ name }, task) => `${task}: ${name}` });
    const [sample] = await (async (): Promise<DataSetSample[]> => {
      const all: DataSetSample[] = [];
      for await (const one of set) all.push(one);
      return all;
    })();
    assert.equal(sample?.prompt.text, 'low-light: card');
    assert.ok(sample.degradation.task === 'low-light' && sample.degradation.light.kind === 'pair');
    await assert.rejects(progression(pairs, { ...options, task: 'all' }).finish(), { problem: /low-light only/ });
  });

  it('end with Ctrl-C and with SIGKILL, and go on without a difference', async () => {
    const words = (out: string): string[] => [
      ...['dataset', photos, '--task', 'all', '--size', '112', '--seed', '5', '--out', out, '--json'],
    ];
    const whole = path.join(folder, 'whole');
    const first = await runCli(words(whole));
    assert.equal(first.code, 0, first.stderr);
    assert.equal((JSON.parse(first.stdout) as DataSetSummary).made, 12);
    const broken = path.join(folder, 'broken');
    const finished = (): Promise<number> =>
      readdir(path.join(broken, 'samples')).then(
        (names) => names.length,
        () => 0,
      );
    for (const [signal, after] of [
      ['SIGKILL', 2],
      ['SIGINT', 5],
      ['SIGKILL', 8],
    ] as const) {
      const child = spawn(process.execPath, [path.join(root, 'dist/cli.js'), ...words(broken)], { stdio: 'ignore' });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      while (child.exitCode === null && (await finished()) < after) await new Promise((r) => setTimeout(r, 5));
      child.kill(signal);
      await ended;
      assert.ok((await finished()) < 12, 'it was stopped before it was done');
    }
    const last = await runCli(words(broken));
    assert.equal(last.code, 0, last.stderr);
    const { count, made } = JSON.parse(last.stdout) as DataSetSummary;
    assert.ok(count === 12 && made > 0 && made < 12);
    assert.deepEqual(await tree(broken), await tree(whole));
  });

  it('degrade from the command line', async () => {
    const out = path.join(folder, 'cli');
    const words = ['degrade', card, patch, '--task', 'deblurring', '--severity', '1,0.25', '--seed', '0', '--out', out];
    const result = await runCli([...words, '--parameters', '{"blur":"defocus","length":6}', '--json']);
    assert.equal(result.code, 0, result.stderr);
    const degraded = JSON.parse(result.stdout) as { file: string; severity: number; degradation: unknown }[];
    assert.deepEqual((await readdir(out)).sort(), degraded.map(({ file }) => file).sort());
    assert.deepEqual(
      degraded.map(({ file }) => file),
      ['card.severity-1.png', 'card.severity-0.25.png', 'patch.severity-1.png', 'patch.severity-0.25.png'],
    );
    assert.match(JSON.stringify(degraded[0]!.degradation), /"kind":"defocus","radius":3/);
    const text = await runCli(['degrade', card, '--task', 'super-resolution', '--scale', '2', '--small', '--out', out]);
    assert.match(text.stdout, /card\.png, super-resolution, severity 1: .*card\.png/);
    assert.deepEqual((await decodePicture(path.join(out, 'card.png'))).pixels.width, 32);
  });

  const bad: [string, (out: string) => string[], number, RegExp][] = [
    ['no picture', (out) => ['degrade', '--task', 'low-light', '--out', out], 2, /degrade needs a picture/],
    ['no task', (out) => ['degrade', card, '--out', out], 2, /--task is missing/],
    [
      'all tasks for one picture',
      (out) => ['degrade', card, '--task', 'all', '--out', out],
      2,
      /--task cannot be "all"/,
    ],
    ['no output folder', () => ['degrade', card, '--task', 'low-light'], 2, /--out is missing/],
    [
      'severity 2',
      (out) => ['degrade', card, '--task', 'low-light', '--severity', '2', '--out', out],
      2,
      /--severity has to be/,
    ],
    ['seed -1', (out) => ['degrade', card, '--task', 'low-light', '--seed=-1', '--out', out], 2, /--seed has to be/],
    [
      'a scale of another task',
      (out) => ['degrade', card, '--task', 'low-light', '--scale', '2', '--out', out],
      2,
      /scale is a parameter of super-resolution/,
    ],
    [
      'parameters that are no JSON',
      (out) => ['degrade', card, '--task', 'low-light', '--parameters', 'gain', '--out', out],
      2,
      /--parameters has to be a JSON object/,
    ],
    [
      'an unknown parameter',
      (out) => ['degrade', card, '--task', 'low-light', '--parameters', '{"iso":3}', '--out', out],
      2,
      /no parameter "iso"/,
    ],
    [
      'a small dark picture',
      (out) => ['degrade', card, '--task', 'low-light', '--small', '--out', out],
      2,
      /Only super-resolution/,
    ],
    [
      'its own folder',
      () => ['degrade', card, '--task', 'low-light', '--out', pictures],
      2,
      /is a picture of this call/,
    ],
    [
      'two of one name',
      (out) => ['degrade', card, 'x/card.jpg', '--task', 'low-light', '--out', out],
      2,
      /Two results of this call/,
    ],
    [
      'a missing picture',
      (out) => ['degrade', 'nowhere.png', '--task', 'low-light', '--out', out],
      1,
      /There is no file .*nowhere\.png/,
    ],
    [
      'an option of another command',
      (out) => ['degrade', card, '--task', 'low-light', '--frames', '9', '--out', out],
      2,
      /degrade has no option --frames/,
    ],
    ['no folder', (out) => ['dataset', '--task', 'all', '--out', out], 2, /dataset takes one folder; got 0/],
    [
      'a folder that is not there',
      (out) => ['dataset', 'nowhere', '--task', 'all', '--out', out],
      1,
      /There is no folder/,
    ],
    [
      'a data set inside its pictures',
      () => ['dataset', pictures, '--task', 'all', '--out', path.join(pictures, 'set')],
      2,
      /cannot be written into/,
    ],
    [
      'a data set over other files',
      () => ['dataset', pictures, '--task', 'all', '--out', path.join(root, 'test')],
      2,
      /is not empty and holds no data set/,
    ],
    [
      'a size of 100',
      (out) => ['dataset', pictures, '--task', 'all', '--size', '100', '--out', out],
      2,
      /multiples of 16/,
    ],
    [
      'a size of 96x100',
      (out) => ['dataset', pictures, '--task', 'all', '--size', '96x100', '--out', out],
      2,
      /multiples of 16/,
    ],
    [
      'one frame',
      (out) => ['dataset', pictures, '--task', 'all', '--frames', '1', '--out', out],
      2,
      /number of frames has to be/,
    ],
    [
      'a clip of another kind',
      (out) => ['dataset', pictures, '--task', 'all', '--clip', 'avi', '--out', out],
      2,
      /--clip cannot be "avi"/,
    ],
    [
      'prompts that are not there',
      (out) => ['dataset', pictures, '--task', 'all', '--prompts', 'captions', '--out', out],
      1,
      /captions\.jsonl cannot be read/,
    ],
    [
      'pairs of all tasks',
      (out) => ['dataset', pictures, '--task', 'all', '--pairs', '--out', out],
      2,
      /low-light only/,
    ],
  ];
  for (const [what, words, code, message] of bad) {
    it(`${what}: one clear error, nothing left behind`, async () => {
      const before = await tree(folder);
      const result: CliResult = await runCli(words(path.join(folder, 'never')), { cwd: folder });
      assert.equal(result.code, code, result.stderr);
      assert.equal(result.stdout, '');
      assert.match(result.stderr, message);
      assert.match(result.stderr, /^Error: \S/m);
      assert.doesNotMatch(result.stderr, /^\s+at |undefined|\[object/m);
      assert.deepEqual(await tree(folder), before);
    });
  }
});
