/**
 * Every identifier that the extension shares with its manifest. They stand here once; a test holds them against
 * `package.json`, so that neither side can drift.
 */

const PREFIX = 'progressiveRestoration';

export const EXTENSION_ID = 'progressive-restoration.progressive-restoration';

export const COMMANDS = {
  restoreImage: `${PREFIX}.restoreImage`,
  compareImages: `${PREFIX}.compareImages`,
  openAsNotebook: `${PREFIX}.openAsNotebook`,
  saveAs: `${PREFIX}.saveAs`,
  setEndpointKey: `${PREFIX}.setEndpointKey`,
  revokeConsent: `${PREFIX}.revokeConsent`,
  newNotebook: `${PREFIX}.newNotebook`,
  openQuickstart: `${PREFIX}.openQuickstart`,
  restartKernel: `${PREFIX}.restartKernel`,
  restartAndRunAll: `${PREFIX}.restartAndRunAll`,
  removeUnusedFrames: `${PREFIX}.removeUnusedFrames`,
  showLog: `${PREFIX}.showLog`,
  addModel: `${PREFIX}.addModel`,
  downloadModel: `${PREFIX}.downloadModel`,
  useModel: `${PREFIX}.useModel`,
  verifyModel: `${PREFIX}.verifyModel`,
  removeModel: `${PREFIX}.removeModel`,
  refreshModels: `${PREFIX}.refreshModels`,
  showModels: `${PREFIX}.showModels`,
  checkInstallation: `${PREFIX}.checkInstallation`,
  installCuda: `${PREFIX}.installCuda`,
} as const;

/** Section of all settings; `SETTINGS` are the names below it. */
export const SETTINGS_SECTION = PREFIX;
export const SETTINGS = {
  device: 'device',
  model: 'model',
  frames: 'frames',
  nodePath: 'kernel.nodePath',
  endpoint: 'prompts.endpoint',
  endpointModel: 'prompts.endpointModel',
  modelsFolder: 'modelsFolder',
  onnxruntimePath: 'onnxruntimePath',
  cudaFeed: 'cudaFeed',
} as const;

/** The editor's own notebook type for `.ipynb`. */
export const NOTEBOOK_TYPE = 'jupyter-notebook';
export const CONTROLLER_ID = 'progressive-restoration-typescript';
export const RENDERER_ID = `${PREFIX}.strip`;
export const PANEL_VIEW_TYPE = `${PREFIX}.restorePanel`;
export const BATCH_VIEW_TYPE = `${PREFIX}.batchPanel`;
export const COMPARE_VIEW_TYPE = `${PREFIX}.comparePanel`;
export const MODELS_VIEW = `${PREFIX}.models`;
