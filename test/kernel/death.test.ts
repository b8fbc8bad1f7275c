import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RUN_MIME, type RunState } from '../../src/protocol';
import { TestKernel, temporaryFolder } from './kernel-fixture';
import { shownRun } from './shown-run';

/**
 * Loaded into the kernel's process before the kernel itself: ends it, once, at the moment that DIE_AT names. Requests are
 * seen before the kernel sees them, events before or after they are sent.
 */
const DIE_ONCE = `
const { existsSync, writeFileSync } = require('node:fs');
const reach = (moment) => {
  if (moment !== process.env.DIE_AT || existsSync(process.env.DIED)) return;
  writeFileSync(process.env.DIED, moment);
  process.kill(process.pid, 'SIGKILL');
};
reach('loading');
process.on('message', ({ type }) => reach('on ' + type));
const send = process.send.bind(process);
process.send = (event) => {
  reach('before ' + event.type);
  return send(event, () => reach('after ' + event.type));
};
`;

interface Death {
  moment: string;
  /** Outcomes of a cell that prints and one that waits behind it. */
  outcomes: [string, string];
  sentence: RegExp;
}

const NO_START = /^The notebook kernel could not start \(signal SIGKILL\).*run the cell again\.$/;
const ENDED =
  /^The notebook kernel ended unexpectedly \(signal SIGKILL\); all variables are lost\. Run the cells again/;

const DEATHS: Death[] = [
  { moment: 'loading', outcomes: ['error', 'error'], sentence: NO_START },
  { moment: 'on start', outcomes: ['error', 'error'], sentence: NO_START },
  { moment: 'before ready', outcomes: ['error', 'error'], sentence: NO_START },
  { moment: 'after ready', outcomes: ['error', 'error'], sentence: ENDED },
  { moment: 'on execute', outcomes: ['error', 'error'], sentence: ENDED },
  { moment: 'before stream', outcomes: ['error', 'error'], sentence: ENDED },
  { moment: 'after stream', outcomes: ['error', 'error'], sentence: ENDED },
  { moment: 'before done', outcomes: ['error', 'error'], sentence: ENDED },
  { moment: 'after done', outcomes: ['ok', 'error'], sentence: ENDED },
];

describe('a kernel process that is killed', () => {
  for (const { moment, outcomes, sentence } of DEATHS) {
    it(`${moment} fails every cell with one sentence; the next one runs in a new process`, async () => {
      const folder = await temporaryFolder();
      const preload = path.join(folder, 'die-once.cjs');
      await writeFile(preload, DIE_ONCE);
      const dying = await TestKernel.create({
        execArgv: ['--require', preload],
        env: { DIE_AT: moment, DIED: path.join(folder, 'died') },
      });
      const exits: string[] = [];
      dying.client.onExit(({ reason, message }) => exits.push(`${reason}: ${message}`));
      try {
        const cells = await Promise.all([
          dying.run('console.log("on");\nawait new Promise((resolve) => setTimeout(resolve, 50));'),
          dying.run('const second = 2;'),
        ]);
        assert.deepEqual(
          cells.map(({ outcome }) => outcome),
          outcomes,
        );
        for (const { outcome, error } of cells) if (outcome === 'error') assert.match(error?.message ?? '', sentence);
        assert.equal(exits.length, 1);
        assert.match(exits[0]?.replace(/^crashed: /, '') ?? '', sentence);
        assert.equal((await dying.run('1 + 1')).text, '2');
      } finally {
        await dying.dispose();
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  it('between cells fails a cell that is run in the same moment', async () => {
    const kernel = await TestKernel.create();
    try {
      await kernel.run('const kept = 1;');
      process.kill(kernel.client.pid ?? 0, 'SIGKILL');
      const { outcome, error } = await kernel.run('kept');
      assert.equal(outcome, 'error');
      assert.match(error?.message ?? '', ENDED);
      assert.equal((await kernel.run('1 + 1')).text, '2');
    } finally {
      await kernel.dispose();
    }
  });

  it('settles a cell that is run at any moment after the signal', async () => {
    const kernel = await TestKernel.create();
    try {
      for (let wait = 0; wait < 12; wait += 2) {
        await kernel.run('const kept = 1;');
        process.kill(kernel.client.pid ?? 0, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, wait));
        const { outcome, error } = await kernel.run('kept');
        assert.equal(outcome, 'error');
        assert.match(error?.message ?? '', /ended unexpectedly|Cannot find name 'kept'/);
      }
    } finally {
      await kernel.dispose();
    }
  });
});

describe('a run under a cell that fails', () => {
  const RUNNING: RunState = { kind: 'running', stage: 'network', done: 3, total: 7 };
  const SENTENCE = 'The inference process ended.';
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.create();
  });
  after(() => kernel.dispose());

  /** Runs a cell that shows a run in each of these states under one id; how it was shown in the end, and the cell's error. */
  const endOf = async (states: RunState[], rest: string): Promise<[unknown, string | undefined]> => {
    const show = "(globalThis as any)[Symbol.for('progressive-restoration.display-host')].show";
    const shown = states.map((state) => `${show}('run', ${JSON.stringify({ [RUN_MIME]: shownRun(state) })});`);
    const { displays, error } = await kernel.run([...shown, rest].join('\n'));
    assert.equal(displays.length, 1);
    return [(displays[0]?.bundle[RUN_MIME] as { state: unknown }).state, error?.message];
  };

  it('leaves the sentence to the error of the cell', async () => {
    const failed: RunState = { kind: 'failed', message: SENTENCE };
    assert.deepEqual(await endOf([RUNNING, failed], `throw new Error('${SENTENCE} Run it again.');`), [
      { kind: 'failed', message: '' },
      `${SENTENCE} Run it again.`,
    ]);
  });

  it('says it itself when the cell does not', async () => {
    const failed: RunState = { kind: 'failed', message: SENTENCE };
    assert.deepEqual(await endOf([failed], "console.log('caught');"), [failed, undefined]);
    assert.deepEqual(await endOf([failed], "throw new Error('another');"), [failed, 'another']);
  });

  it('has failed, too, when it was still working', async () => {
    const [state, message] = await endOf(
      [RUNNING],
      "await null;\nprocess.kill(process.pid, 'SIGKILL');\nawait new Promise(() => undefined);",
    );
    assert.deepEqual(state, { kind: 'failed', message: '' });
    assert.match(message ?? '', ENDED);
  });
});
