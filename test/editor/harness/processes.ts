import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Process ids of the running programs whose command line contains every one of `parts`. */
export async function processesWith(...parts: string[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, args] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return args !== undefined && parts.every((part) => args.includes(part)) ? [Number(pid)] : [];
  });
}
