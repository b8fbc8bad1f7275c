import { setImmediate } from 'node:timers/promises';
import { RestorationError } from '../../protocol';
import type { Pause } from './convolve';

/** Lets the process read its messages now and then, and stops the work when one of them was a cancel. */
export function pauseOf(signal: AbortSignal): Pause {
  return async () => {
    await setImmediate();
    if (signal.aborted) throw new RestorationError('cancelled', 'The degradation was cancelled.', '');
  };
}
