import type { DeviceReport, Priority } from './messages';
import type { Device } from './tasks';

/** Try everything that a run needs: reading and writing pictures, a network, metrics. */
export interface CheckRequest {
  device: Device;
  /** Id of a model or path of its folder. */
  model: string;
  priority: Priority;
}

export const CHECK_NAMES = ['pictures', 'network', 'metrics'] as const;

/** One thing that was tried. */
export interface InstallationCheck {
  name: (typeof CHECK_NAMES)[number];
  ok: boolean;
  /** What came of it, with numbers; what went wrong, when it did. */
  detail: string;
  /** What to do about it. */
  remedy?: string;
  seconds: number;
}

export interface InstallationReport {
  checks: InstallationCheck[];
  devices: DeviceReport[];
  versions: Record<string, string>;
}
