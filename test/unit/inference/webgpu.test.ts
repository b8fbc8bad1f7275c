import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { Device, RestoreRequest } from '../../../src/protocol';
import { InferenceClient } from '../../../src/inference/client';
import { ServiceHost } from '../../../src/inference/service-host';
import { softwareVulkan } from './software-vulkan';

const card = path.resolve(__dirname, '../../fixtures/pictures/card-dark.png');

describe('WebGPU', () => {
  let folder: string;
  let host: ServiceHost;
  let client: InferenceClient;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-webgpu-'));
    host = new ServiceHost({ env: softwareVulkan() });
    client = new InferenceClient(() => host.address());
  });
  after(async () => {
    client.close();
    await host.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const request = (device: Device): RestoreRequest => ({
    input: card,
    task: 'low-light',
    frames: 3,
    scale: 4,
    model: 'compact',
    device,
    framesFolder: path.join(folder, device),
    priority: 'interactive',
  });

  it('runs the compact model with the same result as the cpu, and the record says what ran', async () => {
    const reports = await client.devices();
    assert.equal(reports.find(({ device }) => device === 'webgpu')?.available, true, JSON.stringify(reports));
    const onGpu = await client.restore(request('webgpu'));
    const onCpu = await client.restore(request('cpu'));
    assert.deepEqual(onGpu.record.device, { requested: 'webgpu', used: 'webgpu' });
    assert.deepEqual(onCpu.record.device, { requested: 'cpu', used: 'cpu' });
    assert.equal(onGpu.record.warnings, undefined);
    for (const [k, frame] of onGpu.record.frames.entries()) {
      const a = await sharp(path.join(folder, 'webgpu', frame.file))
        .raw()
        .toBuffer();
      const b = await sharp(path.join(folder, 'cpu', onCpu.record.frames[k]?.file ?? ''))
        .raw()
        .toBuffer();
      const difference = a.reduce(
        (sum: number, value: number, i: number) => Math.max(sum, Math.abs(value - (b[i] as number))),
        0,
      );
      assert.ok(difference <= 1, `frame ${frame.index} differs by ${difference} levels`);
    }
  });

  it('is not chosen by auto where it is slower than the cpu', async () => {
    const view = await client.restore(request('auto'));
    if (process.platform === 'linux') assert.equal(view.record.device.used, 'cpu');
    else assert.notEqual(view.record.device.used, undefined);
  });
});
