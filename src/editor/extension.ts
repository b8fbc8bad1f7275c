import path from 'node:path';
import * as vscode from 'vscode';
import type * as NotebookCommands from './commands/notebook-commands';
import { BATCH_VIEW_TYPE, COMMANDS, COMPARE_VIEW_TYPE, PANEL_VIEW_TYPE, SETTINGS, SETTINGS_SECTION } from './ids';
import { NotebookLanguage } from './language/notebook-language';
import { ModelTree } from './models/model-tree';
import { ServiceEnvironment } from './models/service-environment';
import { TypescriptController } from './notebook/controller';
import { NotebookFiles } from './notebook/notebook-files';
import { RendererMessaging } from './notebook/renderer-messaging';
import { OnDemand } from './on-demand';
import { Activity } from './status/activity';
import { InstallationReports } from './status/installation-report';
import { Log } from './status/log';
import type { CommandAction, Workshop } from './workshop';

/** Commands that need the inference service, a panel or a model. */
const WORKSHOP_COMMANDS: readonly (keyof Workshop['commands'])[] = [
  'restoreImage',
  'compareImages',
  'setEndpointKey',
  'revokeConsent',
  'openAsNotebook',
  'saveAs',
  'addModel',
  'downloadModel',
  'useModel',
  'verifyModel',
  'removeModel',
  'checkInstallation',
  'installCuda',
];

/** What the commands around notebooks do. */
const notebookCommands = (): Promise<typeof NotebookCommands> => import('./commands/notebook-commands');

/** Registers everything; what is behind it is loaded by whoever asks first. */
export function activate(context: vscode.ExtensionContext): void {
  const dist = context.asAbsolutePath('dist');
  const storage = (context.storageUri ?? context.globalStorageUri).fsPath;

  const log = new Log();
  const activity = new Activity();
  const reports = new InstallationReports();
  const environment = new ServiceEnvironment(context.globalStorageUri.fsPath, log);
  const workshop: OnDemand<Workshop> = new OnDemand(async () => {
    const { Workshop } = await import('./workshop');
    return new Workshop({ context, environment, tree, reports, activity, log });
  });
  const tree: ModelTree = new ModelTree({
    library: async () => (await workshop.get()).library,
    devices: async () => (await workshop.get()).inference.client.devices(),
    log,
  });
  const files = new NotebookFiles(path.join(storage, 'untitled'));
  const language = new NotebookLanguage({ files, log, entry: path.join(dist, 'language.js') });
  const controller = new TypescriptController({
    files,
    language,
    activity,
    log,
    kernelEntry: path.join(dist, 'kernel.js'),
    service: async () => (await workshop.get()).inference.address(),
    modelsFolder: () => environment.modelsFolder,
  });

  /** Registers a command whose failure reaches the user as one sentence. */
  const command = (name: keyof typeof COMMANDS, action: CommandAction): vscode.Disposable =>
    vscode.commands.registerCommand(COMMANDS[name], async (...args: unknown[]) => {
      try {
        await action(...args);
      } catch (error) {
        await log.report(error);
      }
    });

  /** Brings panels of one kind back after the window was reloaded. */
  const panels = (
    viewType: string,
    kind: (panels: Workshop['panels']) => vscode.WebviewPanelSerializer,
  ): vscode.Disposable =>
    vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: async (view, state) =>
        kind((await workshop.get()).panels).deserializeWebviewPanel(view, state),
    });

  context.subscriptions.push(
    log,
    activity,
    workshop,
    controller,
    language,
    new RendererMessaging(files, controller, log),
    tree,
    reports,
    panels(PANEL_VIEW_TYPE, ({ panels }) => panels),
    panels(BATCH_VIEW_TYPE, ({ batches }) => batches),
    panels(COMPARE_VIEW_TYPE, ({ comparisons }) => comparisons),
    ...WORKSHOP_COMMANDS.map((name) =>
      command(name, async (...args) => {
        const action: CommandAction = (await workshop.get()).commands[name];
        await action(...args);
      }),
    ),
    command('newNotebook', async () => (await notebookCommands()).newNotebook()),
    command('openQuickstart', async () =>
      (await notebookCommands()).openQuickstart(context.asAbsolutePath('notebooks')),
    ),
    command('restartKernel', async (where) => (await notebookCommands()).restartKernel(controller, where)),
    command('restartAndRunAll', async (where) => (await notebookCommands()).restartAndRunAll(controller, where)),
    command('removeUnusedFrames', async () => (await notebookCommands()).removeUnusedFrames(files, controller)),
    command('showLog', () => log.show()),
    command('refreshModels', () => tree.forgetDevices()),
    command('showModels', () => tree.reveal()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const changed = (name: string): boolean => event.affectsConfiguration(`${SETTINGS_SECTION}.${name}`);
      if (changed(SETTINGS.model) || changed(SETTINGS.device) || changed(SETTINGS.modelsFolder)) tree.refresh();
      if (changed(SETTINGS.modelsFolder) || changed(SETTINGS.onnxruntimePath)) {
        workshop
          .get()
          .then(({ inference }) =>
            inference.offerRestart(vscode.l10n.t('The settings of the inference process have changed.')),
          )
          .catch((error: unknown) => log.failure(error));
      }
    }),
  );
}
