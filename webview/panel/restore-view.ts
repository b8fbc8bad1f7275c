import {
  isExtensionToPanel,
  isRestoreWish,
  type ExtensionToPanel,
  type PanelResult,
  type PanelState,
  type PanelToExtension,
  type RestoreWish,
} from '../../src/protocol';
import { isObject } from '../../src/protocol/checks';
import { copyPicture } from '../strip/clipboard';
import { element, setText } from '../strip/dom';
import { FrameRequests } from '../strip/frame-requests';
import { BeforeAfter, isLook, shownFrame, type Look } from './before-after';
import { blendAt, orderedFrames, severityOfResult } from './blend';
import { Controls } from './controls';
import { Dial } from './dial';
import { PANEL_LABELS as labels } from './labels';
import { ResultStrips } from './result-strips';
import { ResultsBar } from './results-bar';
import { createButton, createDropdown, type ButtonControl } from './toolkit';
import type { VsCodeApi } from './vscode-api';

const INPUT = 'input';

/** The Restore panel: controls, before and after with the strength dial, the strips of all results. */
export class RestoreView {
  readonly element: HTMLElement;
  private readonly requests = new FrameRequests();
  private readonly controls: Controls;
  private readonly results: ResultsBar;
  private readonly pair: BeforeAfter;
  private readonly dial: Dial;
  private readonly against = createDropdown(labels.against, () => this.showPair());
  private readonly comparison = element(
    'div',
    { class: 'comparison', hidden: true },
    element('span', { class: 'muted', 'aria-hidden': 'true' }, labels.against),
    this.against.element,
  );
  private readonly save: ButtonControl;
  private readonly copy: ButtonControl;
  private readonly notebook: ButtonControl;
  private readonly look: HTMLElement;
  private readonly strips: ResultStrips;
  private readonly error = element('p', { class: 'error', role: 'alert', hidden: true });
  private readonly hint = element('p', { class: 'hint', role: 'status' });
  /** For ears only: eyes see it on the button. */
  private readonly said = element('span', { class: 'spoken', role: 'status' });
  private state: PanelState | undefined;
  private readonly known = new Map<number, PanelResult>();
  private chosen: number | undefined;
  /** Where the dial of the chosen result stands; it moves before the extension knows. */
  private severity = 0;
  /** The finished result that the dial was last set up for. */
  private dialOf: number | undefined;
  /** Typed before the window was reloaded. */
  private kept: RestoreWish | undefined;
  /** How the pair was looked at before the page was built anew. */
  private keptLook: Look | undefined;

  constructor(
    private readonly api: VsCodeApi<PanelToExtension>,
    nonce: string | undefined,
  ) {
    const loadFrame = (file: string): Promise<string | undefined> =>
      this.requests.ask((requestId) => api.postMessage({ type: 'frame', requestId, file }));
    this.controls = new Controls({
      onRun: (wish) => api.postMessage({ type: 'run', wish }),
      onCancel: () => api.postMessage({ type: 'cancel' }),
      onDescribe: (wish) => api.postMessage({ type: 'describe', wish }),
      onEdit: (wish) => this.remember(wish),
    });
    this.results = new ResultsBar({
      onChoose: (id) => {
        this.choose(id);
        api.postMessage({ type: 'show', result: id });
      },
      onForget: (id) => api.postMessage({ type: 'forget', result: id }),
    });
    this.pair = new BeforeAfter(loadFrame, () => this.remember(this.controls.wish));
    this.dial = new Dial({ onTurn: (severity) => this.turn(severity), onRest: (severity) => this.rest(severity) });
    this.save = createButton(labels.saveAs, 'secondary', () => this.post('save'));
    this.copy = createButton(labels.copy, 'secondary', () => void this.copyShown());
    this.copy.element.classList.add('copy');
    this.notebook = createButton(labels.openAsNotebook, 'secondary', () => {
      this.showError('');
      if (this.chosen !== undefined) api.postMessage({ type: 'open-as-notebook', result: this.chosen });
    });
    this.look = element(
      'div',
      { class: 'look', hidden: true },
      element(
        'div',
        { class: 'dial-row' },
        this.dial.element,
        element(
          'div',
          { class: 'actions' },
          this.comparison,
          element('div', { class: 'exports' }, this.save.element, this.copy.element, this.notebook.element),
        ),
      ),
      this.pair.element,
    );
    this.strips = new ResultStrips(
      {
        loadFrame,
        onSave: (result, severity) => {
          this.showError('');
          api.postMessage({ type: 'save', result, severity });
        },
        onSaveMade: (dataUrl, suggestedName) => api.postMessage({ type: 'save-made', dataUrl, suggestedName }),
      },
      nonce,
    );
    this.element = element(
      'main',
      {},
      this.controls.element,
      this.error,
      this.hint,
      this.results.element,
      this.look,
      this.strips.element,
      this.said,
    );
    const kept = api.getState();
    this.kept = isObject(kept) && isRestoreWish(kept.wish) ? kept.wish : undefined;
    this.keptLook = isObject(kept) && isLook(kept.look) ? kept.look : undefined;
  }

  receive(message: unknown): void {
    if (isExtensionToPanel(message)) this.handle(message);
  }

  private handle(message: ExtensionToPanel): void {
    switch (message.type) {
      case 'state': {
        this.showError('');
        this.showState(message);
        return;
      }
      case 'result':
        this.known.set(message.result.id, message.result);
        this.showResults();
        return;
      case 'progress':
        this.controls.setProgress(message.share, message.activity);
        return;
      case 'strength':
        this.settleStrength(message);
        return;
      case 'frame':
        this.requests.settle(message.requestId, message.dataUrl);
        return;
      case 'error':
        this.showError(message.message);
        return;
    }
  }

  private showState(state: PanelState): void {
    const before = this.state;
    this.state = state;
    // What was typed before a reload stands again in the fields; what the extension says later is newer.
    const { kept } = this;
    this.controls.update(state);
    if (before === undefined && kept !== undefined) this.controls.update({ ...state, wish: kept });
    this.kept = undefined;
    for (const id of this.known.keys()) if (!state.results.includes(id)) this.known.delete(id);
    const moved = before?.shown !== state.shown || !state.results.includes(this.chosen ?? -1);
    if (moved) this.chosen = state.shown ?? state.results.at(-1);
    this.remember(this.controls.wish);
    this.showResults(moved);
  }

  private get ordered(): PanelResult[] {
    return [...this.known.values()].sort((a, b) => a.id - b.id);
  }

  private get current(): PanelResult | undefined {
    return this.known.get(this.chosen ?? -1);
  }

  private showResults(moved = false): void {
    const { state, ordered, current } = this;
    this.results.update(ordered, this.chosen);
    this.strips.update(ordered);
    this.hint.hidden = ordered.length > 0 || state === undefined;
    if (state !== undefined) {
      setText(this.hint, state.running ? labels.starting(state.input.name) : labels.nothing(state.input.name));
    }
    const frames = current === undefined ? [] : orderedFrames(current.view);
    this.look.hidden = frames.length === 0;
    if (current === undefined || frames.length === 0) return;
    const done = current.view.state.kind === 'done';
    // While it works the newest frame is shown; afterwards the dial stays where it was put.
    if (!done || moved || this.dialOf !== current.id) this.severity = severityOfResult(current);
    this.dialOf = done ? current.id : undefined;
    this.dial.show(
      this.severity,
      frames.map(({ severity }) => severity),
      current.continuous,
    );
    this.dial.setEnabled(done);
    for (const button of [this.save, this.notebook]) button.setEnabled(done);
    this.showChoices();
    this.pair.keepOnly(new Set([...frames.map(({ file }) => file), current.strength?.file ?? '']));
    this.showPair();
  }

  private choose(id: number): void {
    this.chosen = id;
    this.showResults(true);
  }

  private showChoices(): void {
    const others = this.ordered.filter(({ id, view }) => id !== this.chosen && orderedFrames(view).length > 0);
    const options = others.map((result) => [String(result.id), this.nameOf(result, severityOfResult(result))] as const);
    const value = options.some(([id]) => id === this.against.value) ? this.against.value : INPUT;
    this.against.set([[INPUT, labels.input], ...options], value);
    this.comparison.hidden = options.length === 0;
  }

  private nameOf({ id, wish }: PanelResult, severity: number): string {
    const number = this.known.size > 1 ? id : undefined;
    return labels.resultName(number, labels.tasks[wish.task], percentOf(severity));
  }

  private showPair(): void {
    const { current } = this;
    const [first] = current === undefined ? [] : orderedFrames(current.view);
    if (current === undefined || first === undefined) return;
    const { pictures, between } = blendAt(current, this.severity);
    const other = this.known.get(Number(this.against.value));
    const left =
      other === undefined
        ? { ...shownFrame(current.view, first), name: labels.input }
        : {
            ...(blendAt(other, severityOfResult(other)).pictures.at(-1) ?? shownFrame(current.view, first)),
            name: this.nameOf(other, severityOfResult(other)),
          };
    this.pair.show({
      size: { width: first.width, height: first.height },
      left,
      right: pictures,
      rightName: this.nameOf(current, this.severity),
    });
    const { keptLook } = this;
    this.keptLook = undefined;
    if (keptLook !== undefined) this.pair.lookAs(keptLook);
    this.dial.setNote(between === undefined ? '' : labels.blended(...between));
    this.copy.setEnabled(between === undefined);
  }

  private turn(severity: number): void {
    this.severity = severity;
    const { current } = this;
    if (current === undefined) return;
    // The frames that the dial will pass; what it shows first must not wait for them.
    this.pair.prepare(orderedFrames(current.view).map((frame) => shownFrame(current.view, frame)));
    this.showPair();
  }

  private rest(severity: number): void {
    this.severity = severity;
    this.post('strength');
  }

  private settleStrength({ result: id, severity, strength }: Extract<ExtensionToPanel, { type: 'strength' }>): void {
    const result = this.known.get(id);
    if (result === undefined) return;
    if (strength !== undefined) this.known.set(id, { ...result, strength });
    // The dial may have moved on.
    if (id !== this.chosen || severity !== this.severity) return;
    this.showPair();
    this.showChoices();
    if (strength === undefined) this.dial.setNote(labels.notMade);
  }

  private post(type: 'save' | 'strength'): void {
    // What went wrong before is not what is being done now.
    this.showError('');
    if (this.chosen !== undefined) this.api.postMessage({ type, result: this.chosen, severity: this.severity });
  }

  private async copyShown(): Promise<void> {
    this.showError('');
    const { current } = this;
    const top = current === undefined ? undefined : blendAt(current, this.severity).pictures.at(-1);
    if (top === undefined) return;
    const full = await this.pair.full(top.file);
    if (full === undefined || !(await copyPicture(full))) {
      this.showError(labels.notCopied);
      return;
    }
    this.copy.setText(labels.copied);
    setText(this.said, labels.copiedSpoken);
    setTimeout(() => {
      this.copy.setText(labels.copy);
      setText(this.said, '');
    }, 2_000);
  }

  /**
   * Keeps what a page that is built anew needs, after a reload of the window or behind another tab: the name of the panel, what was
   * typed, and how the pair is looked at. Everything else comes again.
   */
  private remember(wish: RestoreWish): void {
    this.api.setState({ id: this.state?.id, wish, look: this.keptLook ?? this.pair.look });
  }

  private showError(message: string): void {
    setText(this.error, message);
    this.error.hidden = message === '';
  }
}

function percentOf(severity: number): number {
  return Math.round(100 * (1 - severity));
}
