import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { isRunRecord, type Measurement, type RunRecord } from '../../../src/protocol';
import { metrics, shutdown, type EvaluationReport } from '../../../src/api';
import { writeTestModel } from '../restoration/test-model';
import { runCli } from './run-cli';

const root = path.resolve(__dirname, '../../..');
const pictures = path.join(root, 'test/fixtures/pictures');

describe('command line', () => {
  let folder: string;
  let model: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-cli-'));
    model = await writeTestModel(path.join(folder, 'model'));
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('restores: nine frames, a strip and a record; JSON alone on standard output', async () => {
    const out = path.join(folder, 'restored');
    const input = path.join(pictures, 'card-blurred.png');
    const words = ['restore', input, '--task', 'deblurring', '--reference', path.join(pictures, 'card.png')];
    const result = await runCli([...words, '--model', model, '--device', 'cpu', '--out', out, '--json']);
    assert.equal(result.code, 0, result.stderr);
    const [record, ...more] = JSON.parse(result.stdout) as RunRecord[];
    assert.equal(more.length, 0);
    assert.ok(isRunRecord(record));
    assert.equal(record.taskSource, 'user');
    assert.deepEqual(record.protocol, { name: 'rgb', scale: 1 });
    const names = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((k) => `card-blurred.frame-${k}.png`);
    assert.deepEqual(
      record.frames.map(({ file }) => file),
      names,
    );
    assert.deepEqual((await readdir(out)).sort(), [...names, 'card-blurred.run.json', 'card-blurred.strip.png'].sort());
    assert.deepEqual(JSON.parse(await readFile(path.join(out, 'card-blurred.run.json'), 'utf8')), record);
    const first = await sharp(path.join(out, names[0] as string))
      .raw()
      .toBuffer();
    const source = await sharp(input).removeAlpha().raw().toBuffer();
    assert.equal(Buffer.compare(first, source), 0, 'frame 1 is the input');
    const strip = await sharp(path.join(out, 'card-blurred.strip.png')).metadata();
    assert.ok((strip.width ?? 0) > 600);
  });

  it('prints a table for people', async () => {
    const words = ['restore', path.join(pictures, 'card-dark.png'), '--task', 'low-light', '--frames', '3'];
    const result = await runCli([...words, '--model', model, '--device', 'cpu', '--out', path.join(folder, 'table')]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /frame\s+severity/);
    assert.match(result.stdout, /card-dark\.\*/);
    assert.equal(result.stderr, '', 'no progress bar where nobody watches');
  });

  it('enlarges for super-resolution', async () => {
    const words = ['restore', path.join(pictures, 'card-small.png'), '--task', 'super-resolution', '--scale', '4'];
    const reference = ['--reference', path.join(pictures, 'card.png')];
    const rest = ['--model', model, '--device', 'cpu', '--out', path.join(folder, 'large'), '--json'];
    const result = await runCli([...words, ...reference, ...rest]);
    assert.equal(result.code, 0, result.stderr);
    const [record] = JSON.parse(result.stdout) as RunRecord[];
    assert.deepEqual([record?.input.width, record?.input.height], [16, 12]);
    assert.deepEqual([record?.frames[0]?.width, record?.frames[0]?.height], [64, 48]);
    assert.deepEqual(record?.protocol, { name: 'sr', scale: 4 });
  });

  it('measures a pair', async () => {
    const files = ['card-blurred.png', 'card.png'].map((file) => path.join(pictures, file));
    const result = await runCli(['metrics', ...files, '--protocol', 'sr', '--scale', '4', '--json']);
    assert.equal(result.code, 0, result.stderr);
    const measured = JSON.parse(result.stdout) as Measurement;
    assert.deepEqual(measured, await metrics(files[0] as string, files[1] as string, { protocol: 'sr', scale: 4 }));
    assert.match((await runCli(['metrics', ...files, '--protocol', 'rgb'])).stdout, /PSNR\s+\d+\.\d+ dB/);
  });

  it('evaluates a test set, lists what failed, and keeps the means of the others', async () => {
    const set = path.join(folder, 'set');
    for (const part of ['input', 'reference']) await mkdir(path.join(set, part), { recursive: true });
    for (const [name, input, reference] of [
      ['one', 'card-blurred.png', 'card.png'],
      ['two', 'patch-noisy.png', 'patch.png'],
      ['wrong', 'card.png', 'patch.png'],
    ] as const) {
      await copyFile(path.join(pictures, input), path.join(set, 'input', `${name}.png`));
      await copyFile(path.join(pictures, reference), path.join(set, 'reference', `${name}.png`));
    }
    const words = ['evaluate', set, '--task', 'deblurring', '--protocol', 'rgb', '--model', model, '--device', 'cpu'];
    const result = await runCli([...words, '--json']);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /wrong: The reference has 128x112/);
    const report = JSON.parse(result.stdout) as EvaluationReport;
    assert.equal(report.count, 2);
    assert.deepEqual(
      report.items.map(({ name }) => name),
      ['one', 'two'],
    );
    assert.deepEqual(
      report.failures.map(({ name }) => name),
      ['wrong'],
    );
    assert.equal(report.frames.length, 9);
    const mean = report.items.reduce((sum, { frames }) => sum + (frames[8]?.psnr as number), 0) / report.items.length;
    assert.ok(Math.abs((report.frames[8]?.psnr as number) - mean) < 1e-9);
    assert.ok((report.secondsPerPicture ?? 0) > 0 && (report.peakMemoryMiB ?? 0) > 0);
    const limited = JSON.parse((await runCli([...words, '--limit', '1', '--json'])).stdout) as EvaluationReport;
    assert.deepEqual([limited.count, limited.failures.length], [1, 0]);
  });

  it('stops on Ctrl-C and leaves nothing half-written', async () => {
    const large = path.join(folder, 'large.png');
    await sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#468' } })
      .png()
      .toFile(large);
    const out = path.join(folder, 'interrupted');
    const temporary = path.join(folder, 'temporary');
    await mkdir(temporary);
    const result = await runCli(
      ['restore', large, '--task', 'deblurring', '--model', model, '--device', 'cpu', '--out', out],
      {
        env: { TMPDIR: temporary, TEMP: temporary, TMP: temporary },
        // The first frame is stored while the others are still to be computed.
        interruptWhen: () => readdirSync(temporary, { recursive: true }).some((name) => String(name).endsWith('.png')),
      },
    );
    assert.equal(result.code, 130, `${result.stdout}${result.stderr}`);
    assert.match(result.stderr, /The run was cancelled/);
    await assert.rejects(readdir(out), /ENOENT/);
    // Frames of a run that was given up lie nowhere either.
    assert.deepEqual(
      readdirSync(temporary).filter((name) => name.startsWith('progressive-restoration-frames-')),
      [],
    );
  });

  it('says its usage and its version', async () => {
    const help = await runCli(['--help']);
    assert.equal(help.code, 0);
    for (const word of ['restore', 'evaluate', 'metrics', 'notebook run', 'devices'])
      assert.ok(help.stdout.includes(word));
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await runCli(['--version'])).stdout.trim(), version);
  });
});
