/** What VS Code gives to a webview, once. */
export interface VsCodeApi<Message> {
  postMessage(message: Message): void;
  /** Untrusted: an older version may have written it. */
  getState(): unknown;
  /** Kept over a reload of the window. `id` names the panel for the extension. */
  setState(state: { id?: string; [key: string]: unknown }): void;
}

declare global {
  function acquireVsCodeApi(): VsCodeApi<unknown>;
}
