/**
 * Runs benchmarks and prints a Markdown table for each: `node scripts/bench.mjs [--editor] [NAME...]`.
 *
 * A benchmark is a `test/bench/NAME.bench.ts` (with `--editor` a `test/bench/editor/NAME.bench.ts`, measured in a real VS Code)
 * that exports `title` and `run()`, an async iterable of rows; a row maps column names to what stands there. Rows are printed
 * when they come: long benchmarks show that they work.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const wanted = process.argv.slice(2).filter((argument) => argument !== '--editor');
const benchmarks = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'test', 'bench');
const folder = process.argv.includes('--editor') ? path.join(benchmarks, 'editor') : benchmarks;
const SUFFIX = '.bench.ts';
const require = createRequire(import.meta.url);
require('tsx/cjs');

const files = readdirSync(folder)
  .filter((name) => name.endsWith(SUFFIX))
  .sort();
const unknown = wanted.filter((name) => !files.includes(name + SUFFIX));
if (unknown.length > 0) {
  console.error(
    `No benchmark ${unknown.join(', ')}; there are: ${files.map((name) => name.slice(0, -SUFFIX.length)).join(', ')}.`,
  );
  process.exit(2);
}

console.log(
  `Node ${process.version}, ${os.cpus()[0]?.model.trim() ?? 'unknown processor'}, ${os.availableParallelism()} cores`,
);
for (const file of files) {
  if (wanted.length > 0 && !wanted.includes(file.slice(0, -SUFFIX.length))) continue;
  const { title, run } = require(path.join(folder, file));
  console.log(`\n## ${title}\n`);
  let columns;
  for await (const row of run()) {
    if (!columns) {
      columns = Object.keys(row);
      console.log(`| ${columns.join(' | ')} |`);
      console.log(`|${columns.map(() => ' --- |').join('')}`);
    }
    console.log(`| ${columns.map((column) => row[column] ?? '').join(' | ')} |`);
  }
}
