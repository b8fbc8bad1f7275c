import { spawn } from 'node:child_process';
import path from 'node:path';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

const cli = path.resolve(__dirname, '../../../dist/cli.js');

/** Runs the built command line as a user would; gets the signal of Ctrl-C as soon as `interruptWhen` says so. */
export function runCli(
  words: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; interruptWhen?: () => boolean } = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...words], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const { interruptWhen } = options;
    const timer = interruptWhen
      ? setInterval(() => {
          if (!interruptWhen()) return;
          clearInterval(timer);
          child.kill('SIGINT');
        }, 20)
      : undefined;
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
