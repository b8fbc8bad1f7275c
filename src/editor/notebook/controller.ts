import * as vscode from 'vscode';
import type { ServiceAddress } from '../../protocol';
import { MODELS_VARIABLE } from '../../restoration/models/locations';
import { chosenNodePath, readSettings } from '../configuration';
import { CONTROLLER_ID, NOTEBOOK_TYPE } from '../ids';
import { assertTrusted } from '../preconditions';
import type { NotebookLanguage } from '../language/notebook-language';
import type { Activity } from '../status/activity';
import type { Log } from '../status/log';
import type { NotebookFiles } from './notebook-files';
import { isTypescriptNotebook, keepTypescriptMetadata, namesOurKernel } from './notebook-metadata';
import { asCellError } from './cell-error';
import type { NotebookSession } from './notebook-session';
import { errorOutput } from './output-items';

export interface ControllerServices {
  files: NotebookFiles;
  activity: Activity;
  log: Log;
  language: NotebookLanguage;
  /** The kernel's bundle. */
  kernelEntry: string;
  /** Where the inference service listens; starts it when needed. */
  service: () => Promise<ServiceAddress>;
  /** Folder of the models that were added, for a kernel that starts now. */
  modelsFolder: () => string;
}

/** How long a tab may be on its way from one group to another. */
const TAB_MOVE_MILLISECONDS = 1_000;

/** Runs TypeScript cells: one kernel process a notebook, started by its first cell and ended when the notebook closes. */
export class TypescriptController implements vscode.Disposable {
  private readonly controller: vscode.NotebookController;
  private readonly sessions = new Map<vscode.NotebookDocument, NotebookSession>();
  private readonly subscriptions: vscode.Disposable[] = [];

  constructor(private readonly services: ControllerServices) {
    this.controller = vscode.notebooks.createNotebookController(
      CONTROLLER_ID,
      NOTEBOOK_TYPE,
      vscode.l10n.t('TypeScript (Progressive Restoration)'),
    );
    this.controller.description = vscode.l10n.t('Cells in TypeScript or JavaScript, with the library at hand');
    this.controller.supportedLanguages = ['typescript', 'javascript'];
    this.controller.supportsExecutionOrder = true;
    this.controller.executeHandler = (cells, notebook) => this.execute(cells, notebook);
    this.controller.interruptHandler = (notebook) => this.sessions.get(notebook)?.interrupt();
    this.subscriptions.push(
      this.controller,
      this.controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => {
        services.language.use(notebook, selected);
        if (selected) keepTypescriptMetadata(notebook).catch((error: unknown) => services.log.failure(error));
      }),
      vscode.workspace.onDidOpenNotebookDocument((notebook) => this.recommend(notebook)),
      vscode.workspace.onDidCloseNotebookDocument((notebook) => {
        services.language.use(notebook, false);
        void this.close(notebook);
      }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed, opened }) => {
        for (const notebook of shownIn(opened)) this.recommend(notebook);
        if (closed.some((tab) => tab.input instanceof vscode.TabInputNotebook)) this.closeUnseenLater();
      }),
    );
    for (const notebook of vscode.workspace.notebookDocuments) this.recommend(notebook);
  }

  /** Ends the notebook's kernel and starts a new one without variables; does nothing when none runs. */
  async restart(notebook: vscode.NotebookDocument): Promise<void> {
    await this.sessions.get(notebook)?.restart();
  }

  /** Runs all cells from the top in a kernel without variables. */
  async restartAndRunAll(notebook: vscode.NotebookDocument): Promise<void> {
    await this.restart(notebook);
    const cells = notebook.getCells().filter(({ kind }) => kind === vscode.NotebookCellKind.Code);
    await this.execute(cells, notebook);
  }

  /** Stops the notebook's running cell; does nothing when none runs. */
  async interrupt(notebook: vscode.NotebookDocument): Promise<void> {
    await this.sessions.get(notebook)?.interrupt();
  }

  /** Whether a cell of the notebook runs or waits; undefined where another extension's kernel may run its cells. */
  isWorking(notebook: vscode.NotebookDocument): boolean | undefined {
    const session = this.sessions.get(notebook);
    if (session !== undefined) return session.client.busy;
    return isTypescriptNotebook(notebook) ? false : undefined;
  }

  private recommend(notebook: vscode.NotebookDocument): void {
    if (notebook.notebookType !== NOTEBOOK_TYPE || !isTypescriptNotebook(notebook)) return;
    this.controller.updateNotebookAffinity(notebook, vscode.NotebookControllerAffinity.Preferred);
    // Others run TypeScript in notebooks, too; one that names our kernel is ours before its first cell runs.
    if (namesOurKernel(notebook)) this.services.language.use(notebook, true);
  }

  private async execute(cells: readonly vscode.NotebookCell[], notebook: vscode.NotebookDocument): Promise<void> {
    let session: NotebookSession;
    try {
      session = await this.session(notebook);
    } catch (error) {
      const [first] = cells;
      if (first !== undefined) await this.refuse(first, error);
      return;
    }
    // A notebook that cannot be changed runs all the same: were this to throw, the editor would drop the cells silently.
    await keepTypescriptMetadata(notebook).catch((error: unknown) => this.services.log.failure(error));
    await session.run(cells, this.controller);
  }

  /** Shows under a cell why it cannot run. */
  private async refuse(cell: vscode.NotebookCell, error: unknown): Promise<void> {
    this.services.log.failure(error);
    const execution = this.controller.createNotebookCellExecution(cell);
    execution.start(Date.now());
    await execution.replaceOutput(errorOutput(asCellError(error)));
    execution.end(false, Date.now());
  }

  private async session(notebook: vscode.NotebookDocument): Promise<NotebookSession> {
    assertTrusted();
    // What runs cells is loaded by the first cell; two that come at once wait for the same kernel.
    const { KernelClient, NotebookSession } = await import('./kernel-session');
    const known = this.sessions.get(notebook);
    if (known !== undefined) return known;
    const { files, activity, log, kernelEntry, service, modelsFolder } = this.services;
    const client = new KernelClient({
      notebook: files.notebookPath(notebook),
      framesFolder: files.framesFolder(notebook),
      execPath: chosenNodePath() ?? process.execPath,
      entry: kernelEntry,
      env: { [MODELS_VARIABLE]: modelsFolder() },
      defaults: () => {
        const { device, model } = readSettings(notebook.uri);
        return { device, model };
      },
      service: async () => {
        // Trust is given for a process that starts later, too.
        assertTrusted();
        return service();
      },
      onBackground: (output) => {
        if (output.type === 'stream') log.info(output.text.trimEnd());
      },
    });
    const name = vscode.workspace.asRelativePath(notebook.uri);
    const session = new NotebookSession(client, {
      onBusy: () => activity.begin(vscode.l10n.t('Running {0}', name)),
      onFailure: (error) => log.failure(error),
    });
    this.sessions.set(notebook, session);
    return session;
  }

  /** The editor keeps a document for minutes after its last tab is gone; its kernel has nobody left to run cells for. */
  private closeUnseenLater(): void {
    // A tab that moves to another group is closed there before it is opened here.
    setTimeout(() => {
      const shown = new Set(
        vscode.window.tabGroups.all
          .flatMap((group) => group.tabs)
          .map(({ input }) => (input instanceof vscode.TabInputNotebook ? input.uri.toString() : undefined)),
      );
      for (const notebook of [...this.sessions.keys()]) {
        if (!shown.has(notebook.uri.toString())) void this.close(notebook);
      }
      this.services.language.keepOnly((notebook) => shown.has(notebook.uri.toString()));
    }, TAB_MOVE_MILLISECONDS);
  }

  private async close(notebook: vscode.NotebookDocument): Promise<void> {
    const session = this.sessions.get(notebook);
    this.sessions.delete(notebook);
    await session?.dispose();
  }

  dispose(): void {
    for (const notebook of [...this.sessions.keys()]) void this.close(notebook);
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}

/** The documents of notebooks in these tabs; one that was closed a moment ago may still be open, and does not open again. */
function shownIn(tabs: readonly vscode.Tab[]): vscode.NotebookDocument[] {
  const uris = new Set(tabs.map(({ input }) => (input instanceof vscode.TabInputNotebook ? input.uri.toString() : '')));
  return vscode.workspace.notebookDocuments.filter(({ uri }) => uris.has(uri.toString()));
}
