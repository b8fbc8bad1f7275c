import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { InferenceClient } from '../../../src/inference/client';
import { ServiceHost } from '../../../src/inference/service-host';
import { CHECK_NAMES } from '../../../src/protocol';
import { writeTestModel } from '../restoration/test-model';

describe('check of the installation', () => {
  let folder: string;
  let host: ServiceHost;
  let client: InferenceClient;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-check-'));
    host = new ServiceHost();
    client = new InferenceClient(() => host.address(), { forceCancel: () => host.kill() });
  });
  after(async () => {
    client.close();
    await host.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it('runs pictures, the model and metrics, and names devices and versions', async () => {
    const report = await client.check({ device: 'cpu', model: 'compact', priority: 'interactive' });
    assert.deepEqual(
      report.checks.map(({ name, ok, detail }) => [name, ok ? true : detail]),
      CHECK_NAMES.map((name) => [name, true]),
    );
    const [pictures, network, metrics] = report.checks;
    assert.match(pictures?.detail ?? '', /png, jpeg, webp, avif, tiff/);
    assert.match(network?.detail ?? '', /^compact made 3 frames of 256x192 pixels on cpu in \d+\.\d\d s$/);
    assert.match(metrics?.detail ?? '', /^PSNR 24\.048, SSIM 0\.989, LPIPS 0\.517, FLIP 0\.000$/);
    assert.ok(report.devices.find(({ device }) => device === 'cpu')?.available);
    assert.equal(report.devices.filter(({ automatic }) => automatic).length, 1);
    for (const name of ['progressive-restoration', 'onnxruntime', 'sharp', 'libvips', 'node']) {
      assert.match(report.versions[name] ?? '', /^\d+\.\d+/, name);
    }
  });

  it('says of a damaged model what is wrong and what to do, and goes on with the rest', async () => {
    const model = await writeTestModel(path.join(folder, 'model'));
    await truncate(path.join(model, 'trunk.onnx'), 100);
    const report = await client.check({ device: 'cpu', model, priority: 'interactive' });
    assert.deepEqual(
      report.checks.map(({ ok }) => ok),
      [true, false, true],
    );
    assert.match(report.checks[1]?.detail ?? '', /trunk\.onnx/);
    assert.match(report.checks[1]?.remedy ?? '', /\S/);
  });

  it('says that a device is missing, and works on the CPU', async () => {
    const missing = process.platform === 'win32' ? 'coreml' : 'dml';
    const { checks } = await client.check({ device: missing, model: 'compact', priority: 'interactive' });
    assert.ok(checks.every(({ ok }) => ok));
    assert.match(checks[1]?.detail ?? '', new RegExp(`on cpu in .*The device ${missing} is not available`));
  });
});
