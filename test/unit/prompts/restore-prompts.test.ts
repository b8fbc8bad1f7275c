import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { isRunRecord } from '../../../src/protocol';
import { RestorationError, detect, restore, shutdown, type RestoreOptions } from '../../../src/api';
import { writeTestModel } from '../restoration/test-model';

const pictures = path.resolve(__dirname, '../../fixtures/pictures');
const dark = path.join(pictures, 'card-dark.png');

describe('prompts and detection in a run', () => {
  let folder: string;
  let common: RestoreOptions;
  let server: Server;
  let asked = 0;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-prompts-'));
    common = { model: await writeTestModel(path.join(folder, 'model')), device: 'cpu', frames: 2 };
    server = createServer((_, response) => {
      asked++;
      response.end(JSON.stringify({ choices: [{ message: { content: 'Please sharpen and enlarge a card.' } }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  after(async () => {
    await shutdown();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  it('detects a dark picture, says how sure that is, and restores it so', async () => {
    const guess = await detect(dark);
    assert.equal(guess.task, 'low-light', JSON.stringify(guess));
    const { record } = await restore(dark, common);
    assert.ok(isRunRecord(record));
    assert.equal(record.task, 'low-light');
    assert.equal(record.taskSource, 'detected');
    assert.equal(record.taskConfidence, guess.confidence);
    assert.equal(record.prompt.source, 'uniform');
  });

  it('has the built-in describer write the scene', async () => {
    const { record } = await restore(dark, { ...common, task: 'deblurring', prompt: 'auto' });
    assert.equal(record.taskSource, 'user');
    assert.equal(record.taskConfidence, undefined);
    assert.equal(record.prompt.source, 'described');
    assert.match(record.prompt.text, /\. A .*dark.* picture .+\.$/);
  });

  it('has an endpoint describe the scene, whose words decide no task', async () => {
    const endpoint = { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, model: 'm' };
    const { record } = await restore(dark, { ...common, describe: endpoint });
    assert.equal(asked, 1);
    assert.equal(record.task, 'low-light');
    assert.equal(record.taskSource, 'detected');
    assert.equal(record.prompt.source, 'endpoint');
    assert.ok(record.prompt.text.endsWith(' Please sharpen and enlarge a card.'), record.prompt.text);
  });

  it('refuses a prompt beside an endpoint that is to write one', async () => {
    await assert.rejects(
      restore(dark, { ...common, prompt: 'A card.', describe: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' } }),
      (error: unknown) => error instanceof RestorationError && error.code === 'bad-argument',
    );
  });

  it('fails with the endpoint, not with a guess', async () => {
    await assert.rejects(
      restore(dark, { ...common, task: 'deblurring', describe: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' } }),
      (error: unknown) => error instanceof RestorationError && error.code === 'endpoint-failed',
    );
  });

  it('says what detect needs', async () => {
    await assert.rejects(detect(''), /needs the path of a picture/);
    await assert.rejects(detect(path.join(folder, 'none.png')), /none\.png/);
  });
});
