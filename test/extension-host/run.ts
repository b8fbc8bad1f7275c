import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import Mocha from 'mocha';

/** What became of one test. */
export interface HostTest {
  title: string;
  error?: string;
}

/**
 * Runs the bundled suites beside this file inside the extension host that has loaded it, and writes what became of each test to
 * the file that `EXTENSION_HOST_RESULTS` names: whoever started the editor reads it there.
 */
export async function run(): Promise<void> {
  const results = process.env.EXTENSION_HOST_RESULTS;
  if (results === undefined) throw new Error('EXTENSION_HOST_RESULTS has to name the file for the results.');
  const tests: HostTest[] = [];
  try {
    const mocha = new Mocha({ ui: 'bdd', timeout: 240_000, reporter: class {} as never });
    for (const name of readdirSync(__dirname)) {
      if (name.endsWith('.test.js')) mocha.addFile(path.join(__dirname, name));
    }
    await new Promise<void>((resolve) => {
      mocha
        .run(() => resolve())
        .on('pass', (test: Mocha.Test) => tests.push({ title: test.fullTitle() }))
        .on('fail', (test: Mocha.Runnable, error: Error) =>
          tests.push({ title: test.fullTitle(), error: error.stack ?? String(error) }),
        );
    });
  } catch (error) {
    tests.push({ title: 'the suites', error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  await writeFile(results, JSON.stringify(tests));
}
