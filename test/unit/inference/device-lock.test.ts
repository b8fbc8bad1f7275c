import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../../src/protocol';
import { DeviceLock } from '../../../src/inference/device-lock';

describe('device lock', () => {
  let folder: string;
  const open = new AbortController().signal;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lets the second wait until the first gives it back', async () => {
    const release = await new DeviceLock('cpu', folder).acquire(open, () => assert.fail('nobody holds it'));
    let waited = 0;
    let held = false;
    const second = new DeviceLock('cpu', folder)
      .acquire(open, () => waited++)
      .then((give) => {
        held = true;
        return give;
      });
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(held, false);
    assert.equal(waited, 1);
    await release();
    await (
      await second
    )();
    assert.equal(existsSync(path.join(folder, 'cpu.lock')), false);
  });

  it('is not kept by one who takes it again and again', async () => {
    const batch = new DeviceLock('cpu', folder);
    let turns = 0;
    let served = false;
    const single = new DeviceLock('cpu', folder);
    const release = await batch.acquire(open, () => undefined);
    const waiting = single
      .acquire(open, () => undefined)
      .then(async (give) => {
        served = true;
        await give();
      });
    await new Promise((resolve) => setTimeout(resolve, 250));
    await release();
    while (!served && turns < 20) {
      const give = await batch.acquire(open, () => undefined);
      turns++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await give();
    }
    await waiting;
    assert.ok(turns < 5, `it had to wait for ${turns} turns`);
  });

  it('takes over from a process that died', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await writeFile(path.join(folder, 'cpu.lock'), String(pid));
    const release = await new DeviceLock('cpu', folder).acquire(open, () => assert.fail('its holder is dead'));
    await release();
  });

  it('can be given up while waiting', async () => {
    const release = await new DeviceLock('cpu', folder).acquire(open, () => undefined);
    const controller = new AbortController();
    const waiting = new DeviceLock('cpu', folder).acquire(controller.signal, () => controller.abort());
    await assert.rejects(waiting, (error) => error instanceof RestorationError && error.code === 'cancelled');
    await release();
  });

  it('does not stand in the way where no lock can be kept', async () => {
    const file = path.join(folder, 'a-file');
    await writeFile(file, '');
    const release = await new DeviceLock('cpu', path.join(file, 'sub')).acquire(open, () => assert.fail());
    await release();
  });
});
