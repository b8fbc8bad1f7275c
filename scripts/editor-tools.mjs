/**
 * Fills the ignored folder `.tools/` with what the tests in a real VS Code need: `node scripts/editor-tools.mjs`.
 *
 * Node 24 and code-server (VS Code's own workbench and extension host, served to a browser) come from the npm registry
 * as it is configured. They stay out of the project's dependencies: 800 MB that only these tests need.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const toolsFolder = path.join(root, '.tools');

const CODE_SERVER = '4.139.1';
const NODE = '24.21.0';
const stamp = `code-server ${CODE_SERVER}, node ${NODE}, ${process.platform}-${process.arch}\n`;
const stampFile = path.join(toolsFolder, 'complete.txt');

const run = promisify(execFile);

/** The npm package that carries the Node binary of this platform. */
function nodePackage() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return `node-${platform}-${process.arch}`;
}

/** Where the pieces lie once `ensureEditorTools` has resolved. */
export function editorToolPaths() {
  const windows = process.platform === 'win32';
  return {
    node: path.join(toolsFolder, 'node_modules', nodePackage(), 'bin', windows ? 'node.exe' : 'node'),
    codeServer: path.join(toolsFolder, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
  };
}

async function npm(args, cwd) {
  const bin = path.dirname(editorToolPaths().node);
  const env = {
    ...process.env,
    PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  };
  // What npm hands to its scripts would point the inner npm back at this project.
  for (const name of Object.keys(env)) {
    if (/^npm_(config_local_prefix|package_|lifecycle_|command$)/i.test(name)) delete env[name];
  }
  await run('npm', args, { cwd, env, maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32' });
}

/** Installs the tools unless they are complete; resolves to their paths. */
export async function ensureEditorTools(log = console.error) {
  const paths = editorToolPaths();
  const complete = existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp;
  if (complete && existsSync(paths.node) && existsSync(paths.codeServer)) return paths;

  log(`Fetching VS Code (code-server ${CODE_SERVER}) and Node ${NODE} for the editor tests into .tools/ ...`);
  await rm(toolsFolder, { recursive: true, force: true });
  await mkdir(toolsFolder, { recursive: true });
  await writeFile(path.join(toolsFolder, 'package.json'), '{ "private": true }\n');
  const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];
  // Node first, by itself: the other installs must run under it.
  await npm(['install', ...quiet, `${nodePackage()}@${NODE}`], toolsFolder);
  await npm(['install', ...quiet, '--ignore-scripts', `code-server@${CODE_SERVER}`], toolsFolder);
  const vscode = path.join(toolsFolder, 'node_modules', 'code-server', 'lib', 'vscode');
  await npm(['install', ...quiet, '--omit=dev', '--ignore-scripts'], vscode);
  const extensions = path.join(vscode, 'extensions');
  await npm(['install', ...quiet, '--omit=dev', '--ignore-scripts'], extensions);
  await run(paths.node, ['./postinstall.mjs'], { cwd: extensions });
  await writeFile(stampFile, stamp);
  return paths;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const paths = await ensureEditorTools();
  console.log(`node         ${paths.node}\ncode-server  ${paths.codeServer}`);
}
