import type { FrameRecord, PanelResult, RunView } from '../../src/protocol';
import { shownFrame, type Pair } from './before-after';

/** A severity is that of a frame when it differs by less than this; a dial has steps of a hundredth. */
const SAME_SEVERITY = 0.005;

/** What stands for a severity until its own frame is there. */
export interface Blend {
  pictures: Pair['right'];
  /** Indices (1-based) of the two frames that it lies between; absent when it is one of the frames, or has its own. */
  between?: [number, number];
}

/** Frames that are there, from as it came to restored. */
export function orderedFrames({ record }: RunView): FrameRecord[] {
  return record.frames.filter((frame) => frame.file !== '').sort((a, b) => b.severity - a.severity);
}

/** The severity that a result is looked at: where its dial rests, else that of its last frame. */
export function severityOfResult({ strength, view }: PanelResult): number {
  return strength?.severity ?? orderedFrames(view).at(-1)?.severity ?? 0;
}

/** The picture of a result at `severity`: its own frame, or the two frames beside it, one shining through the other. */
export function blendAt(result: PanelResult, severity: number): Blend {
  const { view, strength } = result;
  const frames = orderedFrames(view);
  const own = frames.find((frame) => Math.abs(frame.severity - severity) < SAME_SEVERITY);
  if (own !== undefined) return { pictures: [{ ...shownFrame(view, own), opacity: 1 }] };
  const above = frames.findIndex((frame) => frame.severity < severity);
  const upper = frames[above === -1 ? frames.length - 1 : above];
  const lower = frames[above - 1];
  if (upper === undefined) return { pictures: [] };
  if (strength !== undefined && Math.abs(strength.severity - severity) < SAME_SEVERITY) {
    return { pictures: [{ file: strength.file, preview: shownFrame(view, upper).preview, opacity: 1 }] };
  }
  if (lower === undefined) return { pictures: [{ ...shownFrame(view, upper), opacity: 1 }] };
  const share = (lower.severity - severity) / (lower.severity - upper.severity);
  return {
    pictures: [
      { ...shownFrame(view, lower), opacity: 1 },
      { ...shownFrame(view, upper), opacity: share },
    ],
    between: [lower.index, upper.index],
  };
}
