import { adoptStyles } from '../strip/styles';
import { BatchView } from './batch-view';
import { CompareView } from './compare-view';
import { pageNonce } from './csp-nonce';
import css from './panel.css';
import { RestoreView } from './restore-view';
import { registerToolkit } from './toolkit';
import type { VsCodeApi } from './vscode-api';

interface View {
  readonly element: HTMLElement;
  receive(message: unknown): void;
}

/** The document says what it shows. */
function createView(kind: string | undefined, api: VsCodeApi<unknown>): View {
  switch (kind) {
    case 'batch':
      return new BatchView(api);
    case 'compare':
      return new CompareView(api, pageNonce);
    default:
      return new RestoreView(api, pageNonce);
  }
}

registerToolkit();
adoptStyles(document, css, pageNonce);
const api = acquireVsCodeApi();
const view = createView(document.body.dataset.panel, api);
document.body.append(view.element);
window.addEventListener('message', (event: MessageEvent<unknown>) => view.receive(event.data));
api.postMessage({ type: 'ready' });
