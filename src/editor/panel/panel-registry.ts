import * as vscode from 'vscode';
import { isObject } from '../../protocol/checks';
import type { PanelStore } from './panel-store';

/** What a registry has to know of the panels in it. */
export interface OpenPanel {
  readonly active: boolean;
  /** Ends what runs. */
  cancel(): void;
}

export interface PanelRegistryOptions<Record extends object, Panel extends OpenPanel> {
  viewType: string;
  store: PanelStore;
  isRecord: (value: unknown) => value is Record;
  /** A record as it is after the window was gone: nothing runs any more. */
  closed: (record: Record) => Record;
  create: (id: string, view: vscode.WebviewPanel, record: Record, onDispose: () => void) => Panel;
}

/** All open panels of one kind. As the serializer of their type it brings them back after the window was reloaded. */
export class PanelRegistry<Record extends object, Panel extends OpenPanel>
  implements vscode.WebviewPanelSerializer, vscode.Disposable
{
  private readonly panels = new Map<string, Panel>();
  private shuttingDown = false;

  constructor(private readonly options: PanelRegistryOptions<Record, Panel>) {}

  /** The panel that has the focus, if one has. */
  get active(): Panel | undefined {
    return [...this.panels.values()].find((panel) => panel.active);
  }

  /** Opens a panel; nothing runs yet. */
  open(record: Record, title: string): Panel {
    const { viewType, store } = this.options;
    const view = vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, {});
    return this.adopt(store.newId(), view, record);
  }

  async deserializeWebviewPanel(view: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { store, isRecord, closed } = this.options;
    const id = isObject(state) && store.isId(state.id) ? state.id : undefined;
    const record = id === undefined ? undefined : await store.load(id, isRecord);
    if (id === undefined || record === undefined) {
      view.dispose();
      return;
    }
    this.adopt(id, view, closed(record));
  }

  private adopt(id: string, view: vscode.WebviewPanel, record: Record): Panel {
    const panel = this.options.create(id, view, record, () => {
      this.panels.delete(id);
      // A panel that goes with its window comes back with it; one that the user closes does not.
      if (!this.shuttingDown) void this.options.store.forget(id);
    });
    this.panels.set(id, panel);
    return panel;
  }

  dispose(): void {
    this.shuttingDown = true;
    for (const panel of this.panels.values()) panel.cancel();
  }
}
