import path from 'node:path';
import * as vscode from 'vscode';
import {
  isPanelResult,
  isPanelToExtension,
  isRestoreWish,
  MOST_RESULTS,
  RestorationError,
  type ExtensionToPanel,
  type PanelResult,
  type PanelToExtension,
  type Region,
  type RestoreWish,
  type RunView,
} from '../../protocol';
import { isCount, isObject, isText } from '../../protocol/checks';
import { saveMadeAs } from '../frames/save-frame';
import { saveResultAs } from '../frames/save-result';
import { assertTrusted } from '../preconditions';
import type { ScenePrompts } from '../prompts/scene-prompts';
import type { Log } from '../status/log';
import { devicesHere, type PanelModels } from './models';
import { PanelChannel } from './panel-channel';
import type { OpenPanel } from './panel-registry';
import type { PanelStore } from './panel-store';
import type { OnProgress, PictureRestorer } from './picture-restorer';

export interface RestorePanelServices {
  store: PanelStore;
  restorer: PictureRestorer;
  models: PanelModels;
  prompts: ScenePrompts;
  log: Log;
  /** The panels' script. */
  script: vscode.Uri;
  openAsNotebook(run: FinishedRun): Promise<void>;
}

/** A severity is that of a stored frame when it differs by less than this. */
const SAME_SEVERITY = 1e-6;

/** What a panel needs to come back after the window was reloaded. */
export interface RestoreRecord {
  /** Absolute path of the picture. */
  input: string;
  wish: RestoreWish;
  /** Oldest first. */
  results: PanelResult[];
  /** Id of the result that stands in the large view. */
  shown?: number;
}

/** A run that came to its end, with all that is needed to show it elsewhere. */
export interface FinishedRun {
  /** Absolute path of the picture. */
  input: string;
  wish: RestoreWish;
  view: RunView;
  framesFolder: string;
}

export type RunOutcome = { kind: 'done' } | { kind: 'cancelled' } | { kind: 'failed'; reason: string };

export function isRestoreRecord(value: unknown): value is RestoreRecord {
  return (
    isObject(value) &&
    isText(value.input, 4096) &&
    path.isAbsolute(value.input) &&
    isRestoreWish(value.wish) &&
    Array.isArray(value.results) &&
    value.results.length <= MOST_RESULTS &&
    value.results.every(isPanelResult) &&
    (value.shown === undefined || isCount(value.shown))
  );
}

/** The record of a panel whose window was gone: a run that had not ended was interrupted. */
export function closedRestoreRecord(record: RestoreRecord): RestoreRecord {
  const results = record.results.map((result) =>
    result.view.state.kind === 'running'
      ? { ...result, view: { ...result.view, state: { kind: 'interrupted' as const } } }
      : result,
  );
  return { ...record, results };
}

/** One Restore panel: a picture, its results, and what the user may do with them. */
export class RestorePanel implements OpenPanel {
  private readonly channel: PanelChannel<PanelToExtension, ExtensionToPanel>;
  private running: AbortController | undefined;
  /** The frame between frames that is being made for the dial. */
  private dialling: AbortController | undefined;
  private lastError: string | undefined;
  /** The notebook that is being written. */
  private writing: Promise<void> | undefined;

  constructor(
    readonly id: string,
    panel: vscode.WebviewPanel,
    private record: RestoreRecord,
    private readonly services: RestorePanelServices,
    onDispose: () => void,
  ) {
    this.channel = new PanelChannel(panel, {
      kind: 'restore',
      script: services.script,
      log: services.log,
      guard: isPanelToExtension,
      handle: (message) => this.handle(message),
      onDispose: () => {
        this.cancel();
        onDispose();
      },
    });
    this.channel.title = vscode.l10n.t('Restore {0}', this.name);
  }

  get active(): boolean {
    return this.channel.active;
  }

  private get name(): string {
    return path.basename(this.record.input);
  }

  private get framesFolder(): string {
    return this.services.store.framesFolder(this.id);
  }

  cancel(): void {
    this.running?.abort();
    this.dialling?.abort();
  }

  /**
   * Restores the picture as `wish` says and keeps the result beside the earlier ones. A failure is shown in the panel, written
   * to the log and comes back as the reason; cancelling (by the panel, by closing it or by `cancel`) is one.
   */
  async run(wish: RestoreWish, observer: { onProgress?: OnProgress } = {}): Promise<RunOutcome> {
    if (this.running !== undefined) {
      return { kind: 'failed', reason: vscode.l10n.t('"{0}" is being restored already.', this.name) };
    }
    const controller = new AbortController();
    this.running = controller;
    const id = Math.max(0, ...this.record.results.map((result) => result.id)) + 1;
    this.record = { ...this.record, wish, shown: id };
    this.lastError = undefined;
    await this.postState();
    const failure = await this.restore(id, wish, controller.signal, observer).then(
      () => undefined,
      (error: unknown) => this.services.log.failure(error),
    );
    this.running = undefined;
    if (failure !== undefined) this.closeView(id, failure);
    if (!this.channel.disposed) {
      await this.keep();
      await this.postState();
      if (this.lastError !== undefined) this.channel.post({ type: 'error', message: this.lastError });
    }
    if (failure === undefined) return { kind: 'done' };
    return failure.code === 'cancelled' ? { kind: 'cancelled' } : { kind: 'failed', reason: failure.message };
  }

  private async restore(
    id: number,
    wish: RestoreWish,
    signal: AbortSignal,
    observer: { onProgress?: OnProgress },
  ): Promise<void> {
    await this.keep();
    const continuous = await this.services.models.isContinuous(wish.model);
    const put = (view: RunView): void => this.put({ id, wish, view, continuous });
    const view = await this.services.restorer.restore({
      input: this.record.input,
      wish,
      region: this.sharedRegion(wish),
      framesFolder: this.framesFolder,
      signal,
      onProgress: (share, activity) => {
        this.channel.post({ type: 'progress', share, activity });
        observer.onProgress?.(share, activity);
      },
      onView: put,
    });
    put(view);
  }

  /** The region of an earlier result, so that all show the same part of the picture; frames of another size have their own. */
  private sharedRegion(wish: RestoreWish): Region | undefined {
    const enlarges = wish.task === 'super-resolution';
    const twin = this.record.results.find(({ view, wish: other }) => {
      if (view.state.kind !== 'done' || (other.task === 'super-resolution') !== enlarges) return false;
      return !enlarges || other.model === wish.model;
    });
    return twin?.view.record.region;
  }

  private put(result: PanelResult): void {
    const others = this.record.results.filter(({ id }) => id !== result.id);
    const results = [...others, result].sort((a, b) => a.id - b.id).slice(-MOST_RESULTS);
    const isNew = others.length === this.record.results.length;
    this.record = { ...this.record, results };
    this.channel.post({ type: 'result', result });
    if (isNew) void this.postState();
  }

  /** Ends what a failed or cancelled run left unfinished, so that nothing claims to be running any more. */
  private closeView(id: number, failure: RestorationError): void {
    const cancelled = failure.code === 'cancelled';
    if (!cancelled) this.lastError = failure.message;
    const result = this.record.results.find((candidate) => candidate.id === id);
    if (result === undefined) return;
    const state: RunView['state'] = cancelled ? { kind: 'interrupted' } : { kind: 'failed', message: failure.message };
    this.put({ ...result, view: { ...result.view, state } });
  }

  /** Asks for a name and writes the result there at full size. By default the one that is looked at, at its strength. */
  async saveAs(id?: number, severity?: number): Promise<void> {
    const result = this.finished(id);
    const last = result.view.record.frames.at(-1)?.severity ?? 0;
    await saveResultAs(this.services.restorer, {
      input: this.record.input,
      view: result.view,
      wish: result.wish,
      framesFolder: this.framesFolder,
      severity: severity ?? result.strength?.severity ?? last,
    });
  }

  /** Writes and opens a notebook of a result. It takes a moment; who presses twice in it gets one. */
  async openAsNotebook(id?: number): Promise<void> {
    const { wish, view } = this.finished(id);
    const run = { input: this.record.input, wish, view, framesFolder: this.framesFolder };
    this.writing ??= Promise.resolve(
      vscode.window.withProgress(
        { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Writing a notebook of {0}', this.name) },
        () => this.services.openAsNotebook(run),
      ),
    ).finally(() => (this.writing = undefined));
    await this.writing;
  }

  /** Result `id`, or the one that is looked at, when it came to its end. */
  private finished(id = this.record.shown): PanelResult {
    const { results } = this.record;
    const result = results.find((candidate) => candidate.id === id) ?? results.at(-1);
    if (result === undefined || result.view.state.kind !== 'done') {
      throw new RestorationError(
        'bad-argument',
        vscode.l10n.t('Expected a finished restoration of "{0}"; there is none yet.', this.name),
        vscode.l10n.t('Restore the picture first.'),
      );
    }
    return result;
  }

  private async handle(message: PanelToExtension): Promise<void> {
    // A panel that came back with its window may stand in a workspace that is no longer trusted: it shows, and starts nothing.
    if (['run', 'describe', 'strength', 'save', 'open-as-notebook'].includes(message.type)) assertTrusted();
    switch (message.type) {
      case 'ready':
        await this.postState();
        for (const result of this.record.results) this.channel.post({ type: 'result', result });
        if (this.lastError !== undefined) this.channel.post({ type: 'error', message: this.lastError });
        return;
      case 'run':
        if (this.running === undefined) await this.run({ ...message.wish, prompt: message.wish.prompt.trim() });
        return;
      case 'cancel':
        this.running?.abort();
        return;
      case 'describe':
        await this.describe(message.wish);
        return;
      case 'strength':
        await this.turnDial(message.result, message.severity);
        return;
      case 'save':
        await this.saveAs(message.result, message.severity);
        return;
      case 'save-made': {
        const { dataUrl, suggestedName } = message;
        await saveMadeAs({ dataUrl, suggestedName, folder: path.dirname(this.record.input) });
        return;
      }
      case 'open-as-notebook':
        await this.openAsNotebook(message.result);
        return;
      case 'show':
        this.record = { ...this.record, shown: message.result };
        await this.keep();
        return;
      case 'forget':
        await this.forget(message.result);
        return;
      case 'frame':
        await this.channel.sendFrame(this.framesFolder, message.requestId, message.file);
        return;
    }
  }

  private async describe(wish: RestoreWish): Promise<void> {
    const scene = await this.services.prompts.describe(this.record.input);
    if (scene === undefined) return;
    this.record = { ...this.record, wish: { ...wish, prompt: scene.text, promptSource: scene.source } };
    await this.keep();
    await this.postState();
  }

  /** Makes the frame at `severity`, unless the run has it; only the newest wish of a moving dial is followed. */
  private async turnDial(id: number, severity: number): Promise<void> {
    this.dialling?.abort();
    const controller = new AbortController();
    this.dialling = controller;
    try {
      const result = this.finished(id);
      const { input } = this.record;
      const { wish, view } = result;
      const job = {
        input,
        wish,
        region: view.record.region,
        framesFolder: this.framesFolder,
        signal: controller.signal,
      };
      const stored = view.record.frames.find((frame) => Math.abs(frame.severity - severity) < SAME_SEVERITY);
      const strength =
        stored === undefined
          ? await this.services.restorer.at(job, severity)
          : { severity: stored.severity, file: stored.file };
      const current = this.record.results.find((candidate) => candidate.id === id);
      if (controller.signal.aborted || current === undefined) return;
      this.channel.post({ type: 'strength', result: id, severity, strength });
      const results = this.record.results.map((each) => (each === current ? { ...current, strength } : each));
      this.record = { ...this.record, results };
      await this.keep();
    } catch (error) {
      this.channel.post({ type: 'strength', result: id, severity });
      // The dial has moved on, or the panel is gone.
      if (!controller.signal.aborted) throw error;
    }
  }

  private async forget(id: number): Promise<void> {
    const result = this.record.results.find((candidate) => candidate.id === id);
    // What runs is stopped, not forgotten.
    if (result === undefined || result.view.state.kind === 'running') return;
    const results = this.record.results.filter((candidate) => candidate !== result);
    const shown = this.record.shown === id ? results.at(-1)?.id : this.record.shown;
    this.record = { ...this.record, results, shown };
    await this.keep();
    await this.postState();
  }

  private async keep(): Promise<void> {
    if (!this.channel.disposed) await this.services.store.save(this.id, this.record);
  }

  private async postState(): Promise<void> {
    const models = (await this.services.models.list()).map(({ id, name }) => ({ id, name }));
    const { wish, results, shown } = this.record;
    this.channel.post({
      type: 'state',
      id: this.id,
      input: { name: this.name },
      wish,
      running: this.running !== undefined,
      results: results.map(({ id }) => id),
      shown,
      models,
      devices: devicesHere(),
    });
  }
}
