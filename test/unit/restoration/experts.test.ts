import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, TASKS, type RestoreRequest, type RunRecord, type RunStart } from '../../../src/protocol';
import { CompactModel } from '../../../src/restoration/compact/compact-model';
import { decodePicture } from '../../../src/restoration/image/decode';
import { findModel } from '../../../src/restoration/models/manifest';
import { ModelPool } from '../../../src/restoration/run/model-pool';
import { resolveTask } from '../../../src/restoration/run/resolve-task';
import { restorePicture } from '../../../src/restoration/run/restore-picture';
import { EXPERT_STEPS, TASK_WORDS, writeTestModel } from './test-model';

const picture = path.resolve(__dirname, '../../fixtures/pictures/card.png');

describe('experts of a model', () => {
  let folder: string;
  let frames: string;
  let routed: string;
  let single: string;
  let silent: string;
  const pool = new ModelPool();

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-experts-'));
    frames = path.join(folder, 'frames');
    routed = await writeTestModel(path.join(folder, 'routed'), { experts: true });
    single = await writeTestModel(path.join(folder, 'single'));
    silent = await writeTestModel(path.join(folder, 'silent'), { tellsTasks: false });
  });
  after(async () => {
    await pool.release();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(changes: Partial<RestoreRequest>): Promise<{ record: RunRecord; start: RunStart; step: number }> {
    const started: RunStart[] = [];
    const { record } = await restorePicture(
      {
        input: picture,
        frames: 2,
        scale: 1,
        model: routed,
        device: 'cpu',
        framesFolder: frames,
        priority: 'interactive',
        ...changes,
      },
      pool,
      { onStart: (start) => started.push(start), onProgress: () => undefined, onFrame: () => undefined },
      new AbortController().signal,
    );
    assert.equal(started.length, 1);
    const before = (await decodePicture(picture)).pixels.data;
    const after = (await decodePicture(path.join(frames, record.frames[1]?.file ?? ''))).pixels.data;
    // The head goes `step` of the way to white: a dark sample tells it best.
    const darkest = before.reduce((best, value, i) => (value < (before[best] as number) ? i : best), 0);
    const dark = before[darkest] as number;
    return { record, start: started[0] as RunStart, step: ((after[darkest] as number) - dark) / (255 - dark) };
  }

  for (const task of TASKS) {
    it(`lets ${task} act when it is given, whatever the prompt says`, async () => {
      const others = TASKS.filter((other) => other !== task).map((other) => TASK_WORDS[other]);
      for (const prompt of [undefined, `${others.join(' ')} ${others.join(' ')} ${others.join(' ')}`]) {
        const { record, start, step } = await run({ task, ...(prompt ? { prompt } : {}) });
        assert.equal(record.task, task);
        assert.equal(record.taskSource, 'user');
        assert.equal(record.model.expert, task);
        assert.deepEqual(start.model, record.model);
        assert.ok(Math.abs(step - EXPERT_STEPS[task]) < 0.01, `${task} moved by ${step}`);
        assert.equal(record.prompt.source, prompt ? 'user' : 'uniform');
      }
    });

    it(`lets ${task} act when only the prompt asks for it`, async () => {
      const { record, step } = await run({ prompt: `  please ${TASK_WORDS[task]} ` });
      assert.equal(record.task, task);
      assert.equal(record.taskSource, 'prompt');
      assert.equal(record.model.expert, task);
      assert.deepEqual(record.prompt, { text: `please ${TASK_WORDS[task]}`, source: 'user' });
      assert.equal(record.scale, task === 'super-resolution' ? 1 : undefined);
      assert.ok(Math.abs(step - EXPERT_STEPS[task]) < 0.01, `${task} moved by ${step}`);
    });
  }

  it('are not named where one trunk and head serve all tasks, and the prompt still decides', async () => {
    const { record } = await run({ model: single, prompt: TASK_WORDS['low-light'] });
    assert.equal(record.task, 'low-light');
    assert.equal('expert' in record.model, false);
  });

  it('load when they first act and unload when they are idle', async () => {
    const installed = await findModel(routed);
    assert.ok(installed.manifest.kind === 'trajectory');
    const model = await CompactModel.load({ ...installed, manifest: installed.manifest }, 'cpu');
    assert.deepEqual(model.loadedExperts, []);
    const signal = new AbortController().signal;
    const { pixels } = await decodePicture(picture);
    for await (const frame of model.trajectory({
      picture: pixels,
      task: 'deblurring',
      prompt: '',
      severities: [0],
      signal,
      onProgress: () => undefined,
    })) {
      assert.equal(frame.index, 0);
    }
    assert.deepEqual(model.loadedExperts, ['deblurring-trunk, deblurring-head']);
    await model.releaseIdle(60_000);
    assert.equal(model.loadedExperts.length, 1);
    await model.releaseIdle(0);
    assert.deepEqual(model.loadedExperts, []);
    await model.release();
  });

  const undecided: [string, Partial<RestoreRequest>, RegExp][] = [
    ['no task for a model whose encoder tells none apart', { prompt: 'brighten' }, /cannot tell from a prompt/],
  ];
  for (const [what, changes, message] of undecided) {
    it(`refuse ${what}`, async () => {
      await assert.rejects(run({ model: silent, ...changes }), (error) => {
        assert.ok(error instanceof RestorationError);
        assert.equal(error.code, 'bad-argument');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('of the model that ships follow its own sentences and free wording', async () => {
    const { model } = await pool.restoration('compact', 'cpu');
    const { uniformPrompts } = (await findModel('compact')).manifest;
    for (const task of TASKS) {
      const { task: found, confidence } = await model.taskOf(uniformPrompts[task]);
      assert.equal(found, task);
      assert.ok(confidence > 0.5 && confidence <= 1);
    }
    assert.equal((await model.taskOf('my photo is far too dark')).task, 'low-light');
    assert.equal((await model.taskOf('sharpen this shaky shot, no need to brighten it')).task, 'deblurring');
  });
});

describe('the task of a run', () => {
  const fromPrompt = () => Promise.resolve({ task: 'low-light' as const, confidence: 0.9 });
  const fromPicture = () => ({ task: 'deblurring' as const, confidence: 0.6 });

  it('is the given one, then the prompt, then the picture', async () => {
    const deciders = { fromPrompt, fromPicture };
    assert.deepEqual(await resolveTask({ task: 'deblurring', prompt: 'x' }, deciders), {
      task: 'deblurring',
      taskSource: 'user',
    });
    assert.deepEqual(await resolveTask({ prompt: 'x' }, deciders), {
      task: 'low-light',
      taskSource: 'prompt',
      confidence: 0.9,
    });
    for (const prompt of [undefined, '', '  ']) {
      assert.deepEqual(await resolveTask(prompt === undefined ? {} : { prompt }, deciders), {
        task: 'deblurring',
        taskSource: 'detected',
        confidence: 0.6,
      });
    }
  });

  it('is refused when nothing decides', async () => {
    await assert.rejects(resolveTask({}, {}), /Neither a task nor a prompt/);
    await assert.rejects(resolveTask({ prompt: ' ' }, { fromPrompt }), /Neither a task nor a prompt/);
  });
});
