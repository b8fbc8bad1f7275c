import path from 'node:path';
import * as vscode from 'vscode';
import { compareImages, type ComparePanels } from './commands/compare-images';
import { newNotebook } from './commands/new-notebook';
import { openAsNotebook } from './commands/open-as-notebook';
import { restartKernel } from './commands/restart-kernel';
import { restoreImage, restoreInPanel, type BatchPanels, type RestorePanels } from './commands/restore-image';
import { revokeConsent } from './commands/revoke-consent';
import { BATCH_VIEW_TYPE, COMMANDS, COMPARE_VIEW_TYPE, PANEL_VIEW_TYPE } from './ids';
import { WindowInference } from './inference';
import { NotebookLanguage } from './language/notebook-language';
import { TypescriptController } from './notebook/controller';
import { NotebookFiles } from './notebook/notebook-files';
import { RendererMessaging } from './notebook/renderer-messaging';
import { BatchPanel, closedBatchRecord, isBatchRecord } from './panel/batch-panel';
import { ComparePanel, isCompareRecord } from './panel/compare-panel';
import { PanelModels } from './panel/models';
import { PanelRegistry } from './panel/panel-registry';
import { PanelStore } from './panel/panel-store';
import { PictureRestorer } from './panel/picture-restorer';
import { closedRestoreRecord, isRestoreRecord, RestorePanel } from './panel/restore-panel';
import { SharingConsent } from './prompts/consent';
import { EndpointSettings } from './prompts/endpoint-settings';
import { ScenePrompts } from './prompts/scene-prompts';
import { Activity } from './status/activity';
import { Log } from './status/log';

export function activate(context: vscode.ExtensionContext): void {
  const dist = context.asAbsolutePath('dist');
  const storage = (context.storageUri ?? context.globalStorageUri).fsPath;

  const log = new Log();
  const activity = new Activity();
  const inference = new WindowInference(path.join(dist, 'service.js'), log);
  const files = new NotebookFiles(path.join(storage, 'untitled'));
  const store = new PanelStore(path.join(storage, 'panels'));
  const restorer = new PictureRestorer(inference.client, activity);
  const models = new PanelModels();
  const consent = new SharingConsent(context.globalState);
  const endpoint = new EndpointSettings(context.secrets);
  const prompts = new ScenePrompts(inference.client, endpoint, consent);
  const script = vscode.Uri.file(path.join(dist, 'webview', 'panel.js'));
  const panels: RestorePanels = new PanelRegistry({
    viewType: PANEL_VIEW_TYPE,
    store,
    isRecord: isRestoreRecord,
    closed: closedRestoreRecord,
    create: (id, view, record, onDispose) =>
      new RestorePanel(
        id,
        view,
        record,
        {
          ...{ store, restorer, models, prompts, log, script },
          openAsNotebook: (run) => openAsNotebook(run, (finished) => restorer.bundle(finished)),
        },
        onDispose,
      ),
  });
  const batches: BatchPanels = new PanelRegistry({
    viewType: BATCH_VIEW_TYPE,
    store,
    isRecord: isBatchRecord,
    closed: closedBatchRecord,
    create: (id, view, record, onDispose) =>
      new BatchPanel(
        id,
        view,
        record,
        { store, restorer, log, script, openPicture: (input, wish) => restoreInPanel(panels, input, wish) },
        onDispose,
      ),
  });
  const comparisons: ComparePanels = new PanelRegistry({
    viewType: COMPARE_VIEW_TYPE,
    store,
    isRecord: isCompareRecord,
    closed: (record) => record,
    create: (id, view, record, onDispose) =>
      new ComparePanel(id, view, record, { client: inference.client, store, log, script }, onDispose),
  });
  const language = new NotebookLanguage({ files, log, entry: path.join(dist, 'language.js') });
  const controller = new TypescriptController({
    files,
    language,
    activity,
    log,
    kernelEntry: path.join(dist, 'kernel.js'),
    service: () => inference.address(),
  });

  /** Registers a command whose failure reaches the user as one sentence. */
  const command = (id: string, action: (...args: unknown[]) => Promise<void> | void): vscode.Disposable =>
    vscode.commands.registerCommand(id, async (...args: unknown[]) => {
      try {
        await action(...args);
      } catch (error) {
        await log.report(error);
      }
    });

  context.subscriptions.push(
    log,
    activity,
    inference,
    panels,
    batches,
    comparisons,
    controller,
    language,
    new RendererMessaging(files, controller, log),
    command(COMMANDS.restoreImage, (first, selected) =>
      restoreImage({ client: inference.client, models, prompts, panels, batches }, first, selected),
    ),
    command(COMMANDS.compareImages, (first, selected) => compareImages(comparisons, first, selected)),
    command(COMMANDS.setEndpointKey, () => endpoint.askKey()),
    command(COMMANDS.revokeConsent, () => revokeConsent(consent)),
    command(COMMANDS.openAsNotebook, () => panels.active?.openAsNotebook()),
    command(COMMANDS.saveAs, () => panels.active?.saveAs()),
    command(COMMANDS.newNotebook, () => newNotebook()),
    command(COMMANDS.restartKernel, (where) => restartKernel(controller, where)),
    command(COMMANDS.showLog, () => log.show()),
  );
  store.prune().catch((error: unknown) => log.failure(error));
}
