import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  RestorationError,
  adapterNames,
  isRunRecord,
  type AdapterWish,
  type RestoreRequest,
  type RunView,
  type Task,
} from '../../../src/protocol';
import { checkRequest } from '../../../src/inference/check-request';
import { decodePicture } from '../../../src/restoration/image/decode';
import { describeWork } from '../../../src/restoration/report/labels';
import { ModelPool } from '../../../src/restoration/run/model-pool';
import { restorePicture } from '../../../src/restoration/run/restore-picture';
import { saveResult } from '../../../src/restoration/run/save-result';
import { EXPERT_STEPS, TASK_WORDS, writeTestModel } from '../restoration/test-model';
import { writeTestNetwork } from '../models/test-network';
import { writeTestAdapter, type TestAdapterOptions } from './test-adapter';

const picture = path.resolve(__dirname, '../../fixtures/pictures/card.png');
const silent = { onProgress: () => undefined, onStart: () => undefined, onFrame: () => undefined };

describe('restoring with adapters', () => {
  let folder: string;
  let model: string;
  const pool = new ModelPool();

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-adapters-'));
    model = await writeTestModel(path.join(folder, 'test-model'), { experts: true, head: 'mixed' });
  });
  after(async () => {
    await pool.release();
    await rm(folder, { recursive: true, force: true });
  });

  const writeAdapter = (name: string, task: Task, options?: TestAdapterOptions): Promise<string> =>
    writeTestAdapter(path.join(folder, name), model, task, options);

  function restore(adapters: AdapterWish[], more: Partial<RestoreRequest> = {}): Promise<RunView> {
    const request: RestoreRequest = {
      input: picture,
      severities: [0],
      frames: 1,
      model,
      adapters,
      device: 'cpu',
      framesFolder: path.join(folder, 'frames'),
      priority: 'interactive',
      ...more,
    };
    return restorePicture(checkRequest('restore', request), pool, silent, new AbortController().signal);
  }

  /** What the network has to give: each channel steps towards white, green further by `more` times the step of red. */
  async function assertFrame(view: RunView, task: Task, more: number): Promise<void> {
    const input = (await decodePicture(picture)).pixels.data;
    const frame = (await decodePicture(path.join(folder, 'frames', view.record.frames[0]!.file))).pixels.data;
    for (let i = 0; i < input.length; i++) {
      const dark = (k: number): number => 255 - (input[k] as number);
      const step = dark(i) + (i % 3 === 1 ? more * dark(i - 1) : 0);
      const expected = Math.min(255, Math.max(0, (input[i] as number) + EXPERT_STEPS[task] * step));
      assert.ok(Math.abs((frame[i] as number) - expected) <= 1, `${i}: ${frame[i]} instead of ${expected}`);
    }
  }

  it('merges one by its scale and names it in the record', async () => {
    const file = await writeAdapter('green.safetensors', 'deblurring');
    const view = await restore([{ file, scale: 0.5 }], { task: 'deblurring' });
    await assertFrame(view, 'deblurring', 0.5);
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    assert.deepEqual(view.record.model.adapter, { file: 'green.safetensors', sha256, scale: 0.5 });
    assert.ok(isRunRecord(JSON.parse(JSON.stringify(view.record))));
    assert.match(describeWork(view.record), /^test-model \+ green\.safetensors × 0\.5 · cpu/);
    const plain = await restore([], { task: 'deblurring' });
    await assertFrame(plain, 'deblurring', 0);
    assert.equal(plain.record.model.adapter, undefined);
    assert.deepEqual(
      (await restore([{ file, scale: 0 }], { task: 'deblurring' })).record.frames[0]!.file,
      plain.record.frames[0]!.file,
    );
  });

  it('adds several up, and leaves out those of other experts', async () => {
    const one = await writeAdapter('one.safetensors', 'deblurring', { strength: 0.25 });
    const two = await writeAdapter('two.safetensors', 'deblurring', { strength: 0.5 });
    const dark = await writeAdapter('dark.safetensors', 'low-light', { strength: -1 });
    const wishes = [one, two, dark].map((file) => ({ file, scale: 1 }));
    const view = await restore(wishes, { task: 'deblurring' });
    await assertFrame(view, 'deblurring', 0.75);
    assert.deepEqual(adapterNames(view.record.model.adapter), ['one.safetensors', 'two.safetensors']);
    const other = await restore(wishes, { task: 'low-light' });
    await assertFrame(other, 'low-light', -1);
    assert.deepEqual(adapterNames(other.record.model.adapter), ['dark.safetensors']);
  });

  it('lets the adapter decide the task when nobody else does, and says when a prompt means another', async () => {
    const file = await writeAdapter('quiet.safetensors', 'low-light', { strength: 0 });
    const view = await restore([{ file, scale: 1 }]);
    assert.equal(view.record.task, 'low-light');
    assert.equal(view.record.taskSource, 'user');
    assert.equal(
      (await restore([{ file, scale: 1 }], { prompt: TASK_WORDS['low-light'] })).record.taskSource,
      'prompt',
    );
    const asks = (more: Partial<RestoreRequest>, problem: RegExp): Promise<void> =>
      assert.rejects(restore([{ file, scale: 1 }], more), (error) => {
        return error instanceof RestorationError && error.code === 'bad-argument' && problem.test(error.message);
      });
    await asks(
      { prompt: TASK_WORDS.deblurring },
      /quiet\.safetensors is for low-light, but the prompt asks for deblurring/,
    );
    await asks({ task: 'deblurring' }, /is for low-light, but the task is deblurring/);
  });

  it('finds the adapters that ship with a model by their names', async () => {
    await mkdir(path.join(model, 'adapters'), { recursive: true });
    await copyFile(await writeAdapter('a.safetensors', 'deblurring'), path.join(model, 'adapters/green.safetensors'));
    const view = await restore([{ file: 'green', scale: 1 }], { task: 'deblurring' });
    await assertFrame(view, 'deblurring', 1);
    await assert.rejects(restore([{ file: 'blue', scale: 1 }]), { code: 'missing-file' });
  });

  it('keeps one adapted model beside the plain one, and sees that a file was replaced', async () => {
    const file = await writeAdapter('same.safetensors', 'deblurring', { strength: 1 });
    await assertFrame(await restore([{ file, scale: 1 }], { task: 'deblurring' }), 'deblurring', 1);
    await writeAdapter('same.safetensors', 'deblurring', { strength: -1 });
    await assertFrame(await restore([{ file, scale: 1 }], { task: 'deblurring' }), 'deblurring', -1);
    const first = await pool.restoration(model, 'cpu', [{ file, scale: 0.1 }]);
    const again = await pool.restoration(model, 'cpu', [{ file, scale: 0.1 }]);
    assert.equal(first.model, again.model);
    const other = await pool.restoration(model, 'cpu', [{ file, scale: 0.2 }]);
    assert.notEqual(first.model, other.model);
    assert.notEqual((await pool.restoration(model, 'cpu', [{ file, scale: 0.1 }])).model, first.model);
  });

  it('saves another severity with the adapters of the run, and not with others', async () => {
    const file = await writeAdapter('save.safetensors', 'deblurring', { strength: 0.5 });
    const adapters = [{ file, scale: 1 }];
    const { record } = await restore(adapters, { task: 'deblurring' });
    const save = (wishes: AdapterWish[] | undefined, severity: number): Promise<unknown> =>
      saveResult(
        checkRequest('save', {
          record,
          framesFolder: path.join(folder, 'frames'),
          input: picture,
          severity,
          output: path.join(folder, 'saved.png'),
          model,
          adapters: wishes,
          device: 'cpu',
          priority: 'interactive',
        }),
        pool,
        silent,
        new AbortController().signal,
      );
    await save(adapters, 0.5);
    const input = (await decodePicture(picture)).pixels.data;
    const saved = (await decodePicture(path.join(folder, 'saved.png'))).pixels.data;
    const green = (input[1] as number) + 0.25 * (255 - (input[1] as number)) + 0.125 * (255 - (input[0] as number));
    assert.ok(Math.abs((saved[1] as number) - Math.min(255, green)) <= 1, `${saved[1]} instead of ${green}`);
    for (const wrong of [undefined, [{ file, scale: 0.5 }]]) {
      await assert.rejects(save(wrong, 0.25), /or its adapter has changed since the run/);
    }
  });

  const refusals: [name: string, options: TestAdapterOptions, problem: RegExp][] = [
    ['another model', { edit: { base_model_name_or_path: 'other' } }, /made for model other, not for test-model/],
    ['other weights', { edit: { head_sha256: '0'.repeat(64) } }, /other deblurring weights than those of test-model/],
    ['no known task', { edit: { task: 'deraining' } }, /name the task deraining/],
    [
      'a part that the model has not',
      { layer: 'decoder.mix' },
      /changes decoder\.mix, and test-model has only trunk and head/,
    ],
    ['a layer that the network has not', { layer: 'trunk.mix' }, /test-model\/deblurring-trunk has no layer mix/],
  ];
  for (const [name, options, problem] of refusals) {
    it(`refuses an adapter of ${name}`, async () => {
      const file = await writeAdapter('wrong.safetensors', 'deblurring', options);
      await assert.rejects(restore([{ file, scale: 1 }], { task: 'deblurring' }), (error) => {
        return error instanceof RestorationError && error.code === 'bad-adapter' && problem.test(error.message);
      });
    });
  }

  it('refuses adapters of a plain network, and wishes that make no sense', async () => {
    const file = await writeAdapter('fine.safetensors', 'deblurring');
    const network = await writeTestNetwork(path.join(folder, 'test-network'), 'identity');
    await assert.rejects(restore([{ file, scale: 1 }], { model: network, task: 'deblurring' }), /takes no adapters/);
    for (const [wishes, problem] of [
      [[{ file, scale: 11 }], /number from -10 to 10, not 11/],
      [[{ file, scale: Number.NaN }], /number from -10 to 10/],
      [[{ file: 'a/b.safetensors', scale: 1 }], /has to be the path of a file/],
      [[null], /number from -10 to 10/],
      ['reds', /list of at most 8/],
    ] as const) {
      await assert.rejects(
        async () => restore(wishes as never),
        (error) => {
          return error instanceof RestorationError && error.code === 'bad-argument' && problem.test(error.message);
        },
      );
    }
  });
});
