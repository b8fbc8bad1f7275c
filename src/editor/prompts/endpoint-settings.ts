import * as vscode from 'vscode';
import { checkEndpoint, ENDPOINT_VARIABLES, type DescriptionEndpoint } from '../../restoration/prompts/endpoint';
import { SETTINGS, SETTINGS_SECTION } from '../ids';

const KEY = 'promptEndpointKey';

/** The endpoint that the user has set up: in the settings, else in the environment as for the library. */
export class EndpointSettings {
  constructor(private readonly secrets: vscode.SecretStorage) {}

  /** Undefined when there is none. Throws a RestorationError when what is set cannot be one. */
  async read(): Promise<DescriptionEndpoint | undefined> {
    const section = vscode.workspace.getConfiguration(SETTINGS_SECTION);
    const set = { baseUrl: text(section.get(SETTINGS.endpoint)), model: text(section.get(SETTINGS.endpointModel)) };
    const { env } = process;
    const endpoint =
      set.baseUrl === undefined
        ? {
            baseUrl: text(env[ENDPOINT_VARIABLES.baseUrl]),
            model: text(env[ENDPOINT_VARIABLES.model]),
            key: text(env[ENDPOINT_VARIABLES.key]),
          }
        : { ...set, key: text(await this.secrets.get(KEY)) };
    const { baseUrl, model, key } = endpoint;
    if (baseUrl === undefined) return undefined;
    const found = { baseUrl, model: model ?? '', ...(key === undefined ? {} : { key }) };
    checkEndpoint(found);
    return found;
  }

  /** Asks for the key and keeps it in the editor's secret storage; an empty one is forgotten. */
  async askKey(): Promise<void> {
    const key = await vscode.window.showInputBox({
      title: vscode.l10n.t('Prompt Endpoint Key'),
      prompt: vscode.l10n.t('Kept in the secret storage of the editor. Leave it empty to remove the key.'),
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined) return;
    if (key.trim() === '') await this.secrets.delete(KEY);
    else await this.secrets.store(KEY, key.trim());
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
