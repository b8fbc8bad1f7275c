import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { makeSocketFolder, removeAbandonedFolders, socketIn } from '../../../src/inference/socket-folder';

const HOST = path.resolve(__dirname, '../../../src/inference/service-host.ts');

/** A process that owns a service, as an editor's extension host does; resolves once the service listens. */
async function startOwner(temporary: string): Promise<ChildProcess> {
  const script = `
    const { ServiceHost } = require(${JSON.stringify(HOST)});
    new ServiceHost().address().then(({ path }) => { console.log(path); setInterval(() => undefined, 1000); });`;
  const owner = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', script], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  return owner;
}

async function kill(owner: ChildProcess): Promise<void> {
  const ended = once(owner, 'exit');
  owner.kill('SIGKILL');
  await ended;
}

// Windows has pipes, which leave no folders.
if (process.platform !== 'win32')
  describe('folders of sockets', () => {
    let temporary: string;
    const socketFolders = (): string[] => readdirSync(temporary).filter((name) => /^pir-\d+-/.test(name));

    beforeEach(async () => {
      temporary = await mkdtemp(path.join(os.tmpdir(), 'pf-'));
    });
    afterEach(async () => {
      await rm(temporary, { recursive: true, force: true });
    });

    it('of an owner that was killed goes when the next one starts; that of one that lives stays', async () => {
      const killed = await startOwner(temporary);
      const living = await startOwner(temporary);
      let next: ChildProcess | undefined;
      try {
        assert.equal(socketFolders().length, 2);
        await kill(killed);
        assert.equal(socketFolders().length, 2, 'a killed owner cannot clean up');
        next = await startOwner(temporary);
        const deadline = Date.now() + 10_000;
        while (socketFolders().length > 2 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 50));
        const owners = socketFolders().map((name) => Number(name.split('-')[1]));
        assert.deepEqual(new Set(owners), new Set([living.pid, next.pid]));
        for (const name of socketFolders()) assert.ok(existsSync(socketIn(path.join(temporary, name))));
      } finally {
        await kill(living);
        if (next !== undefined) await kill(next);
      }
    });

    it('stay when somebody answers, are new, hold something else, or are links', async () => {
      const dead = 2 ** 22 + 1;
      const folder = (suffix: string): string => path.join(temporary, `pir-${dead}-${suffix}`);
      const old = new Date(Date.now() - 3_600_000);
      for (const suffix of ['answer', 'recent', 'strang', 'ageing']) await mkdir(folder(suffix), { mode: 0o700 });
      const server = createServer().listen(socketIn(folder('answer')));
      await once(server, 'listening');
      await writeFile(path.join(folder('strang'), 'letter.txt'), 'kept');
      await symlink(os.homedir(), folder('linked'));
      for (const suffix of ['answer', 'strang', 'ageing']) await utimes(folder(suffix), old, old);
      const own = makeSocketFolder(temporary);
      try {
        await removeAbandonedFolders(temporary);
        const kept = ['answer', 'recent', 'strang', 'linked'].map((suffix) => path.basename(folder(suffix)));
        assert.deepEqual(new Set(socketFolders()), new Set([...kept, path.basename(own)]));
        assert.ok(existsSync(path.join(folder('strang'), 'letter.txt')));
      } finally {
        server.close();
      }
    });
  });
