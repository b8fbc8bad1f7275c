import * as vscode from 'vscode';
import { isObject } from '../../protocol/checks';
import type { Task } from '../../protocol';
import { PANEL_VIEW_TYPE } from '../ids';
import type { PanelRecord } from './panel-store';
import { RestorePanel, type RestorePanelServices } from './restore-panel';

/** All open Restore panels. Brings them back after the window was reloaded. */
export class RestorePanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly panels = new Map<string, RestorePanel>();
  private readonly registration: vscode.Disposable;
  private shuttingDown = false;

  constructor(private readonly services: RestorePanelServices) {
    this.registration = vscode.window.registerWebviewPanelSerializer(PANEL_VIEW_TYPE, this);
  }

  /** The panel that has the focus, if one has. */
  get active(): RestorePanel | undefined {
    return [...this.panels.values()].find((panel) => panel.active);
  }

  /** Opens a panel for one picture; nothing runs yet. */
  open(input: string, task: Task, prompt: string, options: { focus: boolean }): RestorePanel {
    const view = vscode.window.createWebviewPanel(
      PANEL_VIEW_TYPE,
      vscode.l10n.t('Restore'),
      { viewColumn: vscode.ViewColumn.Active, preserveFocus: !options.focus },
      {},
    );
    return this.adopt(this.services.store.newId(), view, { input, task, prompt });
  }

  async deserializeWebviewPanel(view: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { store } = this.services;
    const id = isObject(state) && store.isId(state.id) ? state.id : undefined;
    const record = id === undefined ? undefined : await store.load(id);
    if (id === undefined || record === undefined) {
      view.dispose();
      return;
    }
    const { view: run } = record;
    const closed = run?.state.kind === 'running' ? { ...run, state: { kind: 'interrupted' as const } } : run;
    this.adopt(id, view, { ...record, view: closed });
  }

  private adopt(id: string, view: vscode.WebviewPanel, record: PanelRecord): RestorePanel {
    const panel = new RestorePanel(id, view, record, this.services, () => {
      this.panels.delete(id);
      // A panel that goes with its window comes back with it; one that the user closes does not.
      if (!this.shuttingDown) void this.services.store.forget(id);
    });
    this.panels.set(id, panel);
    return panel;
  }

  dispose(): void {
    this.shuttingDown = true;
    this.registration.dispose();
    for (const panel of this.panels.values()) panel.cancel();
  }
}
