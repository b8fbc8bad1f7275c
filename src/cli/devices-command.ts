import { devices } from '../api/devices';
import { allowOnly, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `devices`: what works here, found by trying. */
export async function devicesCommand(call: Call, terminal: Terminal): Promise<void> {
  allowOnly(call, 'devices', []);
  const reports = await devices();
  terminal.json(reports);
  for (const { device, available, detail } of reports) {
    terminal.text(`${device.padEnd(9)} ${available ? 'works    ' : 'no       '} ${detail}`);
  }
}
