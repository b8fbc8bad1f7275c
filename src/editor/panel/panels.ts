import type * as vscode from 'vscode';
import type { InferenceClient } from '../../inference/client';
import { openAsNotebook } from '../commands/open-as-notebook';
import { restoreInPanel, type BatchPanels, type RestorePanels } from '../commands/restore-image';
import type { ComparePanels } from '../commands/compare-images';
import { BATCH_VIEW_TYPE, COMPARE_VIEW_TYPE, PANEL_VIEW_TYPE } from '../ids';
import type { ScenePrompts } from '../prompts/scene-prompts';
import type { Log } from '../status/log';
import { BatchPanel, closedBatchRecord, isBatchRecord } from './batch-panel';
import { ComparePanel, isCompareRecord } from './compare-panel';
import type { PanelModels } from './models';
import { PanelRegistry } from './panel-registry';
import type { PanelStore } from './panel-store';
import type { PictureRestorer } from './picture-restorer';
import { closedRestoreRecord, isRestoreRecord, RestorePanel } from './restore-panel';

export interface PanelsServices {
  client: InferenceClient;
  store: PanelStore;
  restorer: PictureRestorer;
  models: PanelModels;
  prompts: ScenePrompts;
  log: Log;
  /** The panels' script. */
  script: vscode.Uri;
}

/** All open panels, a registry a kind. */
export interface Panels {
  panels: RestorePanels;
  batches: BatchPanels;
  comparisons: ComparePanels;
}

/** The registries of all kinds of panels; their owner disposes them. */
export function createPanels(services: PanelsServices): Panels {
  const { store, restorer } = services;
  const panels: RestorePanels = new PanelRegistry({
    viewType: PANEL_VIEW_TYPE,
    store,
    isRecord: isRestoreRecord,
    closed: closedRestoreRecord,
    create: (id, view, record, onDispose) => {
      const own = {
        ...services,
        openAsNotebook: (run: Parameters<typeof openAsNotebook>[0]) =>
          openAsNotebook(run, (finished) => restorer.bundle(finished)),
      };
      return new RestorePanel(id, view, record, own, onDispose);
    },
  });
  const batches: BatchPanels = new PanelRegistry({
    viewType: BATCH_VIEW_TYPE,
    store,
    isRecord: isBatchRecord,
    closed: closedBatchRecord,
    create: (id, view, record, onDispose) => {
      const own = { ...services, openPicture: restoreInPanel.bind(undefined, panels) };
      return new BatchPanel(id, view, record, own, onDispose);
    },
  });
  const comparisons: ComparePanels = new PanelRegistry({
    viewType: COMPARE_VIEW_TYPE,
    store,
    isRecord: isCompareRecord,
    closed: (record) => record,
    create: (id, view, record, onDispose) => new ComparePanel(id, view, record, services, onDispose),
  });
  return { panels, batches, comparisons };
}
