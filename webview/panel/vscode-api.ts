import type { PanelState, PanelToExtension } from '../../src/protocol';

/** What VS Code gives to a webview, once. */
export interface VsCodeApi {
  postMessage(message: PanelToExtension): void;
  /** Untrusted: an older version may have written it. */
  getState(): unknown;
  setState(state: PanelState): void;
}

declare global {
  function acquireVsCodeApi(): VsCodeApi;
}
