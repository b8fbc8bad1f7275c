import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Process ids of the running programs whose command line contains every one of `parts`. */
export async function processesWith(...parts: string[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']);
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .filter(([, , args]) => parts.every((part) => args?.includes(part)))
    .map(([, pid]) => Number(pid));
}
