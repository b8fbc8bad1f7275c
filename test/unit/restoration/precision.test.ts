import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  isRunRecord,
  type Precision,
  type RestorationError,
  type RestoreRequest,
  type RunView,
  type Task,
} from '../../../src/protocol';
import { checkRequest } from '../../../src/inference/check-request';
import { choosePrecision } from '../../../src/restoration/compact/precision';
import { decodePicture } from '../../../src/restoration/image/decode';
import { parseManifest, type TrajectoryManifest } from '../../../src/restoration/models/manifest';
import { ModelPool } from '../../../src/restoration/run/model-pool';
import { restorePicture } from '../../../src/restoration/run/restore-picture';
import { saveResult } from '../../../src/restoration/run/save-result';
import { writeTestAdapter } from '../adapters/test-adapter';
import { EXPERT_STEPS, writeTestModel } from './test-model';

const picture = path.resolve(__dirname, '../../fixtures/pictures/card.png');
const silent = { onProgress: () => undefined, onStart: () => undefined, onFrame: () => undefined };
const signal = new AbortController().signal;

describe('precision', () => {
  let folder: string;
  let model: string;
  let manifest: TrajectoryManifest;
  const pool = new ModelPool();

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-precision-'));
    model = await writeTestModel(path.join(folder, 'test-model'), { experts: true, head: 'mixed' });
    // Another expert's networks in place of int8 ones: the frame tells which acted.
    const file = path.join(model, 'manifest.json');
    const json = JSON.parse(await readFile(file, 'utf8')) as { experts: Record<Task, Record<string, unknown>> };
    json.experts['super-resolution'].int8 = { trunk: 'low-light-trunk', head: 'low-light-head' };
    await writeFile(file, JSON.stringify(json));
    manifest = parseManifest(json, model) as TrajectoryManifest;
  });
  after(async () => {
    await pool.release();
    await rm(folder, { recursive: true, force: true });
  });

  function requestOf(task: Task, changes: Partial<RestoreRequest>): RestoreRequest {
    return checkRequest('restore', {
      input: picture,
      task,
      scale: 1,
      frames: 1,
      severities: [0],
      model,
      device: 'cpu',
      framesFolder: path.join(folder, 'frames'),
      priority: 'interactive',
      ...changes,
    });
  }

  async function stepOf(file: string): Promise<number> {
    const before = (await decodePicture(picture)).pixels.data;
    const { data } = (await decodePicture(file)).pixels;
    const darkest = before.reduce((best, value, i) => (value < (before[best] as number) ? i : best), 0);
    const dark = before[darkest] as number;
    const white = data instanceof Uint16Array ? 65535 : 255;
    return (((data[darkest] as number) / white) * 255 - dark) / (255 - dark);
  }

  async function run(task: Task, changes: Partial<RestoreRequest> = {}): Promise<{ view: RunView; step: number }> {
    const view = await restorePicture(requestOf(task, changes), pool, silent, signal);
    return { view, step: await stepOf(path.join(folder, 'frames', view.record.frames[0]!.file)) };
  }

  const near = (step: number, task: Task): void => assert.ok(Math.abs(step - EXPERT_STEPS[task]) < 0.02, `${step}`);

  it('is int8 where the expert has it, and the record says so', async () => {
    for (const precision of [undefined, 'auto', 'int8'] as const) {
      const { view, step } = await run('super-resolution', { precision });
      near(step, 'low-light');
      assert.equal(view.record.model.precision, 'int8');
      assert.ok(isRunRecord(JSON.parse(JSON.stringify(view.record))));
    }
    const { view, step } = await run('deblurring');
    near(step, 'deblurring');
    assert.equal(view.record.model.precision, 'fp32');
  });

  it('is fp32 on demand, also right after int8', async () => {
    await run('super-resolution');
    const { view, step } = await run('super-resolution', { precision: 'fp32' });
    near(step, 'super-resolution');
    assert.equal(view.record.model.precision, 'fp32');
  });

  it('is fp32 with adapters', async () => {
    const file = await writeTestAdapter(path.join(folder, 'green.safetensors'), model, 'super-resolution');
    const adapters = [{ file, scale: 0 }];
    const { view, step } = await run('super-resolution', { adapters });
    near(step, 'super-resolution');
    assert.equal(view.record.model.precision, 'fp32');
    await assert.rejects(
      run('super-resolution', { adapters, precision: 'int8' }),
      /adapters act on fp32 networks only/,
    );
  });

  it('is fp32 where 16 bits are computed, and that of the run where 8 are', async () => {
    const { view } = await run('super-resolution');
    const save = async (depth: 8 | 16): Promise<number> => {
      const output = path.join(folder, `saved-${depth}.png`);
      const request = checkRequest('save', {
        record: view.record,
        framesFolder: path.join(folder, 'elsewhere'),
        input: picture,
        severity: 0.001,
        output,
        depth,
        model,
        device: 'cpu',
        priority: 'interactive',
      });
      await saveResult(request, pool, silent, signal);
      return stepOf(output);
    };
    near(await save(8), 'low-light');
    near(await save(16), 'super-resolution');
  });

  it('refuses int8 that is not possible, in one sentence', () => {
    const choose = (wish: Precision, task: Task, device: 'cpu' | 'webgpu' = 'cpu'): string | undefined =>
      choosePrecision(manifest, wish, { task, device, adapted: false });
    assert.equal(choose('auto', 'super-resolution', 'webgpu'), 'fp32');
    for (const call of [() => choose('int8', 'deblurring'), () => choose('int8', 'super-resolution', 'webgpu')]) {
      assert.throws(call, (error: RestorationError) => error.code === 'bad-argument' && error.remedy !== '');
    }
    const experts = { ...manifest.experts, 'super-resolution': manifest.experts!.deblurring! };
    const without = { ...manifest, experts };
    assert.equal(choosePrecision(without, 'auto', { task: 'deblurring', device: 'cpu', adapted: false }), undefined);
  });

  it('is checked at the border', () => {
    const wrong = { ...requestOf('deblurring', {}), precision: 'int4' };
    assert.throws(() => checkRequest('restore', wrong), /precision/);
    const broken = structuredClone(manifest) as unknown as { experts: Record<Task, { int8?: unknown }> };
    broken.experts['super-resolution'].int8 = { trunk: 'low-light-trunk', head: 'nothing' };
    assert.throws(() => parseManifest(broken, model), /int8\.head" names no file/);
  });
});
