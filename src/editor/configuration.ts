import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { DEFAULT_FRAMES, DEVICES, MAXIMUM_FRAMES, type Device } from '../protocol';
import { SETTINGS, SETTINGS_SECTION } from './ids';

/** The model that comes with the extension. */
export const USUAL_MODEL = 'compact';

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
    model: typeof model === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(model) ? model : USUAL_MODEL,
    frames:
      typeof frames === 'number' && Number.isInteger(frames) && frames >= 2 && frames <= MAXIMUM_FRAMES
        ? frames
        : DEFAULT_FRAMES,
  };
}

/** A text setting of the machine; undefined when it is empty. */
function chosen(name: string): string | undefined {
  const value = vscode.workspace.getConfiguration(SETTINGS_SECTION).get<unknown>(name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Absolute path of a folder in a setting; `~` stands for the home folder. Others are not understood, and so left out. */
function chosenFolder(name: string): string | undefined {
  const value = chosen(name)?.replace(/^~(?=$|[\\/])/, os.homedir());
  return value !== undefined && path.isAbsolute(value) ? path.normalize(value) : undefined;
}

/** Folder of added models that the user chose; undefined stands for the usual one. */
export function chosenModelsFolder(): string | undefined {
  return chosenFolder(SETTINGS.modelsFolder);
}

/** Folder with the CUDA libraries of an onnxruntime that is on this machine. */
export function chosenOnnxruntimePath(): string | undefined {
  return chosenFolder(SETTINGS.onnxruntimePath);
}

/** Index of the NuGet feed that CUDA libraries come from; undefined stands for that of onnxruntime. */
export function chosenCudaFeed(): string | undefined {
  return chosen(SETTINGS.cudaFeed);
}

/** The Node.js that the user chose for notebook cells; undefined stands for the editor's own. */
export function chosenNodePath(): string | undefined {
  return chosen(SETTINGS.nodePath);
}
