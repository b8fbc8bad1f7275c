import path from 'node:path';
import * as vscode from 'vscode';
import { ModelLibrary } from '../api/models';
import { ModelStore } from '../restoration/models/model-store';
import { checkInstallation } from './commands/check-installation';
import { compareImages } from './commands/compare-images';
import { restoreImage } from './commands/restore-image';
import { revokeConsent } from './commands/revoke-consent';
import type { COMMANDS } from './ids';
import { WindowInference } from './inference';
import { addOnnxModel, downloadModel, type ModelServices } from './models/add-model';
import { installCuda } from './models/install-cuda';
import { removeModel, useChosenModel, verifyModels } from './models/model-commands';
import type { ModelTree } from './models/model-tree';
import type { ServiceEnvironment } from './models/service-environment';
import { PanelModels } from './panel/models';
import { PanelStore } from './panel/panel-store';
import { createPanels, type Panels } from './panel/panels';
import { PictureRestorer } from './panel/picture-restorer';
import { SharingConsent } from './prompts/consent';
import { EndpointSettings } from './prompts/endpoint-settings';
import { ScenePrompts } from './prompts/scene-prompts';
import type { Activity } from './status/activity';
import type { InstallationReports } from './status/installation-report';
import type { Log } from './status/log';

/** What a command does with the arguments that the editor hands over. */
export type CommandAction = (...args: unknown[]) => Promise<void> | void;

/** What the window has before anything works on a picture. */
export interface WorkshopServices {
  context: vscode.ExtensionContext;
  environment: ServiceEnvironment;
  tree: ModelTree;
  reports: InstallationReports;
  activity: Activity;
  log: Log;
}

/**
 * Everything that works on pictures and models: the inference service of this window, the panels, the models, and the commands that
 * need one of them. Loaded by the first command, cell, panel or view that asks for it.
 */
export class Workshop implements vscode.Disposable {
  readonly inference: WindowInference;
  readonly library: ModelLibrary;
  readonly panels: Panels;
  /** What the commands do, by their name in `COMMANDS`. */
  readonly commands;

  constructor({ context, environment, tree, reports, activity, log }: WorkshopServices) {
    const dist = context.asAbsolutePath('dist');
    const storage = (context.storageUri ?? context.globalStorageUri).fsPath;
    const shippedModels = context.asAbsolutePath('models');

    this.inference = new WindowInference(path.join(dist, 'service.js'), () => environment.variables(), log);
    const { inference } = this;
    const { client } = inference;
    const modelStore = (): ModelStore => new ModelStore(environment.modelsFolder, shippedModels);
    this.library = new ModelLibrary(() => client, modelStore);
    const { library } = this;
    const store = new PanelStore(path.join(storage, 'panels'));
    const restorer = new PictureRestorer(client, activity);
    const models = new PanelModels(modelStore);
    const consent = new SharingConsent(context.globalState);
    const endpoint = new EndpointSettings(context.secrets);
    const prompts = new ScenePrompts(client, endpoint, consent);
    const script = vscode.Uri.file(path.join(dist, 'webview', 'panel.js'));
    this.panels = createPanels({ client, store, restorer, models, prompts, log, script });
    const { panels, batches, comparisons } = this.panels;
    const modelServices: ModelServices = { library, client, tree, activity, log };

    this.commands = {
      restoreImage: (first, selected) => restoreImage({ client, models, prompts, panels, batches }, first, selected),
      compareImages: (first, selected) => compareImages(comparisons, first, selected),
      setEndpointKey: () => endpoint.askKey(),
      revokeConsent: () => revokeConsent(consent),
      openAsNotebook: () => panels.active?.openAsNotebook(),
      saveAs: () => panels.active?.saveAs(),
      addModel: () => addOnnxModel(modelServices),
      downloadModel: () => downloadModel(modelServices),
      useModel: (node) => useChosenModel(modelServices, node),
      verifyModel: (node) => verifyModels(modelServices, node),
      removeModel: (node) => removeModel(modelServices, node),
      checkInstallation: () => checkInstallation({ inference, environment, library, tree, reports, log }),
      installCuda: () => installCuda({ environment, inference, activity, log }),
    } satisfies Partial<Record<keyof typeof COMMANDS, CommandAction>>;
    store.prune().catch((error: unknown) => log.failure(error));
  }

  dispose(): void {
    const { panels, batches, comparisons } = this.panels;
    vscode.Disposable.from(panels, batches, comparisons, this.inference).dispose();
  }
}
