import type { PanelResult } from '../../src/protocol';
import { copyText } from '../strip/clipboard';
import { element } from '../strip/dom';
import type { LoadFrame } from '../strip/full-frames';
import { createStrip, type Strip } from '../strip/strip';

/** The strips of all results, one below the other. They show the same region: every run after the first is asked for it. */
export class ResultStrips {
  readonly element = element('div', { class: 'strips' });
  private readonly strips = new Map<number, { strip: Strip; container: HTMLElement; view: unknown }>();

  constructor(
    private readonly loadFrame: LoadFrame,
    private readonly nonce: string | undefined,
  ) {}

  update(results: readonly PanelResult[]): void {
    const ids = new Set(results.map(({ id }) => id));
    for (const [id, { strip, container }] of this.strips) {
      if (ids.has(id)) continue;
      strip.dispose();
      container.remove();
      this.strips.delete(id);
    }
    for (const { id, view } of results) {
      const known = this.strips.get(id) ?? this.add(id);
      if (known.view === view) continue;
      known.view = view;
      known.strip.update(view);
    }
  }

  private add(id: number): { strip: Strip; container: HTMLElement; view: unknown } {
    const container = element('div', { 'data-result': id });
    this.element.append(container);
    const strip = createStrip(container, { nonce: this.nonce, loadFrame: this.loadFrame, onCopy: copyText });
    const made = { strip, container, view: undefined };
    this.strips.set(id, made);
    return made;
  }
}
