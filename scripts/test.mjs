/**
 * Runs test suites and sums their counts: `node scripts/test.mjs unit kernel webview editor [-- mocha options]`.
 *
 * A suite is every `*.test.ts` below `test/<suite>/`. The last line reads `N passed, N failed`. Exits with 1 when a test
 * fails, when one is pending (a skipped test hides what was not checked), or when a suite has no tests.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Longest time of one test in milliseconds: a network or a real editor on a slow machine needs minutes. */
const TIMEOUTS = { unit: 180_000, kernel: 180_000, webview: 180_000, editor: 600_000 };

const separator = process.argv.indexOf('--');
const suites = process.argv.slice(2, separator < 0 ? undefined : separator);
const extra = separator < 0 ? [] : process.argv.slice(separator + 1);
const unknown = suites.filter((suite) => !(suite in TIMEOUTS));
if (suites.length === 0 || unknown.length > 0) {
  console.error(`Expected suites out of ${Object.keys(TIMEOUTS).join(', ')}; got "${suites.join(' ')}".`);
  process.exit(2);
}

/** Test files of a suite, sorted, so that every machine runs them in the same order. */
function testFiles(suite) {
  const folder = path.join(root, 'test', suite);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Runs one suite; resolves to its counts and to why it failed although no test did, if so. */
async function runSuite(suite) {
  const files = testFiles(suite);
  if (files.length === 0) return { passes: 0, failures: 0, reason: 'has no tests' };
  const folder = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-test-'));
  const countsFile = path.join(folder, 'counts.json');
  try {
    const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const options = ['--require', 'tsx/cjs', '--forbid-only', '--timeout', String(TIMEOUTS[suite])];
    const reporter = ['--reporter', path.join(root, 'scripts', 'counting-reporter.cjs')];
    const child = spawn(process.execPath, [mocha, ...options, ...reporter, ...extra, ...files], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, COUNTS_FILE: countsFile },
    });
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
    if (!existsSync(countsFile))
      return { passes: 0, failures: 0, reason: `ended with exit code ${code} before its tests did` };
    const { passes, failures, pending, tests } = JSON.parse(await readFile(countsFile, 'utf8'));
    if (tests === 0) return { passes, failures, reason: 'ran no test' };
    if (pending > 0) return { passes, failures, reason: `left ${pending} pending` };
    if (code !== 0 && failures === 0) return { passes, failures, reason: `ended with exit code ${code}` };
    return { passes, failures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let passed = 0;
let failed = 0;
for (const suite of suites) {
  console.log(`\n# ${suite}`);
  const result = await runSuite(suite);
  passed += result.passes;
  failed += result.failures;
  if (result.reason) {
    console.error(`The suite "${suite}" ${result.reason}.`);
    failed += 1;
  }
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
