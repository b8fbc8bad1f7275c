import { isExtensionToCompare, isMadeFile, type CompareToExtension, type ExtensionToCompare } from '../../src/protocol';
import { copyPicture, copyText } from '../strip/clipboard';
import { element, setText } from '../strip/dom';
import { FrameRequests } from '../strip/frame-requests';
import { createStrip, type Strip } from '../strip/strip';
import { PANEL_LABELS as labels } from './labels';
import { createButton } from './toolkit';
import type { VsCodeApi } from './vscode-api';

/** The Compare panel: pictures that exist, as a strip with the comparison of two above it. */
export class CompareView {
  readonly element: HTMLElement;
  private readonly requests = new FrameRequests();
  private readonly container = element('div', { hidden: true });
  private readonly error = element('p', { class: 'error', role: 'alert', hidden: true });
  private readonly hint = element('span', { class: 'muted', role: 'status' });
  private readonly waiting: HTMLElement;
  private readonly strip: Strip;

  constructor(
    private readonly api: VsCodeApi<CompareToExtension>,
    nonce: string | undefined,
  ) {
    this.strip = createStrip(this.container, {
      comparison: 'above',
      nonce,
      loadFrame: (file) => this.requests.ask((requestId) => api.postMessage({ type: 'frame', requestId, file })),
      onCopy: copyText,
      onCopyPicture: copyPicture,
      onSave: (frame) => api.postMessage({ type: 'save-frame', file: frame.file, index: frame.index }),
      onSaveMade: (dataUrl, suggestedName) => {
        if (isMadeFile(dataUrl)) api.postMessage({ type: 'save-made', dataUrl, suggestedName });
      },
    });
    const cancel = createButton(labels.cancel, 'secondary', () => api.postMessage({ type: 'cancel' }));
    this.waiting = element('div', { class: 'controls', hidden: true }, this.hint, cancel.element);
    this.element = element('main', {}, this.error, this.waiting, this.container);
  }

  receive(message: unknown): void {
    if (isExtensionToCompare(message)) this.handle(message);
  }

  private handle(message: ExtensionToCompare): void {
    switch (message.type) {
      case 'state': {
        const { id, names, running, view } = message;
        this.api.setState({ id });
        this.showError('');
        this.waiting.hidden = !running;
        setText(this.hint, running ? labels.comparing(names.join(', ')) : '');
        this.container.hidden = view === undefined;
        if (view !== undefined) this.strip.update(view);
        return;
      }
      case 'frame':
        this.requests.settle(message.requestId, message.dataUrl);
        return;
      case 'error':
        this.showError(message.message);
        return;
    }
  }

  private showError(message: string): void {
    setText(this.error, message);
    this.error.hidden = message === '';
  }
}
