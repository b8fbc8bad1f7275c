import { isFrameFile, isFullFrameDataUrl } from '../../src/protocol';

export type LoadFrame = (file: string) => Promise<string | undefined>;

/** Frames kept in memory: a walk there and back over nine frames asks for each once. */
const KEPT = 12;

/** Full frames by file name, asked once each. Names that no frames folder can hold are never asked. */
export class FullFrames {
  private readonly asked = new Map<string, Promise<string | undefined>>();

  constructor(private readonly load: LoadFrame | undefined) {}

  get(file: string): Promise<string | undefined> {
    const { load } = this;
    if (load === undefined || !isFrameFile(file)) return Promise.resolve(undefined);
    const known = this.asked.get(file);
    if (known !== undefined) {
      this.asked.delete(file);
      this.asked.set(file, known);
      return known;
    }
    const answer = load(file).then(
      (dataUrl) => (isFullFrameDataUrl(dataUrl) ? dataUrl : undefined),
      () => undefined,
    );
    this.asked.set(file, answer);
    // A frame that is gone may come back (the folder was moved): it is asked again the next time.
    void answer.then((dataUrl) => dataUrl === undefined && this.asked.delete(file));
    const oldest = this.asked.keys().next();
    if (this.asked.size > KEPT && oldest.done !== true) this.asked.delete(oldest.value);
    return answer;
  }
}
