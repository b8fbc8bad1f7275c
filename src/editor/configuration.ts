import * as vscode from 'vscode';
import { DEFAULT_FRAMES, DEVICES, MAXIMUM_FRAMES, type Device } from '../protocol';
import { SETTINGS, SETTINGS_SECTION } from './ids';

export interface Settings {
  device: Device;
  /** Name of a model's folder. */
  model: string;
  /** Frames of a run, both ends included. */
  frames: number;
}

/** The settings for work on `resource`. Values that a hand-edited settings file got wrong fall back to the defaults. */
export function readSettings(resource?: vscode.Uri): Settings {
  const section = vscode.workspace.getConfiguration(SETTINGS_SECTION, resource);
  const device = section.get<unknown>(SETTINGS.device);
  const model = section.get<unknown>(SETTINGS.model);
  const frames = section.get<unknown>(SETTINGS.frames);
  return {
    device: DEVICES.find((known) => known === device) ?? 'auto',
    model: typeof model === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(model) ? model : 'compact',
    frames:
      typeof frames === 'number' && Number.isInteger(frames) && frames >= 2 && frames <= MAXIMUM_FRAMES
        ? frames
        : DEFAULT_FRAMES,
  };
}

/** The Node.js that the user chose for notebook cells; undefined stands for the editor's own. */
export function chosenNodePath(): string | undefined {
  const value = vscode.workspace.getConfiguration(SETTINGS_SECTION).get<unknown>(SETTINGS.nodePath);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
