import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { installExtension } from './code-server';

export const projectRoot = path.resolve(__dirname, '..', '..', '..');

export interface EditorTools {
  node: string;
  codeServer: string;
}

/** The packed extension, installed for the tests of this process. */
export interface Installation {
  tools: EditorTools;
  /** Absolute path of the VSIX. */
  vsix: string;
  extensions: string;
}

/** The platform that the tests run on. */
const HERE = `${process.platform}-${process.arch}`;

const installations = new Map<string, Promise<Installation>>();

/** Fetches the tools, packs the extension for `target` when the build is newer, and installs it; once a process. */
export function installed(target = HERE): Promise<Installation> {
  const installation = installations.get(target) ?? install(target);
  installations.set(target, installation);
  return installation;
}

/** Removes what `installed` made. */
export async function uninstall(): Promise<void> {
  const all = await Promise.all([...installations.values()].map((one) => one.catch(() => undefined)));
  installations.clear();
  for (const done of all) {
    if (done !== undefined) await rm(path.dirname(done.extensions), { recursive: true, force: true });
  }
}

async function install(target: string): Promise<Installation> {
  const script = pathToFileURL(path.join(projectRoot, 'scripts', 'editor-tools.mjs')).href;
  const module = (await import(script)) as { ensureEditorTools: () => Promise<EditorTools> };
  const tools = await module.ensureEditorTools();
  const vsix = await pack(target);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-editor-'));
  const extensions = path.join(folder, 'extensions');
  await installExtension(tools, vsix, { userData: path.join(folder, 'install'), extensions });
  return { tools, vsix, extensions };
}

/** The VSIX of a target, packed anew when anything in it is newer. */
async function pack(target: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(path.join(projectRoot, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const vsix = path.join(projectRoot, 'out', `${name}-${version}-${target}.vsix`);
  const sources = ['dist', 'models', 'media', 'package.json', 'package.nls.json', 'scripts/package.mjs'];
  const newest = Math.max(
    ...(await Promise.all(sources.map((source) => newestChange(path.join(projectRoot, source))))),
  );
  if (!existsSync(vsix) || (await stat(vsix)).mtimeMs < newest) {
    await promisify(execFile)(process.execPath, ['scripts/package.mjs', '--only', 'vsix', '--target', target], {
      cwd: projectRoot,
    });
  }
  return vsix;
}

async function newestChange(file: string): Promise<number> {
  const status = await stat(file);
  if (!status.isDirectory()) return status.mtimeMs;
  const entries = await readdir(file);
  return Math.max(0, ...(await Promise.all(entries.map((entry) => newestChange(path.join(file, entry))))));
}
