import { isFrameFile, isFullFrameDataUrl } from '../../src/protocol';

export type LoadFrame = (file: string) => Promise<string | undefined>;

/** Frames kept in memory, by the length of their data URLs: nine of ten megapixels each. */
const KEPT_LENGTH = 256 * 1024 * 1024;

/** Full frames by file name, asked once each. Names that no frames folder can hold are never asked. */
export class FullFrames {
  private readonly asked = new Map<string, Promise<string | undefined>>();
  private readonly lengths = new Map<string, number>();

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
    void answer.then((dataUrl) => {
      // A frame that is gone may come back (the folder was moved): it is asked again the next time.
      if (dataUrl === undefined) this.asked.delete(file);
      else this.lengths.set(file, dataUrl.length);
      this.forgetOldest();
    });
    return answer;
  }

  private forgetOldest(): void {
    let total = [...this.lengths.values()].reduce((sum, length) => sum + length, 0);
    for (const file of this.asked.keys()) {
      if (total <= KEPT_LENGTH || this.asked.size === 1) return;
      total -= this.lengths.get(file) ?? 0;
      this.asked.delete(file);
      this.lengths.delete(file);
    }
  }
}
