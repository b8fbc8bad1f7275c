/**
 * Stages and packs what users install, from one source: `npm run package [-- --target linux-x64] [--only vsix|npm]`.
 *
 * - `out/progressive-restoration-VERSION-TARGET.vsix`: the extension with the binaries of one platform; for the target `web` without
 *   Node code, models and binaries: it shows saved strips.
 * - `out/progressive-restoration-VERSION.tgz`: the npm package, which lets npm fetch the binaries.
 *
 * Both are staged below `.cache/stage/` with manifests generated from `package.json`. Expects a finished build in `dist/`.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const stage = path.join(root, '.cache', 'stage');
const out = path.join(root, 'out');
const require = createRequire(import.meta.url);
const run = promisify(execFile);

/** Platforms that onnxruntime-node and sharp both have binaries for. */
const TARGETS = {
  'linux-x64': { os: 'linux', cpu: 'x64', libc: 'glibc' },
  'linux-arm64': { os: 'linux', cpu: 'arm64', libc: 'glibc' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64' },
  'win32-x64': { os: 'win32', cpu: 'x64' },
};

const QUICKSTART = '01-quickstart.ipynb';

/** A picture in Markdown that lies beside it. */
const PICTURE_LINK = /!\[[^\]]*\]\(([^)\s:]+)\)/g;

/** The target that runs in a browser. */
const WEB = 'web';
const VSIX_TARGETS = [...Object.keys(TARGETS), WEB];

const options = parseArguments(process.argv.slice(2));
const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
for (const needed of ['dist/index.js', 'dist/index.d.ts', 'dist/service.js', 'dist/kernel.js', 'dist/cli.js']) {
  if (!existsSync(path.join(root, needed))) fail(`Expected ${needed}; it is missing. Run "npm run build" first.`);
}
await mkdir(out, { recursive: true });
if (options.only !== 'npm') await (options.target === WEB ? packWebVsix() : packVsix(options.target));
if (options.only !== 'vsix') await packNpm();

function fail(message) {
  console.error(message);
  process.exit(2);
}

function parseArguments(args) {
  const parsed = { target: `${process.platform}-${process.arch}`, only: undefined };
  for (let i = 0; i < args.length; i += 2) {
    const [name, value] = [args[i], args[i + 1]];
    if (name === '--target' && VSIX_TARGETS.includes(value)) parsed.target = value;
    else if (name === '--only' && (value === 'vsix' || value === 'npm')) parsed.only = value;
    else fail(`Expected --target ${VSIX_TARGETS.join('|')} or --only vsix|npm; got "${args.join(' ')}".`);
  }
  if (!VSIX_TARGETS.includes(parsed.target)) fail(`There are no binaries for ${parsed.target}. Give --target.`);
  return parsed;
}

/** The extension: everything it needs is inside. */
async function packVsix(target) {
  const folder = path.join(stage, `vsix-${target}`);
  await rm(folder, { recursive: true, force: true });
  // Cells import the library, so its bundle and its declarations are inside; the command line is not.
  await copyDist(folder, (name) => !/^(cli\.js|typescript-plugin\.js|web(\/|$))/.test(name));
  await copyModels(folder);
  await copyPage(folder);
  await copyMedia(folder);
  await copyQuickstart(folder);
  const dependencies = await copyModules(path.join(folder, 'node_modules'), target);
  Object.assign(dependencies, await copyTypescriptPlugins(path.join(folder, 'node_modules')));
  const extension = ['extensionKind', 'main', 'activationEvents', 'capabilities', 'contributes', 'l10n'];
  await writeJson(path.join(folder, 'package.json'), { ...pick(manifest, extension), ...listing(), dependencies });
  await packStaged(folder, target);
}

/** The extension in a browser, where no process can be started: it shows the strips that notebooks keep. */
async function packWebVsix() {
  const folder = path.join(stage, `vsix-${WEB}`);
  await rm(folder, { recursive: true, force: true });
  await copyDist(folder, (name) => /^(THIRD-PARTY-NOTICES\.txt|web(\/.*)?|webview(\/renderer\..*)?)$/.test(name));
  await copyPage(folder);
  await copyMedia(folder, (name) => name === path.basename(manifest.icon));
  await writeJson(path.join(folder, 'package.json'), {
    ...listing(),
    browser: './dist/web/extension.js',
    activationEvents: manifest.activationEvents.filter((event) => event.startsWith('onRenderer:')),
    capabilities: { untrustedWorkspaces: { supported: true }, virtualWorkspaces: true },
    contributes: pick(manifest.contributes, ['notebookRenderer']),
  });
  await packStaged(folder, WEB);
}

/** What the marketplace shows of the extension, and what editors it runs in. */
function listing() {
  const shown = ['name', 'displayName', 'description', 'version', 'publisher', 'license', 'categories', 'keywords'];
  return {
    ...pick(manifest, [...shown, 'icon', 'galleryBanner', 'repository']),
    engines: { vscode: manifest.engines.vscode },
  };
}

/** Packs a staged extension as a VSIX and prints its size. */
async function packStaged(folder, target) {
  await assertNamesNoMachine(folder);
  const file = path.join(out, `${manifest.name}-${manifest.version}-${target}.vsix`);
  // Packed under another name first: a test that installs the file never meets half of it.
  const partial = `${file}.partial.vsix`;
  const vsce = require.resolve('@vscode/vsce/vsce');
  const choices = ['--allow-missing-repository', '--no-rewrite-relative-links', '--skip-license'];
  await run(process.execPath, [vsce, 'package', '--target', target, '-o', partial, ...choices], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error) => {
    console.error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    throw new Error(`vsce could not pack the extension for ${target}.`);
  });
  await rename(partial, file);
  await printSizes(folder, file);
}

/** The library and the command line; npm fetches the dependencies. */
async function packNpm() {
  const folder = path.join(stage, 'npm');
  await rm(folder, { recursive: true, force: true });
  await copyDist(
    folder,
    (name) => !/^(extension\.js|language\.js|typescript-plugin\.js|(pieces|web|webview)(\/|$))/.test(name),
  );
  await copyModels(folder);
  await copyTexts(folder);
  // Bundled into the panel's script; nothing else imports it.
  const dependencies = Object.keys(manifest.dependencies).filter((name) => name !== '@vscode/webview-ui-toolkit');
  await writeJson(path.join(folder, 'package.json'), {
    ...pick(manifest, ['name', 'version', 'description', 'license', 'keywords', 'repository']),
    engines: { node: manifest.engines.node },
    main: './dist/index.js',
    types: './dist/index.d.ts',
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    bin: manifest.bin,
    dependencies: pick(manifest.dependencies, dependencies),
  });
  await assertNamesNoMachine(folder);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', out], {
    cwd: folder,
    shell: process.platform === 'win32',
    maxBuffer: 64 * 1024 * 1024,
  });
  const [packed] = JSON.parse(stdout);
  await printSizes(folder, path.join(out, packed.filename));
}

async function copyDist(folder, wanted) {
  const dist = path.join(root, 'dist');
  await cp(dist, path.join(folder, 'dist'), {
    recursive: true,
    filter: (source) => {
      const name = path.relative(dist, source).replaceAll(path.sep, '/');
      return name === '' || (!name.endsWith('.map') && wanted(name));
    },
  });
}

/** Every model's folder, without how it was made. */
async function copyModels(folder) {
  const models = path.join(root, 'models');
  await cp(models, path.join(folder, 'models'), {
    recursive: true,
    filter: (source) => path.relative(models, source).split(path.sep)[0] !== 'recipes',
  });
}

/** What people of the npm package read, with the pictures that the README shows. */
async function copyTexts(folder) {
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    await cp(path.join(root, name), path.join(folder, name));
  }
  for (const [, link] of (await readFile(path.join(root, 'README.md'), 'utf8')).matchAll(PICTURE_LINK)) {
    await cp(path.join(root, link), path.join(folder, link));
  }
}

/**
 * The extension's page. It is a page of its own, since users of the editor need less than those of the repository. Its pictures go
 * into the text: an editor shows pictures of a page from the network or from the text only, and no address is known to be theirs.
 */
async function copyPage(folder) {
  for (const name of ['CHANGELOG.md', 'LICENSE', 'package.nls.json']) {
    await cp(path.join(root, name), path.join(folder, name));
  }
  const page = path.join(root, 'media', 'marketplace.md');
  const text = await readFile(page, 'utf8');
  const pictures = new Map();
  for (const [, link] of text.matchAll(PICTURE_LINK)) {
    const bytes = await readFile(path.join(path.dirname(page), link));
    pictures.set(link, `data:image/${path.extname(link).slice(1)};base64,${bytes.toString('base64')}`);
  }
  const whole = text.replace(PICTURE_LINK, (all, link) => all.replace(link, pictures.get(link)));
  await writeFile(path.join(folder, 'README.md'), whole);
}

/** Icon and pictures of the walkthrough; the page's own pictures are in its text. */
async function copyMedia(folder, wanted = (name) => /^(icon\.png|walkthrough(\/.*)?)$/.test(name)) {
  const media = path.join(root, 'media');
  await cp(media, path.join(folder, 'media'), {
    recursive: true,
    filter: (source) => {
      const name = path.relative(media, source).replaceAll(path.sep, '/');
      return name === '' || wanted(name);
    },
  });
}

/** The quickstart, without outputs and with the pictures that it restores. */
async function copyQuickstart(folder) {
  const source = path.join(root, 'notebooks');
  const target = path.join(folder, 'notebooks');
  const notebook = JSON.parse(await readFile(path.join(source, QUICKSTART), 'utf8'));
  for (const cell of notebook.cells) {
    if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
  }
  await writeJson(path.join(target, QUICKSTART), notebook);
  await cp(path.join(source, 'pictures'), path.join(target, 'pictures'), { recursive: true });
}

/** Throws when a staged file names this checkout: what users install must not know where it was made. */
async function assertNamesNoMachine(folder) {
  for (const name of await readdir(folder, { recursive: true })) {
    const file = path.join(folder, name);
    if ((await stat(file)).isFile() && (await readFile(file)).includes(root)) {
      throw new Error(`Expected files without paths of this machine; ${name} names ${root}.`);
    }
  }
}

/** The packages that the bundles load at run time, cut down to what they load. Returns them with their versions. */
async function copyModules(folder, target) {
  const { os, cpu } = TARGETS[target];
  const binaries = `bin/napi-v6/${os}/${cpu}/`;
  await copyModule(folder, 'onnxruntime-common', root, (name) => name.startsWith('dist/cjs/') && isCode(name));
  await copyModule(
    folder,
    'onnxruntime-node',
    root,
    (name) =>
      (name.startsWith('dist/') && isCode(name)) ||
      name.startsWith(binaries) ||
      // Where the CUDA libraries of this version are.
      /^script\/install-metadata(-versions)?\.js$/.test(name),
    ['onnxruntime-common'],
  );

  const images = await imageModules(target);
  const sharpParts = (await readdir(path.join(images, 'node_modules', '@img'))).map((name) => `@img/${name}`);
  // The README of libvips names the licences of the libraries inside.
  for (const name of sharpParts) await copyModule(folder, name, images, (file) => isCode(file) || file === 'README.md');
  for (const name of ['detect-libc', 'semver']) await copyModule(folder, name, images, isCode);
  await copyModule(folder, 'sharp', images, isCode, [...sharpParts, 'detect-libc', 'semver']);

  // The converter, the executor and the file through which they pass what is displayed; no Jupyter, so no zeromq.
  await copyModule(folder, 'tslab', root, (name) => name.startsWith('dist/'), [
    '@tslab/typescript-for-tslab',
    'semver',
  ]);
  await copyModule(
    folder,
    '@tslab/typescript-for-tslab',
    root,
    (name) => /^lib\/(typescript\.js|lib(\.[\w.]+)?\.d\.ts)$/.test(name) || /ThirdPartyNotice/.test(name),
    [],
  );
  // Types of Node for cells.
  await copyModule(folder, '@types/node', root, (name) => name.endsWith('.d.ts'), ['undici-types']);
  await copyModule(folder, 'undici-types', root, (name) => name.endsWith('.d.ts'), []);

  const direct = ['onnxruntime-common', 'onnxruntime-node', 'sharp', 'tslab', '@types/node'];
  const versions = {};
  for (const name of direct) {
    versions[name] = JSON.parse(await readFile(path.join(folder, name, 'package.json'), 'utf8')).version;
  }
  return versions;
}

/** TypeScript's server finds plugins among the packages of an extension only. Returns them with their versions. */
async function copyTypescriptPlugins(folder) {
  const { version, license } = manifest;
  const versions = {};
  for (const { name } of manifest.contributes.typescriptServerPlugins) {
    await writeJson(path.join(folder, name, 'package.json'), { name, version, license, main: './index.js' });
    await cp(path.join(root, 'dist', 'typescript-plugin.js'), path.join(folder, name, 'index.js'));
    versions[name] = version;
  }
  return versions;
}

/** What a package runs: neither sources, nor maps, nor builds for another module system. */
function isCode(name) {
  return !/\.(map|mts|cts|mjs|md|c|cc|h|gyp)$|\.d\.ts$/.test(name) && !/^(src|install)\//.test(name);
}

/**
 * Copies one installed package: its manifest (with only the dependencies that are copied too), its licence, and the files
 * that `wanted` takes.
 */
async function copyModule(folder, name, from, wanted, dependencies) {
  const source = path.join(from, 'node_modules', name);
  const target = path.join(folder, name);
  await cp(source, target, {
    recursive: true,
    filter: async (file) => {
      const relative = path.relative(source, file).replaceAll(path.sep, '/');
      if (relative === '' || relative === 'package.json' || /^(licen[cs]e|notice)[^/]*$/i.test(relative)) return true;
      if (/^node_modules(\/|$)/.test(relative)) return false;
      return (await stat(file)).isDirectory() || wanted(relative);
    },
  });
  await removeEmptyFolders(target);
  const description = JSON.parse(await readFile(path.join(source, 'package.json'), 'utf8'));
  delete description.scripts;
  delete description.devDependencies;
  if (dependencies !== undefined) {
    description.dependencies = Object.fromEntries(dependencies.map((dependency) => [dependency, '*']));
    delete description.optionalDependencies;
    delete description.peerDependencies;
  }
  await writeJson(path.join(target, 'package.json'), description);
}

async function removeEmptyFolders(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeEmptyFolders(path.join(folder, entry.name));
  }
  if ((await readdir(folder)).length === 0) await rm(folder, { recursive: true });
}

/** Folder whose `node_modules` hold sharp and its binaries for `target`; fetched through npm unless it is this platform. */
async function imageModules(target) {
  if (target === `${process.platform}-${process.arch}`) return root;
  const { os, cpu, libc } = TARGETS[target];
  const { version } = JSON.parse(await readFile(path.join(root, 'node_modules', 'sharp', 'package.json'), 'utf8'));
  const folder = path.join(stage, `images-${target}`);
  const stamp = path.join(folder, `${version}.txt`);
  if (existsSync(stamp)) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeJson(path.join(folder, 'package.json'), { private: true });
  const platform = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
  await run('npm', ['install', '--no-fund', '--no-audit', '--ignore-scripts', ...platform, `sharp@${version}`], {
    cwd: folder,
    shell: process.platform === 'win32',
  });
  await writeFile(stamp, `${target}\n`);
  return folder;
}

function pick(object, names) {
  return Object.fromEntries(names.filter((name) => name in object).map((name) => [name, object[name]]));
}

async function writeJson(file, value) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

async function folderSize(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    bytes += entry.isDirectory() ? await folderSize(file) : (await stat(file)).size;
  }
  return bytes;
}

async function printSizes(folder, file) {
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2).padStart(8)} MB`;
  console.log(`${path.relative(root, file)}`);
  console.log(`${megabytes((await stat(file)).size)}  packed, of`);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    console.log(`${megabytes(await folderSize(path.join(folder, entry.name)))}  ${entry.name}/`);
  }
}
