import { isExtensionToPanel, isPanelState, type PanelState } from '../../src/protocol';
import { copyText } from '../strip/clipboard';
import { element, setText } from '../strip/dom';
import { FrameRequests } from '../strip/frame-requests';
import { createStrip, type Strip } from '../strip/strip';
import { adoptStyles } from '../strip/styles';
import { Controls } from './controls';
import { pageNonce } from './csp-nonce';
import { PANEL_LABELS as labels } from './labels';
import css from './panel.css';
import { registerToolkit } from './toolkit';
import type { VsCodeApi } from './vscode-api';

/** The Restore panel: controls, the comparison of input and restored frame, the strip. */
class Panel {
  private readonly requests = new FrameRequests();
  private readonly controls: Controls;
  private readonly strip: Strip;
  private readonly stripContainer = element('div', { hidden: true });
  private readonly error = element('p', { class: 'error', role: 'alert', hidden: true });
  private readonly hint = element('p', { class: 'hint', role: 'status' });
  private state: PanelState | undefined;

  constructor(
    private readonly api: VsCodeApi,
    nonce: string | undefined,
  ) {
    registerToolkit();
    adoptStyles(document, css, nonce);
    this.controls = new Controls({
      onRun: (task, prompt) => this.api.postMessage({ type: 'run', task, prompt }),
      onCancel: () => this.api.postMessage({ type: 'cancel' }),
      onSave: () => this.save(),
      onNotebook: () => this.api.postMessage({ type: 'open-as-notebook' }),
      onEdit: (task, prompt) => {
        if (this.state !== undefined) this.remember({ ...this.state, task, prompt });
      },
    });
    this.strip = createStrip(this.stripContainer, {
      comparison: 'above',
      nonce,
      loadFrame: (file) => this.requests.ask((requestId) => this.api.postMessage({ type: 'frame', requestId, file })),
      onCopy: copyText,
    });
    document.body.append(element('main', {}, this.controls.element, this.error, this.hint, this.stripContainer));
    window.addEventListener('message', (event: MessageEvent<unknown>) => this.receive(event.data));
    const kept = api.getState();
    // What ran when the window was closed runs no more; the extension's own state follows.
    if (isPanelState(kept)) this.show({ ...kept, running: false });
    api.postMessage({ type: 'ready' });
  }

  private receive(message: unknown): void {
    if (!isExtensionToPanel(message)) return;
    switch (message.type) {
      case 'state': {
        const { id, view, input, task, prompt, running } = message;
        const state: PanelState = { id, view, input, task, prompt, running };
        this.showError('');
        this.show(state);
        this.remember(state);
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

  private show(state: PanelState): void {
    this.state = state;
    const { view, running, input, task, prompt } = state;
    this.controls.update({
      task,
      prompt,
      running,
      hasFrames: view !== undefined && view.record.frames.length > 0,
      isDone: !running && view?.state.kind === 'done',
    });
    setText(this.hint, running ? labels.starting(input.name) : labels.nothing(input.name));
    this.hint.hidden = view !== undefined;
    this.stripContainer.hidden = view === undefined;
    if (view !== undefined) this.strip.update(view);
  }

  /** Keeps the state for a reload of the window, without the pictures of a run that is not finished. */
  private remember(state: PanelState): void {
    this.state = state;
    this.api.setState({ ...state, view: state.running ? undefined : state.view });
  }

  private save(): void {
    const frame = this.strip.chosenFrame();
    if (frame !== undefined) this.api.postMessage({ type: 'save', frame: frame.index });
  }

  private showError(message: string): void {
    setText(this.error, message);
    this.error.hidden = message === '';
  }
}

new Panel(acquireVsCodeApi(), pageNonce);
