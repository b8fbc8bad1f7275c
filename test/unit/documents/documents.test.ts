import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { parseCall } from '../../../src/cli/arguments';
import { parseManifest } from '../../../src/restoration/models/manifest';
import { runCli } from '../cli/run-cli';
import { shellCommands, snippets, type Snippet } from './snippets';

const ROOT = path.resolve(__dirname, '../../..');
const FIXTURES = path.join(ROOT, 'test/fixtures/pictures');

/**
 * Who checks a language: `ts` is compiled and run against the packed library (test/unit/package), `python` and `py` are run by the
 * tests of the recipes (test/recipes/test_documents.py), where Python has its packages; the rest is checked here.
 */
const LANGUAGES = ['', 'json', 'py', 'python', 'sh', 'ts'];

/** The command line in a command, however it is started. */
function callOf([first, second, ...rest]: string[]): string[] | undefined {
  if (first === 'node' && second === 'dist/cli.js') return rest;
  if (first === 'npx' && second === 'progressive-restoration') return rest;
  if (first === 'progressive-restoration') return second === undefined ? [] : [second, ...rest];
  return undefined;
}

describe('documents', () => {
  const all = snippets();
  const inShell = (found: (command: string[], snippet: Snippet) => void): void => {
    for (const snippet of all.filter(({ language }) => language === 'sh'))
      for (const command of shellCommands(snippet.code)) found(command, snippet);
  };

  it('hold no snippet that no test knows', () => {
    assert.ok(all.length > 20, `${all.length} snippets`);
    for (const { where, language } of all) assert.ok(LANGUAGES.includes(language), `${where}: ${language}`);
  });

  it('call the command line with options that it has', () => {
    let calls = 0;
    inShell((command, { where }) => {
      const call = callOf(command);
      if (call === undefined) return;
      calls++;
      assert.doesNotThrow(() => parseCall(call), `${where}: ${command.join(' ')}`);
    });
    assert.ok(calls >= 9, `${calls} calls`);
    // In running text, too: README's lines for researchers, for example.
    const verbs = 'restore|evaluate|detect|detective|figure|metrics|degrade|dataset|models|notebook';
    const text = readFileSync(path.join(ROOT, 'README.md'), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
    const inText = [...text.matchAll(new RegExp(`\`((?:${verbs})\\b[^\`]* --[^\`]*)\``, 'g'))].map(
      ([, call = '']) => call,
    );
    assert.ok(inText.length >= 6, inText.join('\n'));
    for (const call of inText) {
      const words = call.replace('X,Y,W,H', '1,2,30,40').split(/\s+/);
      assert.doesNotThrow(() => parseCall(words), call);
    }
  });

  it('name scripts and files that are there', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    let checked = 0;
    inShell((command, { where, document }) => {
      const [program, ...words] = command;
      if (program === 'npm' && words[0] !== 'ci') {
        const name = words[0] === 'run' ? words[1] : words[0];
        assert.ok(name !== undefined && Object.hasOwn(scripts, name), `${where}: npm run ${name}`);
        checked++;
      }
      if ((program === 'node' && words[0] !== 'dist/cli.js') || program === 'bash') {
        // Recipes are called from their folder, everything else from the root.
        const beside = path.join(ROOT, path.dirname(document), words[0] ?? '');
        assert.ok(existsSync(beside) || existsSync(path.join(ROOT, words[0] ?? '')), `${where}: ${words[0]}`);
        checked++;
      }
    });
    assert.ok(checked >= 6, `${checked} commands`);
  });

  it('show a manifest that is one', () => {
    const manifests = all.filter(({ language }) => language === 'json');
    assert.ok(manifests.length >= 1);
    for (const { where, code } of manifests) {
      const json: unknown = JSON.parse(code.replaceAll(/"…64 hexadecimal digits…"/g, `"${'0'.repeat(64)}"`));
      assert.doesNotThrow(() => parseManifest(json, '/models/my-net'), where);
    }
  });

  describe('command line, run as it is written', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'pir-documents-'));
      const copy = (from: string, to: string): Promise<void> => cp(path.join(ROOT, from), path.join(folder, to));
      await copy('test/fixtures/pictures/card-blurred.png', 'street.png');
      await copy('test/fixtures/pictures/card-small.png', 'small.png');
      await copy('test/fixtures/pictures/card.png', 'large.png');
      await copy('models/compact/adapters/reds.safetensors', 'mine.safetensors');
      await sharp(path.join(FIXTURES, 'card-dark.png')).jpeg({ quality: 95 }).toFile(path.join(folder, 'photo.jpg'));
      await sharp(path.join(FIXTURES, 'card-dark.png')).tiff().toFile(path.join(folder, 'photo.tif'));
      for (const [set, degraded] of [
        ['Set5', 'card-small.png'],
        ['pairs-of-another-day', 'card-blurred.png'],
      ] as const) {
        for (const [kind, file] of [
          ['input', degraded],
          ['reference', 'card.png'],
        ] as const) {
          await mkdir(path.join(folder, set, kind), { recursive: true });
          await copy(`test/fixtures/pictures/${file}`, `${set}/${kind}/card.png`);
        }
      }
    });
    after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

    // The quickstart has a test of its own, which looks at what it makes (test/kernel); nothing here can make CogVideoX's weights.
    const calls: { where: string; call: string[] }[] = [];
    inShell((command, { where, document }) => {
      const call = callOf(command);
      if (call === undefined || call[0] === 'notebook' || document.includes('cogvideox')) return;
      calls.push({ where, call });
    });
    for (const { where, call } of calls) {
      it(`${where}: ${call.join(' ')}`, async () => {
        const result = await runCli([...call, '--device', 'cpu'], { cwd: folder });
        assert.equal(result.code, 0, result.stderr);
        const out = call[call.indexOf('--out') + 1];
        if (call.includes('--out') && out !== undefined) assert.ok((await readdir(path.join(folder, out))).length > 0);
        if (call.includes('--json')) JSON.parse(result.stdout);
      });
    }
    it('is run at all', () => assert.ok(calls.length >= 7, `${calls.length} calls`));
  });
});
