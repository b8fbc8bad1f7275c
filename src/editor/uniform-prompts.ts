import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isObject, isText } from '../protocol/checks';
import { RestorationError, type Task } from '../protocol';

/** The sentence that a model was trained with for each task: offered to the user before a run. */
export class UniformPrompts {
  /** @param modelsFolder holds one folder with a `manifest.json` for each model. */
  constructor(private readonly modelsFolder: string) {}

  /** The uniform sentence of `model` for `task`. Throws `unknown-model` or `bad-model`. */
  async of(model: string, task: Task): Promise<string> {
    const file = path.join(this.modelsFolder, model, 'manifest.json');
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new RestorationError(
        'unknown-model',
        `Expected a model named "${model}"; there is no manifest for it.`,
        'Correct the setting "progressiveRestoration.model", or set it back to "compact".',
        { cause: error },
      );
    });
    const prompt = promptOf(text, task);
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
