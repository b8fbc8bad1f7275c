import { isMadeFile, type FrameRecord, type PanelResult, type RunView } from '../../src/protocol';
import { copyPicture, copyText } from '../strip/clipboard';
import { element } from '../strip/dom';
import type { LoadFrame } from '../strip/full-frames';
import { createStrip, type Strip } from '../strip/strip';
import { PANEL_LABELS as labels } from './labels';

export interface ResultStripsEvents {
  loadFrame: LoadFrame;
  onSave(result: number, severity: number): void;
  onSaveMade(dataUrl: string, suggestedName: string): void;
}

/** Results whose frames are of one size, in one strip: a row each, the same region, curves over each other. */
interface Group {
  strip: Strip;
  container: HTMLElement;
  /** What was shown last, by result. */
  views: Map<number, RunView>;
  results: readonly PanelResult[];
}

/** All results of a panel. Those of another size (an enlarged picture) have no region in common with the rest: a strip of their own. */
export class ResultStrips {
  readonly element = element('div', { class: 'strips' });
  private readonly groups = new Map<string, Group>();

  constructor(
    private readonly events: ResultStripsEvents,
    private readonly nonce: string | undefined,
  ) {}

  update(results: readonly PanelResult[]): void {
    const bySize = new Map<string, PanelResult[]>();
    for (const result of results) bySize.set(sizeOf(result), [...(bySize.get(sizeOf(result)) ?? []), result]);
    for (const [size, { strip, container }] of this.groups) {
      if (bySize.has(size)) continue;
      strip.dispose();
      container.remove();
      this.groups.delete(size);
    }
    for (const [size, members] of bySize) {
      const group = this.groups.get(size) ?? this.add(size);
      const changed =
        members.length !== group.views.size || members.some(({ id, view }) => group.views.get(id) !== view);
      if (!changed) continue;
      group.views = new Map(members.map(({ id, view }) => [id, view]));
      group.results = members;
      const [first, ...others] = members.length === 1 ? members.map(({ view }) => view) : members.map(labelled);
      if (first !== undefined) group.strip.update({ ...first, ...(others.length > 0 ? { others } : {}) });
    }
  }

  private add(size: string): Group {
    const container = element('div', { 'data-size': size });
    this.element.append(container);
    const strip = createStrip(container, {
      nonce: this.nonce,
      loadFrame: this.events.loadFrame,
      onCopy: copyText,
      onCopyPicture: copyPicture,
      onSave: (frame, run) => this.save(size, frame, run),
      onSaveMade: (dataUrl, suggestedName) => {
        if (isMadeFile(dataUrl)) this.events.onSaveMade(dataUrl, suggestedName);
      },
    });
    const group: Group = { strip, container, views: new Map(), results: [] };
    this.groups.set(size, group);
    return group;
  }

  /** A frame of a strip is saved like any other strength: at full size with everything of its source. */
  private save(size: string, frame: FrameRecord, run: RunView): void {
    const result = this.groups.get(size)?.results.find(({ view }) => view.record === run.record);
    if (result !== undefined) this.events.onSave(result.id, frame.severity);
  }
}

function sizeOf({ view }: PanelResult): string {
  const { width, height } = view.record.frames.at(-1) ?? view.record.input;
  return `${width}x${height}`;
}

function labelled({ id, wish, view }: PanelResult): RunView {
  return { ...view, label: `${id} · ${labels.tasks[wish.task]}` };
}
