import type { DeviceReport } from '../protocol';
import { inferenceClient } from './session';

/**
 * The devices that this build could use, found by running a small network on each.
 *
 * @returns one entry a device; `detail` says why one is not available
 */
export function devices(): Promise<DeviceReport[]> {
  return inferenceClient().devices();
}
