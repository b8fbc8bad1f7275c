import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import { ROWS_FILE, RowLog, encodeLine, parseRowLog, type Configuration } from '../../../src/restoration/evaluation';
import { ROWS_SCHEMA, differingSettings } from '../../../src/restoration/evaluation/row-log';

const CONFIGURATION: Configuration = { kind: 'evaluate', task: 'deblurring', frames: 9, weights: 'ab'.repeat(32) };
const HEADER = { schema: ROWS_SCHEMA, configuration: CONFIGURATION };

const logOf = (rows: readonly unknown[]): Buffer => Buffer.from([HEADER, ...rows].map(encodeLine).join(''));
const rowsArbitrary = fc.array(
  fc.record({ name: fc.string({ unit: 'grapheme' }), files: fc.string(), result: fc.jsonValue() }),
  { maxLength: 6 },
);
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('row log: reading', () => {
  it('gives back what was written, whatever it holds', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const bytes = logOf(rows);
        const parsed = parseRowLog(bytes, 'log');
        assert.deepEqual(parsed, {
          configuration: CONFIGURATION,
          rows: asJson(rows),
          wholeBytes: bytes.length,
          torn: false,
        });
      }),
    );
  });

  it('cut off anywhere, gives the rows that are whole and nothing else', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.nat(), (rows, at) => {
        const bytes = logOf(rows);
        const length = at % (bytes.length + 1);
        const parsed = parseRowLog(bytes.subarray(0, length), 'log');
        const lines = bytes.subarray(0, length).filter((byte) => byte === 10).length;
        assert.equal(parsed.rows.length, Math.max(0, lines - 1));
        assert.deepEqual(parsed.rows, asJson(rows.slice(0, Math.max(0, lines - 1))));
        const last = length === 0 ? 10 : bytes[length - 1];
        assert.equal(parsed.torn, last !== 10);
        // What a writer keeps is a log by itself, to which rows can be added.
        const kept = parseRowLog(bytes.subarray(0, parsed.wholeBytes), 'log');
        assert.deepEqual([kept.rows.length, kept.torn], [parsed.rows.length, false]);
      }),
    );
  });

  it('never takes a changed row for the one that was written', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (rows, at, change) => {
        const bytes = logOf(rows);
        const place = at % bytes.length;
        bytes[place] = bytes[place]! ^ change;
        let parsed;
        try {
          parsed = parseRowLog(bytes, 'log');
        } catch (error) {
          assert.ok(error instanceof RestorationError);
          assert.equal(error.code, 'bad-argument');
          return;
        }
        assert.deepEqual(parsed.rows, asJson(rows.slice(0, parsed.rows.length)));
        assert.ok(parsed.torn || parsed.rows.length === rows.length);
      }),
    );
  });

  const refused: Array<[string, string]> = [
    ['a text', 'name,psnr\na,30\n'],
    ['a JSON file', '{"schema": 1}\n'],
    ['rows without a header', encodeLine({ name: 'a' })],
    ['a header of another schema', encodeLine({ schema: 'rows@9', configuration: {} })],
    ['settings that are no plain values', encodeLine({ schema: ROWS_SCHEMA, configuration: { a: [] } })],
    ['zeros', '\0'.repeat(100)],
    ['a damaged line in the middle', `${encodeLine(HEADER)}{"check":"0","content":1}\n${encodeLine({ name: 'b' })}`],
  ];
  for (const [what, text] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseRowLog(Buffer.from(text), 'rows.jsonl'), /rows\.jsonl is not a row log.*line \d/);
    });
  }

  it('names the settings that differ', () => {
    assert.deepEqual(differingSettings(CONFIGURATION, CONFIGURATION), []);
    assert.deepEqual(differingSettings({ ...CONFIGURATION, seed: 1 }, { ...CONFIGURATION, frames: 3 }), [
      'frames: 9 there, 3 now',
      'seed: 1 there, null now',
    ]);
  });
});

describe('row log: writing', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-rows-'));
    file = path.join(folder, ROWS_FILE);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (resume: boolean, configuration = CONFIGURATION): Promise<RowLog> =>
    RowLog.open({ folder, configuration, resume });

  it('goes on where it stopped', async () => {
    const first = await open(false);
    await first.append({ name: 'a' });
    await first.append({ name: 'b' });
    await first.close();
    const second = await open(true);
    assert.deepEqual(second.rows, [{ name: 'a' }, { name: 'b' }]);
    await second.append({ name: 'c' });
    await second.close();
    assert.deepEqual(parseRowLog(await readFile(file), file).rows, [{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    assert.deepEqual(await readdir(folder), [ROWS_FILE], 'no lock is left');
  });

  it('drops a row that was torn, and writes the next one in its place', async () => {
    const first = await open(false);
    await first.append({ name: 'a' });
    await first.close();
    await appendFile(file, encodeLine({ name: 'b', result: 1 }).slice(0, 30));
    const second = await open(true);
    assert.deepEqual([second.rows, second.torn], [[{ name: 'a' }], true]);
    await second.append({ name: 'c' });
    await second.close();
    assert.deepEqual(parseRowLog(await readFile(file), file).rows, [{ name: 'a' }, { name: 'c' }]);
  });

  it('begins where there is nothing to resume, also after half a header', async () => {
    for (const before of [undefined, '', encodeLine(HEADER).slice(0, 20)]) {
      await rm(file, { force: true });
      if (before !== undefined) await writeFile(file, before);
      const log = await open(true);
      await log.append({ name: 'a' });
      await log.close();
      assert.deepEqual(parseRowLog(await readFile(file), file).rows, [{ name: 'a' }]);
    }
  });

  async function assertUntouched(action: () => Promise<unknown>, message: RegExp): Promise<void> {
    const before = await readFile(file).catch(() => undefined);
    await assert.rejects(action(), (error) => {
      assert.ok(error instanceof RestorationError);
      assert.equal(error.code, 'bad-argument');
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await readFile(file).catch(() => undefined), before);
  }

  it('refuses a log that is there, another configuration, and what is no log; and leaves the file as it is', async () => {
    const log = await open(false);
    await log.append({ name: 'a' });
    await log.close();
    await assertUntouched(() => open(false), /holds the rows of an earlier evaluation.*--resume/);
    await assertUntouched(
      () => open(true, { ...CONFIGURATION, weights: 'cd'.repeat(32), frames: 3 }),
      /other settings \(frames: 9 there, 3 now; weights: /,
    );
    await writeFile(file, 'my notes\n');
    await assertUntouched(() => open(true), /is not a row log/);
    assert.deepEqual(await readdir(folder), [ROWS_FILE], 'no lock is left');
  });

  it('lets one process write at a time, and takes over from one that is gone', async () => {
    const log = await open(false);
    await assertUntouched(() => open(true), /Another evaluation is writing to .*process \d+/);
    await log.close();
    // A process id that no system gives away.
    await writeFile(path.join(folder, `.${ROWS_FILE}.lock`), `2147483646 ${os.hostname()}`);
    const next = await open(true);
    await next.close();
    await writeFile(path.join(folder, `.${ROWS_FILE}.lock`), `1 another-machine`);
    await assertUntouched(() => open(true), /Another evaluation/);
  });

  it('says why it cannot write', async () => {
    await writeFile(file, '');
    await assert.rejects(
      RowLog.open({ folder: file, configuration: CONFIGURATION, resume: false }),
      (error) => error instanceof RestorationError && error.code === 'unwritable',
    );
  });
});
