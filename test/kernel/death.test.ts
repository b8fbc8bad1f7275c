import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TestKernel, temporaryFolder } from './kernel-fixture';

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
