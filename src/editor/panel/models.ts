import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DEVICES, RestorationError, type Device, type Task } from '../../protocol';
import { isObject, isText } from '../../protocol/checks';
import { ModelStore, type ModelEntry } from '../../restoration/models/model-store';

/** Devices that no version of onnxruntime offers on a platform. */
const ELSEWHERE: Partial<Record<NodeJS.Platform, readonly Device[]>> = {
  linux: ['dml', 'coreml'],
  darwin: ['tensorrt', 'cuda', 'dml'],
  win32: ['coreml', 'tensorrt', 'cuda'],
};

/** Devices that may be chosen here. One that is missing after all is replaced by the CPU, and the record says so. */
export function devicesHere(): Device[] {
  const elsewhere = ELSEWHERE[process.platform] ?? [];
  return DEVICES.filter((device) => !elsewhere.includes(device));
}

/** The models that a panel offers, with the sentences that they were trained with. */
export class PanelModels {
  /** @param store where models are, asked for each time: the setting of its folder may change */
  constructor(private readonly store: () => ModelStore = () => new ModelStore()) {}

  /** Models that can be used, those of the package first. */
  async list(): Promise<ModelEntry[]> {
    return (await this.store().list()).filter(({ problem }) => problem === undefined);
  }

  /** True when the model gives every severity between the picture and its restoration. */
  async isContinuous(id: string): Promise<boolean> {
    return (await this.list()).some((entry) => entry.id === id && entry.kind === 'trajectory');
  }

  /** The uniform sentence of `model` for `task`; empty for a network, which reads none. Throws `unknown-model` or `bad-model`. */
  async uniformPrompt(model: string, task: Task): Promise<string> {
    const entry = (await this.list()).find(({ id }) => id === model);
    if (entry === undefined) {
      throw new RestorationError(
        'unknown-model',
        `Expected a model named "${model}"; there is none that can be used.`,
        'Correct the setting "progressiveRestoration.model", or set it back to "compact".',
      );
    }
    if (entry.kind === 'network') return '';
    const prompt = promptOf(await readFile(path.join(entry.folder, 'manifest.json'), 'utf8'), task);
    if (prompt === undefined) {
      throw new RestorationError(
        'bad-model',
        `Expected a uniform prompt for ${task} in the manifest of the model "${model}"; there is none.`,
        'Choose another task or another model.',
      );
    }
    return prompt;
  }
}

function promptOf(manifest: string, task: Task): string | undefined {
  try {
    const value: unknown = JSON.parse(manifest);
    if (!isObject(value) || !isObject(value.uniformPrompts)) return undefined;
    const prompt = value.uniformPrompts[task];
    return isText(prompt) && prompt !== '' ? prompt : undefined;
  } catch {
    return undefined;
  }
}
