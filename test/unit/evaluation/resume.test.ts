import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { shutdown, type ComparisonReport, type EvaluationReport } from '../../../src/api';
import { ROWS_FILE, parseRowLog } from '../../../src/restoration/evaluation';
import { runCli, type CliResult } from '../cli/run-cli';
import { writeTestModel } from '../restoration/test-model';
import { noisy, savePicture, saveText, scene } from './data-sets';

const cli = path.resolve(__dirname, '../../../dist/cli.js');
const PICTURES = 8;
const BROKEN = 'p3';

/** Starts the command line and kills it with SIGKILL as soon as the log holds so many whole rows. */
function killAfter(words: string[], log: string, rows: number): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...words], { stdio: 'ignore' });
    const timer = setInterval(() => {
      if (rowsIn(log) >= rows) child.kill('SIGKILL');
    }, 2);
    child.once('error', reject);
    child.once('exit', (_, signal) => {
      clearInterval(timer);
      resolve(signal);
    });
  });
}

function rowsIn(log: string): number {
  try {
    return readFileSync(log).filter((byte) => byte === 10).length - 1;
  } catch {
    return 0;
  }
}

interface Row {
  name: string;
  result?: unknown;
}

async function readRows(folder: string): Promise<Row[]> {
  const file = path.join(folder, ROWS_FILE);
  return parseRowLog(await readFile(file), file).rows as Row[];
}

/** Each measured once; failures may stand there once for every attempt. */
function assertEachOnce(rows: readonly Row[], names: readonly string[]): void {
  const measured = rows.filter(({ result }) => result !== undefined).map(({ name }) => name);
  assert.deepEqual([...measured].sort(), [...names].sort());
}

function parsed<T>(result: CliResult): T {
  return JSON.parse(result.stdout) as T;
}

describe('evaluation that is killed', () => {
  let folder: string;
  let set: string;
  let words: string[];
  const names = Array.from({ length: PICTURES }, (_, i) => `p${i}`);
  const good = names.filter((name) => name !== BROKEN);

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-resume-'));
    set = path.join(folder, 'set');
    for (const [i, name] of names.entries()) {
      const sharp = scene(64, 48, i + 1);
      await savePicture(sharp, set, 'reference', `${name}.png`);
      await savePicture(noisy(sharp, 10, i + 1), set, 'input', `${name}.png`);
      await savePicture(noisy(sharp, 6, i + 1), folder, 'A', `${name}_x4.png`);
      await savePicture(noisy(sharp, 7, i + 1), folder, 'B', `${name}.png`);
    }
    await saveText('no picture', set, 'input', `${BROKEN}.png`);
    await saveText('no picture', folder, 'A', `${BROKEN}_x4.png`);
    const model = await writeTestModel(path.join(folder, 'model'));
    words = ['evaluate', set, '--task', 'deblurring', '--model', model, '--device', 'cpu', '--frames', '3', '--json'];
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('goes on without repeating or losing a row, and ends with the report of an uninterrupted one', async () => {
    const out = path.join(folder, 'killed');
    const log = path.join(out, ROWS_FILE);
    for (const rows of [2, 5]) {
      assert.equal(await killAfter([...words, '--out', out, '--resume'], log, rows), 'SIGKILL');
      assert.ok(rowsIn(log) >= rows && rowsIn(log) < PICTURES + 1);
    }
    const before = await readRows(out);
    const last = await runCli([...words, '--out', out, '--resume']);
    assert.equal(last.code, 1, last.stderr);
    assert.match(last.stderr, /1 of 8 pictures could not be evaluated/);
    const rows = await readRows(out);
    assert.deepEqual(rows.slice(0, before.length), before, 'earlier rows stand as they stood');
    assertEachOnce(rows, good);

    const whole = await runCli([...words, '--out', path.join(folder, 'whole')]);
    const timeless = (result: CliResult): Partial<EvaluationReport> => {
      const { secondsPerPicture, peakMemoryMiB, ...report } = parsed<EvaluationReport>(result);
      assert.ok((secondsPerPicture ?? 0) > 0 && (peakMemoryMiB ?? 0) > 0);
      return report;
    };
    assert.deepEqual(timeless(last), timeless(whole));
    const saved = JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8')) as EvaluationReport;
    assert.deepEqual(saved.items, parsed<EvaluationReport>(last).items);
    assert.deepEqual(
      saved.failures.map(({ name }) => name),
      [BROKEN],
    );
  });

  it('the same for result folders', async () => {
    const out = path.join(folder, 'results-killed');
    const compare = ['evaluate', '--results', path.join(folder, 'A'), path.join(folder, 'B')];
    compare.push('--reference', path.join(set, 'reference'), '--protocol', 'rgb', '--json');
    const log = path.join(out, ROWS_FILE);
    assert.equal(await killAfter([...compare, '--out', out], log, 6), 'SIGKILL');
    const before = await readRows(out);
    assert.ok(before.length >= 6 && before.length < 2 * PICTURES);
    const last = await runCli([...compare, '--out', out, '--resume']);
    assertEachOnce(await readRows(out), [...good.map((name) => `0:${name}`), ...names.map((name) => `1:${name}`)]);
    const whole = await runCli(compare);
    const timeless = (result: CliResult): ComparisonReport => ({
      ...parsed<ComparisonReport>(result),
      secondsPerPicture: 0,
    });
    assert.deepEqual(timeless(last), timeless(whole));
  });

  it('measures again what changed, and refuses other settings and other weights', async () => {
    const out = path.join(folder, 'changed');
    const changed = path.join(folder, 'changed-set');
    await cp(set, changed, { recursive: true });
    const call = words.map((word) => (word === set ? changed : word));
    const first = parsed<EvaluationReport>(await runCli([...call, '--out', out]));
    await savePicture(noisy(scene(64, 48, 1), 3, 1), changed, 'input', 'p0.png');
    await savePicture(noisy(scene(64, 48, 4), 3, 1), changed, 'input', `${BROKEN}.png`);
    const second = await runCli([...call, '--out', out, '--resume']);
    assert.equal(second.code, 0, second.stderr);
    const report = parsed<EvaluationReport>(second);
    assert.equal(report.count, PICTURES);
    assert.notDeepEqual(report.items[0], first.items[0]);
    assert.deepEqual(report.items[1], first.items[1]);
    assert.equal((await readRows(out)).length, PICTURES + 2);

    const log = await readFile(path.join(out, ROWS_FILE));
    const otherModel = await writeTestModel(path.join(folder, 'other-model'), { experts: true });
    const refusals: Array<[string[], RegExp]> = [
      [[...call, '--out', out], /holds the rows of an earlier evaluation/],
      [[...call, '--out', out, '--resume', '--prompt', 'a sunny day'], /other settings \(prompt: /],
      [[...call.map((word) => (word === '3' ? '5' : word)), '--out', out, '--resume'], /frames: 3 there, 5 now/],
      [[...call, '--model', otherModel, '--out', out, '--resume'], /weights: /],
      [[...call, '--resume'], /nothing to resume without an output folder/],
    ];
    for (const [refused, message] of refusals) {
      const result = await runCli(refused);
      assert.equal(result.code, 2, result.stderr);
      assert.match(result.stderr, message);
      assert.equal(result.stdout, '');
    }
    assert.deepEqual(await readFile(path.join(out, ROWS_FILE)), log);
    await writeFile(path.join(out, ROWS_FILE), 'my own notes\n');
    const foreign = await runCli([...call, '--out', out, '--resume']);
    assert.equal(foreign.code, 2);
    assert.equal(await readFile(path.join(out, ROWS_FILE), 'utf8'), 'my own notes\n');
  });
});
