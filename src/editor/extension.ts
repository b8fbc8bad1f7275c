import path from 'node:path';
import * as vscode from 'vscode';
import { ModelLibrary } from '../api/models';
import { ModelStore } from '../restoration/models/model-store';
import { checkInstallation } from './commands/check-installation';
import { compareImages } from './commands/compare-images';
import { newNotebook } from './commands/new-notebook';
import { openQuickstart } from './commands/open-quickstart';
import { removeUnusedFrames } from './commands/remove-unused-frames';
import { restartAndRunAll, restartKernel } from './commands/restart-kernel';
import { restoreImage } from './commands/restore-image';
import { revokeConsent } from './commands/revoke-consent';
import { COMMANDS, SETTINGS, SETTINGS_SECTION } from './ids';
import { WindowInference } from './inference';
import { NotebookLanguage } from './language/notebook-language';
import { addOnnxModel, downloadModel, type ModelServices } from './models/add-model';
import { installCuda } from './models/install-cuda';
import { removeModel, useChosenModel, verifyModels } from './models/model-commands';
import { ModelTree } from './models/model-tree';
import { ServiceEnvironment } from './models/service-environment';
import { TypescriptController } from './notebook/controller';
import { NotebookFiles } from './notebook/notebook-files';
import { RendererMessaging } from './notebook/renderer-messaging';
import { PanelModels } from './panel/models';
import { PanelStore } from './panel/panel-store';
import { createPanels } from './panel/panels';
import { PictureRestorer } from './panel/picture-restorer';
import { SharingConsent } from './prompts/consent';
import { EndpointSettings } from './prompts/endpoint-settings';
import { ScenePrompts } from './prompts/scene-prompts';
import { Activity } from './status/activity';
import { InstallationReports } from './status/installation-report';
import { Log } from './status/log';

export function activate(context: vscode.ExtensionContext): void {
  const dist = context.asAbsolutePath('dist');
  const storage = (context.storageUri ?? context.globalStorageUri).fsPath;

  const log = new Log();
  const activity = new Activity();
  const environment = new ServiceEnvironment(context.globalStorageUri.fsPath, log);
  const inference = new WindowInference(path.join(dist, 'service.js'), () => environment.variables(), log);
  const shippedModels = context.asAbsolutePath('models');
  const modelStore = (): ModelStore => new ModelStore(environment.modelsFolder, shippedModels);
  const library = new ModelLibrary(() => inference.client, modelStore);
  const tree = new ModelTree({ library, devices: () => inference.client.devices(), log });
  const reports = new InstallationReports();
  const modelServices: ModelServices = { library, client: inference.client, tree, activity, log };
  const files = new NotebookFiles(path.join(storage, 'untitled'));
  const store = new PanelStore(path.join(storage, 'panels'));
  const restorer = new PictureRestorer(inference.client, activity);
  const models = new PanelModels(modelStore);
  const consent = new SharingConsent(context.globalState);
  const endpoint = new EndpointSettings(context.secrets);
  const prompts = new ScenePrompts(inference.client, endpoint, consent);
  const script = vscode.Uri.file(path.join(dist, 'webview', 'panel.js'));
  const { client } = inference;
  const { panels, batches, comparisons } = createPanels({ client, store, restorer, models, prompts, log, script });
  const language = new NotebookLanguage({ files, log, entry: path.join(dist, 'language.js') });
  const controller = new TypescriptController({
    files,
    language,
    activity,
    log,
    kernelEntry: path.join(dist, 'kernel.js'),
    service: () => inference.address(),
    modelsFolder: () => environment.modelsFolder,
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
      restoreImage({ client, models, prompts, panels, batches }, first, selected),
    ),
    command(COMMANDS.compareImages, (first, selected) => compareImages(comparisons, first, selected)),
    command(COMMANDS.setEndpointKey, () => endpoint.askKey()),
    command(COMMANDS.revokeConsent, () => revokeConsent(consent)),
    command(COMMANDS.openAsNotebook, () => panels.active?.openAsNotebook()),
    command(COMMANDS.saveAs, () => panels.active?.saveAs()),
    command(COMMANDS.newNotebook, () => newNotebook()),
    command(COMMANDS.openQuickstart, () => openQuickstart(context.asAbsolutePath('notebooks'))),
    command(COMMANDS.restartKernel, (where) => restartKernel(controller, where)),
    command(COMMANDS.removeUnusedFrames, () => removeUnusedFrames(files, controller)),
    command(COMMANDS.restartAndRunAll, (where) => restartAndRunAll(controller, where)),
    command(COMMANDS.showLog, () => log.show()),
    tree,
    reports,
    command(COMMANDS.addModel, () => addOnnxModel(modelServices)),
    command(COMMANDS.downloadModel, () => downloadModel(modelServices)),
    command(COMMANDS.useModel, (node) => useChosenModel(modelServices, node)),
    command(COMMANDS.verifyModel, (node) => verifyModels(modelServices, node)),
    command(COMMANDS.removeModel, (node) => removeModel(modelServices, node)),
    command(COMMANDS.refreshModels, () => tree.forgetDevices()),
    command(COMMANDS.showModels, () => tree.reveal()),
    command(COMMANDS.checkInstallation, () =>
      checkInstallation({ inference, environment, library, tree, reports, log }),
    ),
    command(COMMANDS.installCuda, () => installCuda({ environment, inference, activity, log })),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const changed = (name: string): boolean => event.affectsConfiguration(`${SETTINGS_SECTION}.${name}`);
      if (changed(SETTINGS.model) || changed(SETTINGS.device) || changed(SETTINGS.modelsFolder)) tree.refresh();
      if (changed(SETTINGS.modelsFolder) || changed(SETTINGS.onnxruntimePath)) {
        inference
          .offerRestart(vscode.l10n.t('The settings of the inference process have changed.'))
          .catch((error: unknown) => log.failure(error));
      }
    }),
  );
  store.prune().catch((error: unknown) => log.failure(error));
}
