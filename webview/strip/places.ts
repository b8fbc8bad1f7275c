import { DEFAULT_FRAMES, type FramePicture, type FrameRecord, type RunView } from '../../src/protocol';

/** One column of the strip: a frame, or the place where one will stand. */
export interface Place {
  /** 1-based number of the frame, as in the record. */
  index: number;
  frame?: FrameRecord;
  picture?: FramePicture;
  role: 'input' | 'between' | 'restored';
}

/** The columns in order. A running strip keeps places free for frames that have not arrived, so that nothing moves later. */
export function placesOf(view: RunView): Place[] {
  const frames = new Map(view.record.frames.map((frame) => [frame.index, frame]));
  const pictures = new Map(view.pictures.map((picture) => [picture.index, picture]));
  const running = view.state.kind === 'running';
  const expected = view.state.kind === 'running' ? (view.state.frames ?? DEFAULT_FRAMES) : 0;
  const indices = new Set(frames.keys());
  for (let index = 1; index <= expected; index++) indices.add(index);
  const sorted = [...indices].sort((a, b) => a - b);
  const done = view.state.kind === 'done' || running;
  return sorted.map((index, at) => ({
    index,
    frame: frames.get(index),
    picture: pictures.get(index),
    // The last frame of a run that broke off is not the restored one.
    role: at === 0 ? 'input' : at === sorted.length - 1 && done ? 'restored' : 'between',
  }));
}

/** The place of the last frame that is there. */
export function lastPlace(places: Place[]): number | undefined {
  for (let at = places.length - 1; at >= 0; at--) if (places[at]?.frame !== undefined) return at;
  return undefined;
}

/** The name of a frame in running text: "1 input", "5", "9 restored"; of a picture that is compared "1 kitchen.png". */
export function placeName(place: Place, words: { input: string; restored: string }): string {
  return [String(place.index), placeWord(place, words)].filter((part) => part !== '').join(' ');
}

/** What stands beside the number of a frame. */
export function placeWord({ role, frame }: Place, words: { input: string; restored: string }): string {
  if (frame?.name !== undefined) return frame.name;
  if (role === 'between') return '';
  return role === 'input' ? words.input : words.restored;
}

/** Whether a view shows pictures that are compared, each with its own name, and no restoration. */
export function isComparison({ record }: RunView): boolean {
  return record.frames.length > 0 && record.frames.every(({ name }) => name !== undefined);
}
