import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { adapterNames, type RunRecord } from '../../../src/protocol';
import type { EvaluationReport } from '../../../src/api';
import { parseCall } from '../../../src/cli/arguments';
import { writeTestAdapter } from '../adapters/test-adapter';
import { writeTestModel } from '../restoration/test-model';
import { runCli } from './run-cli';

const pictures = path.resolve(__dirname, '../../fixtures/pictures');

describe('adapters on the command line', () => {
  let folder: string;
  let model: string;
  let adapter: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-cli-adapters-'));
    model = await writeTestModel(path.join(folder, 'test-model'), { experts: true, head: 'mixed' });
    adapter = await writeTestAdapter(path.join(folder, 'green.safetensors'), model, 'deblurring');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('are files with or without a scale', () => {
    const wishes = (...words: string[]): unknown => parseCall(['restore', ...words]).adapters;
    assert.deepEqual(wishes(), []);
    assert.deepEqual(wishes('--adapter', 'reds', '--adapter', 'a/b.safetensors:0.5'), [
      { file: 'reds', scale: 1 },
      { file: 'a/b.safetensors', scale: 0.5 },
    ]);
    assert.deepEqual(wishes('--adapter', 'C:\\mine.safetensors:-1'), [{ file: 'C:\\mine.safetensors', scale: -1 }]);
    assert.deepEqual(wishes('--adapter', 'C:\\mine.safetensors'), [{ file: 'C:\\mine.safetensors', scale: 1 }]);
    assert.throws(() => parseCall(['restore', '--adapter', '']), { code: 'bad-argument' });
  });

  it('act in restore, and stand in its record', async () => {
    const words = [
      'restore',
      path.join(pictures, 'card-blurred.png'),
      '--severity',
      '0',
      '--model',
      model,
      '--device',
      'cpu',
    ];
    const result = await runCli([...words, '--adapter', `${adapter}:0.5`, '--out', path.join(folder, 'out'), '--json']);
    assert.equal(result.code, 0, result.stderr);
    const [record] = JSON.parse(result.stdout) as RunRecord[];
    assert.equal(record!.task, 'deblurring');
    assert.deepEqual(adapterNames(record!.model.adapter), ['green.safetensors × 0.5']);
    const wrong = await runCli([...words, '--adapter', adapter, '--task', 'low-light', '--out', folder]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /green\.safetensors is for deblurring, but the task is low-light/);
    const none = await runCli([...words, '--adapter', 'blue', '--out', folder]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /blue\.safetensors cannot be read \(ENOENT\)/);
  });

  it('act in evaluate, which does not go on with the rows of another adapter', async () => {
    const set = path.join(folder, 'set');
    for (const [part, file] of [
      ['input', 'card-blurred.png'],
      ['reference', 'card.png'],
    ] as const) {
      await mkdir(path.join(set, part), { recursive: true });
      await copyFile(path.join(pictures, file), path.join(set, part, 'card.png'));
    }
    const words = ['evaluate', set, '--task', 'deblurring', '--frames', '2', '--metrics', 'psnr', '--model', model];
    const more = ['--device', 'cpu', '--out', path.join(folder, 'rows'), '--json'];
    const evaluate = (...extra: string[]): ReturnType<typeof runCli> => runCli([...words, ...more, ...extra]);
    const adapted = await evaluate('--adapter', adapter);
    assert.equal(adapted.code, 0, adapted.stderr);
    const report = JSON.parse(adapted.stdout) as EvaluationReport;
    assert.deepEqual(adapterNames(report.model.adapter), ['green.safetensors']);
    const again = await evaluate('--adapter', adapter, '--resume');
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual((JSON.parse(again.stdout) as EvaluationReport).frames, report.frames);
    for (const other of [[], ['--adapter', `${adapter}:0.5`]]) {
      const refused = await evaluate(...other, '--resume');
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /adapters/);
    }
  });
});
