import * as vscode from 'vscode';
import type { ModelCheck, ModelEntry, ModelLibrary } from '../../api/models';
import { RestorationError, type DeviceReport } from '../../protocol';
import { readSettings } from '../configuration';
import { MODELS_VIEW } from '../ids';
import type { Log } from '../status/log';
import { amount } from './amounts';

/** How often a model is looked for in a view that is just unfolding, and the milliseconds between. */
const REVEALS = 5;
const REVEAL_PAUSE = 200;

/** A line below a model. */
interface Fact {
  kind: 'fact';
  id: string;
  label: string;
  description: string;
  icon: string;
  tooltip?: string;
  /** Lines below this one. */
  children?: Fact[];
}

/** A model in the view. */
export interface ModelNode {
  kind: 'model';
  entry: ModelEntry;
}
export type Node = ModelNode | Fact;

export function isModelNode(value: unknown): value is ModelNode {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'model';
}

/** What is known of a model's files since the window was opened. */
interface Verdict {
  check: ModelCheck;
  at: Date;
}

export interface ModelTreeServices {
  /** What reads models is loaded when the view is shown. */
  library: () => Promise<ModelLibrary>;
  /** Asks the inference process for the devices that work. */
  devices: () => Promise<DeviceReport[]>;
  log: Log;
}

/** The view of models: what is installed, on which device it runs, how large it is, its adapters, and whether it is whole. */
export class ModelTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<Node>;
  private readonly verdicts = new Map<string, Verdict>();
  private readonly subscriptions: vscode.Disposable[] = [];
  private reports: DeviceReport[] | undefined;
  private asking = false;
  private nodes: ModelNode[] = [];

  constructor(private readonly services: ModelTreeServices) {
    this.view = vscode.window.createTreeView<Node>(MODELS_VIEW, { treeDataProvider: this });
    this.subscriptions.push(
      this.view,
      this.changed,
      // Models may be added elsewhere: on the command line, in another window.
      this.view.onDidChangeVisibility(({ visible }) => {
        if (visible) this.refresh();
      }),
    );
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  /** Devices are probed anew when they are shown next. */
  forgetDevices(): void {
    this.reports = undefined;
    this.refresh();
  }

  /** Shows what a verification found. */
  show(checks: readonly ModelCheck[]): void {
    for (const check of checks) this.verdicts.set(check.id, { check, at: new Date() });
    this.refresh();
  }

  /** Forgets what was known of a model that is no longer there, or no longer the same. */
  forget(id: string): void {
    this.verdicts.delete(id);
    this.refresh();
  }

  /** Brings the view, and a model in it, to the front. */
  async reveal(id?: string): Promise<void> {
    await vscode.commands.executeCommand(`${MODELS_VIEW}.focus`);
    const find = (): ModelNode | undefined => this.nodes.find(({ entry }) => id === undefined || entry.id === id);
    // The view may not have asked yet, or not since the model was added.
    if (find() === undefined) await this.getChildren();
    // A view that has just unfolded reads its models meanwhile, and then no longer knows the one that was found before.
    for (let attempt = 1; attempt <= REVEALS; attempt += 1) {
      const node = find();
      if (node === undefined) return;
      try {
        return await this.view.reveal(node, { focus: true, select: true });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, REVEAL_PAUSE));
      }
    }
    // The view is there all the same; only nothing is selected in it.
  }

  getParent(node: Node): Node | undefined {
    if (node.kind === 'model') return undefined;
    return this.nodes.find(({ entry }) => node.id.startsWith(`${entry.folder}\n`));
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node === undefined) {
      const entries = await (await this.services.library()).list();
      this.nodes = entries.map((entry) => ({ kind: 'model', entry }));
      return this.nodes;
    }
    return node.kind === 'model' ? this.facts(node.entry) : (node.children ?? []);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return node.kind === 'model' ? this.modelItem(node.entry) : factItem(node);
  }

  private modelItem(entry: ModelEntry): vscode.TreeItem {
    const item = new vscode.TreeItem(entry.id, vscode.TreeItemCollapsibleState.Collapsed);
    const problem = this.problemOf(entry);
    const used = readSettings().model === entry.id;
    const parts = [
      used ? vscode.l10n.t('in use') : '',
      problem === undefined ? amount(entry.bytes) : vscode.l10n.t('broken'),
    ];
    item.id = entry.folder;
    item.description = parts.filter((part) => part !== '').join(' · ');
    item.iconPath =
      problem === undefined
        ? new vscode.ThemeIcon(this.verdicts.get(entry.id)?.check.ok ? 'verified' : 'package')
        : new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
    item.tooltip = problem ?? `${entry.name} ${entry.version}\n${entry.folder}`;
    item.contextValue = [
      'model',
      entry.origin,
      used ? 'used' : 'unused',
      problem === undefined ? 'whole' : 'broken',
    ].join('.');
    item.accessibilityInformation = {
      label: [vscode.l10n.t('Model {0}', entry.id), item.description, problem ?? ''].filter(Boolean).join(', '),
    };
    return item;
  }

  private problemOf(entry: ModelEntry): string | undefined {
    if (entry.problem !== undefined) return entry.problem;
    return this.verdicts.get(entry.id)?.check.files.find(({ ok }) => !ok)?.problem;
  }

  private facts(entry: ModelEntry): Fact[] {
    const fact = (label: string, description: string, icon: string, more: Partial<Fact> = {}): Fact => ({
      kind: 'fact',
      id: `${entry.folder}\n${label}`,
      label,
      description,
      icon,
      ...more,
    });
    const state = this.stateOf(entry);
    const where = fact(
      vscode.l10n.t('Origin'),
      entry.origin === 'shipped' ? vscode.l10n.t('comes with the extension') : vscode.l10n.t('added'),
      'folder',
      { tooltip: entry.folder },
    );
    if (entry.problem !== undefined) return [state, where];
    const adapters = entry.adapters.map(({ name, bytes }) => fact(name, amount(bytes), 'layers', { tooltip: name }));
    return [
      state,
      fact(
        vscode.l10n.t('Tasks'),
        entry.tasks.join(', ') + (entry.scale === undefined ? '' : vscode.l10n.t(' ({0} times)', entry.scale)),
        'wand',
      ),
      fact(vscode.l10n.t('Device'), this.deviceText(), 'chip', { tooltip: this.deviceDetail() }),
      fact(vscode.l10n.t('Size'), amount(entry.bytes), 'database'),
      fact(
        vscode.l10n.t('Adapters'),
        adapters.length === 0 ? vscode.l10n.t('none') : String(adapters.length),
        'layers',
        adapters.length === 0 ? {} : { children: adapters },
      ),
      fact(vscode.l10n.t('License'), entry.license, 'law', { tooltip: entry.license }),
      where,
    ];
  }

  private stateOf(entry: ModelEntry): Fact {
    const verdict = this.verdicts.get(entry.id);
    const problem = this.problemOf(entry);
    const description =
      problem ??
      (verdict === undefined
        ? vscode.l10n.t('files not compared yet')
        : vscode.l10n.t('all files intact at {0}', verdict.at.toLocaleTimeString()));
    const icon = problem !== undefined ? 'error' : verdict === undefined ? 'question' : 'verified';
    return {
      kind: 'fact',
      id: `${entry.folder}\nState`,
      label: vscode.l10n.t('State'),
      description,
      icon,
      tooltip: description,
    };
  }

  private deviceText(): string {
    const { device } = readSettings();
    const automatic = this.reports?.find((report) => report.automatic)?.device;
    if (this.reports === undefined) this.askDevices();
    if (device === 'auto') return automatic === undefined ? device : vscode.l10n.t('{0} (auto)', automatic);
    const chosen = this.reports?.find((report) => report.device === device);
    return chosen?.available === false ? vscode.l10n.t('{0} is not available: cpu', device) : device;
  }

  private deviceDetail(): string {
    return (this.reports ?? []).map(({ device, detail }) => `${device}: ${detail}`).join('\n');
  }

  /** A run that is under way may keep the answer waiting: the view does not wait for it. */
  private askDevices(): void {
    if (this.asking || !vscode.workspace.isTrusted) return;
    this.asking = true;
    this.services
      .devices()
      .then((reports) => {
        this.reports = reports;
        this.refresh();
      })
      .catch((error: unknown) => this.services.log.failure(RestorationError.from(error)))
      .finally(() => (this.asking = false));
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}

function factItem(fact: Fact): vscode.TreeItem {
  const collapsible =
    fact.children === undefined ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Collapsed;
  const item = new vscode.TreeItem(fact.label, collapsible);
  item.id = fact.id;
  item.description = fact.description;
  item.iconPath = new vscode.ThemeIcon(fact.icon);
  item.tooltip = fact.tooltip ?? `${fact.label}: ${fact.description}`;
  item.contextValue = 'fact';
  item.accessibilityInformation = { label: `${fact.label}: ${fact.description}` };
  return item;
}
