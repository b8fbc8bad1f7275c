import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KernelClient, type KernelExit } from '../../src/kernel';
import { KERNEL_ENTRY, ROOT, TestKernel, isAlive, temporaryFolder, until } from './kernel-fixture';

/** A cell that starts a process and shows its id. */
const SPAWN_SLEEPER =
  "import { spawn } from 'node:child_process';\nspawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']).pid";

describe('the kernel process', () => {
  let kernel: TestKernel;
  const exits: KernelExit[] = [];
  before(async () => {
    kernel = await TestKernel.create();
    kernel.client.onExit((exit) => exits.push(exit));
  });
  beforeEach(() => {
    exits.length = 0;
  });
  after(() => kernel.dispose());

  it('is not started before a cell runs', async () => {
    assert.equal(kernel.client.pid, undefined);
    await kernel.run('1');
    assert.ok(isAlive(kernel.client.pid ?? 0));
  });

  it('settles every cell with one sentence and a remedy when it is killed, and the next cell starts a new one', async () => {
    await kernel.run('const lost = 1;');
    const running = kernel.run('await new Promise(() => {});');
    const waiting = kernel.run('2');
    process.kill(kernel.client.pid ?? 0, 'SIGKILL');
    for (const result of [await running, await waiting]) {
      assert.equal(result.outcome, 'error');
      assert.match(result.error?.message ?? '', /ended unexpectedly \(signal SIGKILL\).*Run the cells again/);
    }
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      ['crashed'],
    );
    assert.equal((await kernel.run('3')).text, '3');
    assert.match((await kernel.run('lost')).error?.message ?? '', /Cannot find name/);
  });

  it('reports a cell that ends it', async () => {
    const result = await kernel.run('process.exit(3)');
    assert.match(result.error?.message ?? '', /\(exit code 3\)/);
  });

  it('restarts without variables and without the processes that cells had started', async () => {
    await kernel.run('const before = 1;');
    const { text } = await kernel.run(SPAWN_SLEEPER);
    const child = Number(text);
    assert.ok(isAlive(child));
    const running = kernel.run('await new Promise(() => {});');
    const old = kernel.client.pid ?? 0;
    await kernel.client.restart();
    assert.equal((await running).outcome, 'interrupted');
    await until(() => !isAlive(child), 5000, 'what the cells had started is gone');
    assert.notEqual(kernel.client.pid, old);
    assert.match((await kernel.run('before')).error?.message ?? '', /Cannot find name/);
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      ['restarted'],
    );
  });

  it('names the cause when it cannot start', async () => {
    const broken = new KernelClient({
      notebook: kernel.path('a.ipynb'),
      framesFolder: kernel.path('a.frames'),
      entry: kernel.path('no-kernel.js'),
    });
    const { error } = await broken.execute('1');
    assert.match(
      error?.message ?? '',
      /could not start \(exit code 1\): Error: Cannot find module.*installed completely/,
    );
    const unrunnable = new KernelClient({
      notebook: kernel.path('a.ipynb'),
      framesFolder: kernel.path('a.frames'),
      entry: KERNEL_ENTRY,
      execPath: kernel.path('no-node'),
    });
    assert.match((await unrunnable.execute('1')).error?.message ?? '', /it could not be run.*ENOENT/);
    await Promise.all([broken.dispose(), unrunnable.dispose()]);
  });

  it('runs a notebook whose folder does not exist yet', async () => {
    const client = new KernelClient({
      notebook: kernel.path('new', 'folder', 'untitled.ipynb'),
      framesFolder: kernel.path('new', 'folder', 'untitled.frames'),
      entry: KERNEL_ENTRY,
    });
    let text: unknown;
    await client.execute('process.cwd()', { onDisplay: (_, bundle) => (text = bundle['text/plain']) });
    assert.equal(text, `'${kernel.folder}'`);
    await client.dispose();
  });

  it('asks its host for the inference service, and hears when there is none', async () => {
    const ask = `await (globalThis as any)[Symbol.for('progressive-restoration.display-host')].service?.()`;
    const own = await kernel.run(ask);
    assert.deepEqual([own.outcome, own.text], ['ok', undefined]);
    const answers = [
      async () => ({ path: '/run/some.sock', token: 'secret' }),
      () => Promise.reject(new Error('no device')),
    ];
    const offering = await TestKernel.create({
      service: () => answers.shift()?.() ?? Promise.reject(new Error('asked too often')),
    });
    try {
      const given = await offering.run(ask);
      assert.deepEqual([given.error, given.text], [undefined, "{ path: '/run/some.sock', token: 'secret' }"]);
      assert.match((await offering.run(ask)).error?.message ?? '', /no device/);
    } finally {
      await offering.dispose();
    }
  });

  for (const [what, code] of [
    ['waits', 'await new Promise(() => {});'],
    ['is in a loop', 'for (;;) {}'],
  ] as const) {
    it(`ends when its host is gone while a cell ${what}, and so do the children`, async () => {
      const folder = await temporaryFolder();
      const host = path.join(folder, 'host.ts');
      await writeFile(
        host,
        `import { KernelClient } from ${JSON.stringify(path.join(ROOT, 'src', 'kernel'))};
const client = new KernelClient({ notebook: ${JSON.stringify(path.join(folder, 'a.ipynb'))}, framesFolder: 'unused', entry: ${JSON.stringify(KERNEL_ENTRY)} });
void (async () => {
  const show = { onDisplay: (_: string, bundle: Record<string, unknown>) => console.log(client.pid + ' ' + bundle['text/plain']) };
  await client.execute(${JSON.stringify(SPAWN_SLEEPER)}, show);
  void client.execute(${JSON.stringify(code)});
})();
`,
      );
      const parent = spawn(process.execPath, ['--require', 'tsx/cjs', host], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        const [line] = (await once(parent.stdout, 'data')) as [Buffer];
        const [pid, child] = line.toString().trim().split(' ').map(Number) as [number, number];
        assert.ok(isAlive(pid) && isAlive(child));
        parent.kill('SIGKILL');
        await until(() => !isAlive(pid) && !isAlive(child), 10_000, 'kernel and child are gone');
      } finally {
        parent.kill('SIGKILL');
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
