import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes `dist/THIRD-PARTY-NOTICES.txt`: the licence text of every package whose code went into a bundle.
 *
 * @param root folder of the project
 * @param inputs paths of the files in the bundles, relative to it, as esbuild's metafile names them
 */
export async function writeNotices(root, inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const [found] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input) ?? [];
    if (found) folders.add(found);
  }
  const notices = [];
  for (const folder of [...folders].sort()) {
    const place = path.join(root, folder);
    if (!existsSync(path.join(place, 'package.json'))) continue;
    const { name, version, license } = JSON.parse(await readFile(path.join(place, 'package.json'), 'utf8'));
    const files = (await readdir(place)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
    const texts = await Promise.all(files.map((file) => readFile(path.join(place, file), 'utf8')));
    notices.push(
      [`${name} ${version} (${license ?? 'no licence named'})`, ...texts.map((text) => text.trim())].join('\n\n'),
    );
  }
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const head = 'Packages whose code is part of this one, with their licences.';
  await writeFile(path.join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'), `${[head, ...notices].join(rule)}\n`);
}
