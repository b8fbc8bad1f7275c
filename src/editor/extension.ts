import path from 'node:path';
import * as vscode from 'vscode';
import { newNotebook } from './commands/new-notebook';
import { openAsNotebook } from './commands/open-as-notebook';
import { restartKernel } from './commands/restart-kernel';
import { restoreImage } from './commands/restore-image';
import { COMMANDS } from './ids';
import { WindowInference } from './inference';
import { TypescriptController } from './notebook/controller';
import { NotebookFiles } from './notebook/notebook-files';
import { RendererMessaging } from './notebook/renderer-messaging';
import { PanelStore } from './panel/panel-store';
import { PictureRestorer } from './panel/picture-restorer';
import { RestorePanels } from './panel/restore-panels';
import { Activity } from './status/activity';
import { Log } from './status/log';
import { UniformPrompts } from './uniform-prompts';

export function activate(context: vscode.ExtensionContext): void {
  const dist = context.asAbsolutePath('dist');
  const storage = (context.storageUri ?? context.globalStorageUri).fsPath;

  const log = new Log();
  const activity = new Activity();
  const inference = new WindowInference(path.join(dist, 'service.js'), log);
  const files = new NotebookFiles(path.join(storage, 'untitled'));
  const store = new PanelStore(path.join(storage, 'panels'));
  const restorer = new PictureRestorer(inference.client, activity);
  const prompts = new UniformPrompts(context.asAbsolutePath('models'));
  const panels = new RestorePanels({
    store,
    restorer,
    log,
    script: vscode.Uri.file(path.join(dist, 'webview', 'panel.js')),
    openAsNotebook: (run) => openAsNotebook(run, (finished) => restorer.bundle(finished)),
  });
  const controller = new TypescriptController({
    files,
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
    controller,
    new RendererMessaging(files, controller, log),
    command(COMMANDS.restoreImage, (first, selected) => restoreImage({ panels, prompts, log }, first, selected)),
    command(COMMANDS.openAsNotebook, () => panels.active?.openAsNotebook()),
    command(COMMANDS.saveAs, () => panels.active?.saveAs()),
    command(COMMANDS.newNotebook, () => newNotebook()),
    command(COMMANDS.restartKernel, (where) => restartKernel(controller, where)),
    command(COMMANDS.showLog, () => log.show()),
  );
  store.prune().catch((error: unknown) => log.failure(error));
}
