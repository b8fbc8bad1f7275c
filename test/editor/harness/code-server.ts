import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

/** A running VS Code server. */
export interface CodeServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface CodeServerOptions {
  /** Node 24 and code-server's entry, from `scripts/editor-tools.mjs`. */
  tools: { node: string; codeServer: string };
  /** Fresh folder for settings and state. */
  userData: string;
  extensions: string;
  /** User settings. */
  settings: Record<string, unknown>;
  /** Settings of the machine that the server runs on. */
  machineSettings?: Record<string, unknown> | undefined;
  /** File that receives the server's output. */
  log: string;
  environment?: NodeJS.ProcessEnv | undefined;
  /** Whether a workspace that nobody has trusted is opened in Restricted Mode; else every workspace is trusted. */
  restricted?: boolean;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port.');
  return address.port;
}

/** The environment without what would make a nested Node or VS Code believe that it belongs to someone else. */
function cleanEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of Object.keys(environment)) {
    if (/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_PATH$|npm_)/.test(name)) delete environment[name];
  }
  return environment;
}

/** Installs a VSIX into an extensions folder. */
export async function installExtension(
  tools: CodeServerOptions['tools'],
  vsix: string,
  folders: { userData: string; extensions: string },
): Promise<void> {
  await promisify(execFile)(
    tools.node,
    [
      tools.codeServer,
      '--install-extension',
      vsix,
      '--user-data-dir',
      folders.userData,
      '--extensions-dir',
      folders.extensions,
    ],
    { env: cleanEnvironment(), maxBuffer: 16 * 1024 * 1024 },
  );
}

/** Starts a server on a free port of the loopback interface and waits until it answers. */
export async function startCodeServer(options: CodeServerOptions): Promise<CodeServer> {
  const { tools, userData, extensions } = options;
  const port = await freePort();
  await mkdir(path.join(userData, 'User'), { recursive: true });
  await writeFile(path.join(userData, 'User', 'settings.json'), JSON.stringify(options.settings, null, 2));
  await mkdir(path.join(userData, 'Machine'), { recursive: true });
  await writeFile(
    path.join(userData, 'Machine', 'settings.json'),
    JSON.stringify(options.machineSettings ?? {}, null, 2),
  );
  const child = spawn(
    tools.node,
    [
      tools.codeServer,
      ...['--bind-addr', `127.0.0.1:${port}`, '--auth', 'none'],
      ...['--user-data-dir', userData, '--extensions-dir', extensions],
      ...['--reconnection-grace-time', '3', '--disable-telemetry', '--disable-update-check'],
      ...(options.restricted === true ? [] : ['--disable-workspace-trust']),
      '--disable-getting-started-override',
    ],
    {
      // A group of its own: stopping it takes the extension hosts and what they spawned with it.
      detached: process.platform !== 'win32',
      env: cleanEnvironment(options.environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const log = createWriteStream(options.log, { flags: 'a' });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  // Tests that are broken off leave nothing running.
  process.once('exit', () => signalGroup(child, 'SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const stop = (): Promise<void> => stopGroup(child);
  try {
    await waitUntilHealthy(url, child, options.log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: child.pid ?? -1, stop };
}

async function waitUntilHealthy(url: string, child: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`code-server ended with exit code ${child.exitCode}; see ${log}.`);
    const healthy = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`code-server did not answer within two minutes; see ${log}.`);
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  signalGroup(child, 'SIGTERM');
  const forced = setTimeout(() => signalGroup(child, 'SIGKILL'), 5_000);
  await ended;
  clearTimeout(forced);
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-child.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
