import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../browser';
import { startCodeServer, type CodeServer } from './code-server';
import { installed, projectRoot, uninstall, type Installation } from './installation';
import { Workbench } from './workbench';

/** Settings that keep the editor quiet: nothing opens by itself, and nothing of other products is in the way. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'typescript.disableAutomaticTypeAcquisition': true,
  'telemetry.telemetryLevel': 'off',
  'files.simpleDialog.enable': true,
  'git.enabled': false,
  // Opening a file would otherwise replace what a test has selected.
  'explorer.autoReveal': false,
  'workbench.reduceMotion': 'on',
  'workbench.enableExperiments': false,
  // The theme is the one that is set, not the one that the browser asks for.
  'window.autoDetectColorScheme': false,
};

const results = path.join(projectRoot, 'test-results', 'editor');

/** A VS Code with the packed extension, a fresh profile and a workspace of its own. */
export interface Editor {
  workbench: Workbench;
  /** Absolute path of the workspace's folder. */
  workspace: string;
  installation: Installation;
  /** Process id of the server. */
  server: number;
  /** Keeps a picture of the window as `test-results/editor/NAME.png`. */
  screenshot(name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface EditorOptions {
  /** Prefix of the screenshots. */
  name: string;
  /** Files of the workspace: a path below the project's root to copy from, or the text itself. */
  files: Record<
    string,
    { copy: string } | { text: string } | { bytes: Uint8Array } | { make: () => Promise<Uint8Array> }
  >;
  settings?: Record<string, unknown>;
  /** Settings of the machine, which those of a user cannot change. */
  machineSettings?: Record<string, unknown>;
  /** Further variables of the server's environment. */
  environment?: NodeJS.ProcessEnv;
  /** Opens the workspace in Restricted Mode, as one from elsewhere. */
  restricted?: boolean;
  /** Target of the packed extension; by default the platform of the tests. */
  target?: string;
  /** Size of the window in CSS pixels, and how many pixels of the screen one of them has. */
  window?: { width: number; height: number; scale: number };
  /** Opens a window without a folder; the workspace's folder is there, but nobody has opened it. */
  withoutFolder?: boolean;
  /** Module that the extension host runs as its tests, with the extension out of this checkout. */
  extensionTests?: string;
}

export async function startEditor(options: EditorOptions): Promise<Editor> {
  const installation = await installed(options.target);
  await mkdir(results, { recursive: true });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-workspace-'));
  const workspace = path.join(folder, 'workspace');
  await fill(workspace, options.files);
  let server: CodeServer | undefined;
  let browser: Browser | undefined;
  const userData = path.join(folder, 'profile');
  const stop = async (): Promise<void> => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    server = await startCodeServer({
      tools: installation.tools,
      userData,
      extensions: installation.extensions,
      settings: { ...SETTINGS, ...options.settings },
      machineSettings: options.machineSettings,
      environment: options.environment,
      log: path.join(results, `${options.name}.server.log`),
      restricted: options.restricted,
    });
    browser = await launchBrowser();
    const { width, height, scale } = options.window ?? { width: 1400, height: 1300, scale: 1 };
    const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale });
    // A busy machine is slow, not wrong.
    page.setDefaultTimeout(90_000);
    page.setDefaultNavigationTimeout(180_000);
    const workbench = new Workbench(page, server.url, {
      // In a browser the extension has no commands, and its tests want to wake it themselves.
      hasCommands: options.target !== 'web' && options.extensionTests === undefined,
      extensionTests: options.extensionTests,
    });
    await workbench.open(options.withoutFolder === true ? undefined : workspace);
    return {
      workbench,
      workspace,
      installation,
      server: server.pid,
      screenshot: (name) => workbench.screenshot(path.join(results, `${options.name}-${name}.png`)),
      stop,
    };
  } catch (error) {
    const [page] = browser?.contexts()[0]?.pages() ?? [];
    await page?.screenshot({ path: path.join(results, `${options.name}-start-failed.png`) });
    await stop();
    throw error;
  }
}

/**
 * Starts one editor for the tests of a `describe` block and stops it after them. A failing test leaves a picture of the
 * window. Returns a function that gives the editor inside a test.
 */
export function useEditor(options: EditorOptions): () => Editor {
  let editor: Editor | undefined;
  before(async () => {
    editor = await startEditor(options);
  });
  afterEach(async function () {
    const failed = this.currentTest?.state === 'failed';
    const title = this.currentTest?.title.replace(/\W+/g, '-').slice(0, 60) ?? 'test';
    if (failed) await editor?.screenshot(`failed-${title}`);
  });
  after(async () => {
    await editor?.stop();
  });
  return () => {
    if (editor === undefined) throw new Error('The editor has not started.');
    return editor;
  };
}

/** Removes what all editors of this process shared. */
export async function removeInstallation(): Promise<void> {
  await uninstall();
}

async function fill(workspace: string, files: EditorOptions['files']): Promise<void> {
  await mkdir(workspace, { recursive: true });
  for (const [name, source] of Object.entries(files)) {
    const target = path.join(workspace, name);
    await mkdir(path.dirname(target), { recursive: true });
    if ('copy' in source) await cp(path.join(projectRoot, source.copy), target, { recursive: true });
    else if ('make' in source) await writeFile(target, await source.make());
    else await writeFile(target, 'text' in source ? source.text : source.bytes);
  }
}
