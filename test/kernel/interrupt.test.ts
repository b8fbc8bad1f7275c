import assert from 'node:assert/strict';
import type { KernelExit } from '../../src/kernel';
import { RUN_MIME } from '../../src/protocol';
import { shownRun } from './shown-run';
import { TestKernel, abortAfter, delay } from './kernel-fixture';

describe('interrupting a cell', () => {
  let kernel: TestKernel;
  const exits: KernelExit[] = [];
  before(async () => {
    kernel = await TestKernel.create({ gracePeriod: 3000 });
    kernel.client.onExit((exit) => exits.push(exit));
    await kernel.run('const kept = "here";');
  });
  after(() => kernel.dispose());

  async function assertUsable(): Promise<void> {
    assert.deepEqual(exits, []);
    assert.equal((await kernel.run('kept')).text, "'here'");
  }

  it('breaks a loop that never ends', async () => {
    const result = await kernel.runInterrupted('console.log("on"); while (true) {}');
    assert.deepEqual([result.outcome, result.error], ['interrupted', undefined]);
    await assertUsable();
  });

  it('breaks a loop after an await', async () => {
    const result = await kernel.runInterrupted(
      'await new Promise((r) => setTimeout(r, 50));\nconsole.log("on");\nfor (;;) {}',
    );
    assert.equal(result.outcome, 'interrupted');
    await assertUsable();
  });

  it('ends an await of something that never comes', async () => {
    assert.equal(
      (await kernel.runInterrupted('console.log("on");\nawait new Promise(() => {});')).outcome,
      'interrupted',
    );
    await assertUsable();
  });

  it('runs finally blocks and stops the loop around the await', async () => {
    const result = await kernel.runInterrupted(
      'let n = 0;\nconsole.log("on");\ntry { while (true) { await new Promise((r) => setTimeout(r, 10)); n++; } } finally { console.log("stopped") }',
    );
    assert.deepEqual([result.outcome, result.stdout], ['interrupted', 'on\nstopped\n']);
    await assertUsable();
  });

  it('ends a cell that catches its interruption and goes on', async () => {
    const result = await kernel.runInterrupted(
      'console.log("on");\nwhile (true) { try { await new Promise((r) => setTimeout(r, 20)); } catch { /* goes on */ } }',
    );
    assert.equal(result.outcome, 'interrupted');
    await assertUsable();
  });

  it('aborts the signal that the library follows, and lets it end what it shows', async () => {
    const result = await kernel.runInterrupted(
      [
        `const host = (globalThis as any)[Symbol.for('progressive-restoration.display-host')];`,
        `host.show('run', { 'text/plain': 'working' });`,
        `await new Promise((_, reject) => host.signal.addEventListener('abort', () => {`,
        `  host.show('run', { 'text/plain': 'was interrupted' });`,
        `  reject(new Error('cancelled'));`,
        `}));`,
      ].join('\n'),
    );
    assert.equal(result.outcome, 'interrupted');
    assert.deepEqual(result.displays, [{ displayId: 'run', bundle: { 'text/plain': 'was interrupted' }, updates: 2 }]);
    await assertUsable();
  });

  it('ends a loop that awaits what is there already', async () => {
    const result = await kernel.runInterrupted('console.log("on");\nwhile (true) await null;');
    assert.equal(result.outcome, 'interrupted');
    await assertUsable();
  });

  it('is safe at any moment', async () => {
    for (let wait = 0; wait < 40; wait += 4) {
      const controller = new AbortController();
      const running = kernel.run(
        'console.log("on");\nfor (let i = 0; ; i++) { await null; const end = Date.now() + 3; while (Date.now() < end); }',
        controller.signal,
        () => setTimeout(() => controller.abort(), wait),
      );
      assert.equal((await running).outcome, 'interrupted');
    }
    await assertUsable();
  });

  it('takes a waiting cell out of the queue and leaves the others', async () => {
    const controller = new AbortController();
    const first = kernel.run('await new Promise((r) => setTimeout(r, 300));\n"first"');
    const second = kernel.run('"second"', controller.signal);
    const third = kernel.run('"third"');
    controller.abort();
    assert.equal((await second).outcome, 'interrupted');
    assert.deepEqual([(await first).text, (await third).text], ["'first'", "'third'"]);
    assert.equal((await kernel.run('1', AbortSignal.abort())).outcome, 'interrupted');
  });

  it('does nothing between cells', async () => {
    await kernel.client.interrupt();
    await delay(100);
    await assertUsable();
  });

  it('ends the process of a cell that cannot be stopped, says that variables are lost, and starts a new one', async () => {
    const show = `(globalThis as any)[Symbol.for('progressive-restoration.display-host')].show`;
    const result = await kernel.runInterrupted(
      `${show}('run', ${JSON.stringify({ [RUN_MIME]: shownRun({ kind: 'running', stage: 'network', done: 3, total: 7 }) })});\n(async () => { await null; for (;;) {} })();\nawait null;`,
    );
    assert.equal(result.outcome, 'interrupted');
    assert.match(result.stderr, /could not be stopped within 3 s.*variables are lost/);
    assert.deepEqual((result.displays[0]?.bundle[RUN_MIME] as { state: unknown }).state, { kind: 'interrupted' });
    assert.match((await kernel.run('kept')).error?.message ?? '', /Cannot find name 'kept'/);
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      ['interrupted'],
    );
  });
});

describe('interrupting a kernel that still starts', () => {
  it('settles the cell at once and runs the next one', async () => {
    const kernel = await TestKernel.create();
    try {
      const started = performance.now();
      const result = await kernel.run('1', abortAfter(50));
      assert.equal(result.outcome, 'interrupted');
      assert.ok(performance.now() - started < 1000);
      assert.equal((await kernel.run('2')).text, '2');
    } finally {
      await kernel.dispose();
    }
  });
});
