import path from 'node:path';
import * as vscode from 'vscode';
import type { InferenceClient } from '../../inference/client';
import {
  isCompareToExtension,
  isRunView,
  RestorationError,
  suggestedFrameName,
  type CompareToExtension,
  type ExtensionToCompare,
  type RunView,
} from '../../protocol';
import { isObject, isText } from '../../protocol/checks';
import { findFrame } from '../frames/frame-store';
import { saveFrameAs, saveMadeAs } from '../frames/save-frame';
import type { Log } from '../status/log';
import { PanelChannel } from './panel-channel';
import type { OpenPanel } from './panel-registry';
import type { PanelStore } from './panel-store';

/** What a panel needs to come back after the window was reloaded. */
export interface CompareRecord {
  /** Absolute paths, in the order of the strip. */
  pictures: string[];
  reference?: string;
  view?: RunView;
}

export interface ComparePanelServices {
  client: InferenceClient;
  store: PanelStore;
  log: Log;
  /** The panels' script. */
  script: vscode.Uri;
}

export function isCompareRecord(value: unknown): value is CompareRecord {
  const isPath = (place: unknown): boolean => isText(place, 4096) && path.isAbsolute(place);
  return (
    isObject(value) &&
    Array.isArray(value.pictures) &&
    value.pictures.every(isPath) &&
    (value.reference === undefined || isPath(value.reference)) &&
    (value.view === undefined || isRunView(value.view))
  );
}

/** Pictures that exist, from whatever method, side by side in a strip. */
export class ComparePanel implements OpenPanel {
  private readonly channel: PanelChannel<CompareToExtension, ExtensionToCompare>;
  private running: AbortController | undefined;
  private lastError: string | undefined;

  constructor(
    private readonly id: string,
    panel: vscode.WebviewPanel,
    private record: CompareRecord,
    private readonly services: ComparePanelServices,
    onDispose: () => void,
  ) {
    this.channel = new PanelChannel(panel, {
      kind: 'compare',
      script: services.script,
      log: services.log,
      guard: isCompareToExtension,
      handle: (message) => this.handle(message),
      onDispose: () => {
        this.cancel();
        onDispose();
      },
    });
    this.channel.title = vscode.l10n.t('Compare {0}', this.names.join(', '));
  }

  get active(): boolean {
    return this.channel.active;
  }

  private get names(): string[] {
    return this.record.pictures.map((picture) => path.basename(picture));
  }

  cancel(): void {
    this.running?.abort();
  }

  /** Reads and measures the pictures. A failure (sizes that differ, no picture) is shown in the panel. */
  async run(): Promise<void> {
    const { client, store, log } = this.services;
    const { pictures, reference } = this.record;
    const controller = new AbortController();
    this.running = controller;
    this.postState();
    try {
      const view = await client.strip(
        {
          frames: pictures,
          // Names the protocol as well: all channels, no border left out.
          task: 'deblurring',
          ...(reference === undefined ? {} : { reference }),
          scale: 1,
          framesFolder: store.framesFolder(this.id),
          priority: 'interactive',
        },
        { signal: controller.signal },
      );
      this.record = { ...this.record, view: withNames(view, this.names) };
    } catch (error) {
      const failure = log.failure(error);
      if (failure.code !== 'cancelled') this.lastError = failure.message;
    }
    this.running = undefined;
    if (this.channel.disposed) return;
    await store.save(this.id, this.record);
    this.postState();
  }

  private async handle(message: CompareToExtension): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.postState();
        return;
      case 'cancel':
        this.cancel();
        return;
      case 'save-frame':
        await this.saveFrame(message.file, message.index);
        return;
      case 'save-made': {
        const { dataUrl, suggestedName } = message;
        await saveMadeAs({ dataUrl, suggestedName, folder: this.folder });
        return;
      }
      case 'frame':
        await this.channel.sendFrame(this.services.store.framesFolder(this.id), message.requestId, message.file);
        return;
    }
  }

  private get folder(): string {
    return path.dirname(this.record.pictures[0] ?? '');
  }

  private async saveFrame(file: string, index: number): Promise<void> {
    const source = await findFrame(this.services.store.framesFolder(this.id), file);
    const picture = this.record.pictures[index - 1];
    if (source === undefined || picture === undefined) {
      throw new RestorationError(
        'missing-file',
        vscode.l10n.t('The full frame is no longer there.'),
        vscode.l10n.t('Compare the pictures again.'),
      );
    }
    const suggestedName = suggestedFrameName(picture, index);
    await saveFrameAs({ source, folder: this.folder, suggestedName, input: picture });
  }

  private postState(): void {
    const { view } = this.record;
    this.channel.post({ type: 'state', id: this.id, names: this.names, running: this.running !== undefined, view });
    if (this.lastError !== undefined) this.channel.post({ type: 'error', message: this.lastError });
  }
}

/** Pictures of any origin are told apart by their files' names, not as the input and the result of one restoration. */
function withNames(view: RunView, names: readonly string[]): RunView {
  const frames = view.record.frames.map((frame, at) => ({ ...frame, name: names[at]?.slice(0, 255) }));
  return { ...view, record: { ...view.record, frames } };
}
