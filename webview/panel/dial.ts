import { element, setAttributes, setText } from '../strip/dom';
import { PANEL_LABELS as labels } from './labels';

export interface DialEvents {
  /** The dial moves. */
  onTurn(severity: number): void;
  /** The dial has come to rest. */
  onRest(severity: number): void;
}

/** After this many milliseconds without a movement the dial is at rest. */
const REST = 250;

/** How far the picture is restored: from as it came to fully restored. */
export class Dial {
  readonly element: HTMLElement;
  private readonly range = element('input', {
    type: 'range',
    min: 0,
    max: 100,
    step: 1,
    'aria-label': labels.strength,
    list: 'frames',
  });
  private readonly marks = element('datalist', { id: 'frames' });
  private readonly output = element('output', { class: 'strength-value' });
  private readonly note = element('span', { class: 'strength-note', role: 'status' });
  private stops: readonly number[] = [];
  private continuous = true;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The severity that was last told to be at rest. */
  private rested: number | undefined;

  constructor(private readonly events: DialEvents) {
    this.element = element(
      'div',
      { class: 'dial' },
      element('span', { class: 'dial-name', 'aria-hidden': 'true' }, labels.strength),
      element(
        'div',
        { class: 'dial-range' },
        element('span', { class: 'muted', 'aria-hidden': 'true' }, labels.asItCame),
        this.range,
        element('span', { class: 'muted', 'aria-hidden': 'true' }, labels.restored),
      ),
      this.output,
      this.note,
      this.marks,
    );
    this.range.addEventListener('input', () => this.turned());
    this.range.addEventListener('change', () => this.rest());
  }

  /** 1 = as it came, 0 = fully restored. */
  get severity(): number {
    return 1 - Number(this.range.value) / 100;
  }

  /** Shows a strength; `severities` are those of the frames, where a dial that is not continuous stops. */
  show(severity: number, severities: readonly number[], continuous: boolean): void {
    this.stops = severities;
    this.continuous = continuous;
    const key = severities.join();
    if (this.marks.dataset.key !== key) {
      this.marks.dataset.key = key;
      this.marks.replaceChildren(...severities.map((stop) => element('option', { value: String(percentOf(stop)) })));
    }
    this.put(severity);
    this.rested = this.severity;
  }

  setEnabled(enabled: boolean): void {
    this.range.disabled = !enabled;
  }

  setNote(text: string): void {
    setText(this.note, text);
  }

  private put(severity: number): void {
    const percent = percentOf(severity);
    this.range.value = String(percent);
    this.range.style.setProperty('--part', `${percent}%`);
    setText(this.output, labels.strengthValue(Math.round(percent)));
    setAttributes(this.range, { 'aria-valuetext': labels.strengthSpoken(Math.round(percent)) });
  }

  private turned(): void {
    this.put(this.continuous ? this.severity : this.nearestStop());
    this.events.onTurn(this.severity);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), REST);
  }

  private nearestStop(): number {
    const { severity } = this;
    return this.stops.reduce((best, stop) => (Math.abs(stop - severity) < Math.abs(best - severity) ? stop : best), 0);
  }

  private rest(): void {
    clearTimeout(this.timer);
    const { severity } = this;
    if (severity === this.rested) return;
    this.rested = severity;
    this.events.onRest(severity);
  }
}

function percentOf(severity: number): number {
  return Math.round(100 * (1 - severity));
}
