import path from 'node:path';
import * as vscode from 'vscode';
import type { InferenceClient } from '../../inference/client';
import type { Look } from '../../protocol';
import { describeByEndpoint, type DescriptionEndpoint } from '../../restoration/prompts/endpoint';
import { asSignal } from '../progress';
import type { SharingConsent } from './consent';
import type { EndpointSettings } from './endpoint-settings';
import { describeByLanguageModel, seeingModels } from './language-models';

/** Longest side of the copy that leaves this machine, in pixels. */
const SENT_SIDE = 512;

/** A description of a picture, and who wrote it. */
export interface Scene {
  text: string;
  source: 'described' | 'endpoint';
}

type Source =
  | { kind: 'built-in' }
  | { kind: 'endpoint'; endpoint: DescriptionEndpoint; host: string }
  | { kind: 'language-model'; model: vscode.LanguageModelChat };

/** Writes scene prompts: with a language model of the editor, with the endpoint that is set up, or with what can be measured. */
export class ScenePrompts {
  constructor(
    private readonly client: InferenceClient,
    private readonly endpoint: EndpointSettings,
    private readonly consent: SharingConsent,
  ) {}

  /**
   * Describes a picture with the source that the user chooses, where there is a choice. Undefined when the user went away or
   * does not agree that the picture is sent.
   *
   * @param picture absolute path
   * @throws RestorationError when the picture cannot be read, or the source fails
   */
  async describe(picture: string): Promise<Scene | undefined> {
    const source = await choose(await this.sources());
    if (source === undefined || !(await this.mayUse(source))) return undefined;
    return vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Describing {0}', path.basename(picture)),
        cancellable: true,
      },
      async (_progress, token) => {
        const { signal, dispose } = asSignal(token);
        try {
          return await this.write(source, picture, signal, token);
        } catch (error) {
          if (token.isCancellationRequested) return undefined;
          throw error;
        } finally {
          dispose();
        }
      },
    );
  }

  private async sources(): Promise<Source[]> {
    const models = (await seeingModels()).map((model) => ({ kind: 'language-model' as const, model }));
    const endpoint = await this.endpoint.read();
    const set = endpoint && { kind: 'endpoint' as const, endpoint, host: new URL(endpoint.baseUrl).host };
    return [...models, ...(set ? [set] : []), { kind: 'built-in' }];
  }

  private async mayUse(source: Source): Promise<boolean> {
    switch (source.kind) {
      case 'built-in':
        return true;
      case 'endpoint':
        return this.consent.allows('endpoint', source.host);
      case 'language-model':
        return this.consent.allows('language-model', source.model.vendor);
    }
  }

  private async write(
    source: Source,
    picture: string,
    signal: AbortSignal,
    token: vscode.CancellationToken,
  ): Promise<Scene> {
    if (source.kind === 'built-in') {
      const { description } = await this.client.look({ picture, priority: 'interactive' }, { signal });
      return { text: description, source: 'described' };
    }
    const look = await this.client.look({ picture, jpegSide: SENT_SIDE, priority: 'interactive' }, { signal });
    const jpeg = jpegOf(look);
    const text =
      source.kind === 'endpoint'
        ? await describeByEndpoint(jpeg, source.endpoint, signal)
        : await describeByLanguageModel(source.model, bytesOf(jpeg), token);
    return { text, source: 'endpoint' };
  }
}

function jpegOf({ jpeg }: Look): string {
  if (jpeg === undefined) throw new Error('Expected a JPEG of the picture.');
  return jpeg;
}

function bytesOf(dataUrl: string): Uint8Array {
  return Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
}

/** The first source stands first: what sees before what measures. One alone is no question. */
async function choose(sources: Source[]): Promise<Source | undefined> {
  if (sources.length === 1) return sources[0];
  const items = sources.map((source) => ({ source, ...nameOf(source) }));
  const choice = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Describe the Picture'),
    placeHolder: vscode.l10n.t('Who describes the scene? You can edit the sentence before it is used.'),
  });
  return choice?.source;
}

function nameOf(source: Source): { label: string; description: string } {
  switch (source.kind) {
    case 'built-in':
      return {
        label: vscode.l10n.t('Built-in Describer'),
        description: vscode.l10n.t('on this machine: brightness, colours, texture'),
      };
    case 'endpoint':
      return {
        label: source.endpoint.model,
        description: vscode.l10n.t('sends a small copy of the picture to {0}', source.host),
      };
    case 'language-model':
      return {
        label: source.model.name,
        description: vscode.l10n.t('sends a small copy of the picture to {0}', source.model.vendor),
      };
  }
}
