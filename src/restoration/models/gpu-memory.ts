import { execFile } from 'node:child_process';
import type { ConcreteDevice } from '../../protocol';

/** The driver's own tool answers at once, or not at all. */
const TIMEOUT_MILLISECONDS = 5000;

/**
 * Free memory of the first NVIDIA GPU in bytes, as its driver reports it; undefined where that cannot be told. onnxruntime
 * itself reports none, and other vendors have no tool that is everywhere.
 */
export function freeGpuMemory(device: ConcreteDevice): Promise<number | undefined> {
  if (device === 'cpu' || device === 'coreml') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(
      'nvidia-smi',
      ['--query-gpu=memory.free', '--format=csv,noheader,nounits'],
      { timeout: TIMEOUT_MILLISECONDS, windowsHide: true },
      (error, stdout) => {
        const mebibytes = Number(stdout.split('\n')[0]?.trim());
        resolve(error || !(mebibytes > 0) ? undefined : mebibytes * 1024 ** 2);
      },
    );
  });
}
