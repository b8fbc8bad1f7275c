import path from 'node:path';
import {
  RUN_SCHEMA,
  RUN_MIME,
  type DisplayHost,
  type FramePicture,
  type FrameRecord,
  type RestoreRequest,
  type RunStart,
  type RunView,
  type Stage,
} from '../protocol';
import { mimeBundle } from '../restoration/report/mime';
import { packed } from './packed';

/** A notebook output is redrawn at most this often. */
const UPDATE_MILLISECONDS = 250;

/** Shows a run under its cell while it works; frames appear as they are finished. */
export class LiveView {
  private start: RunStart | undefined;
  private readonly frames: FrameRecord[] = [];
  private readonly pictures: FramePicture[] = [];
  private progress: { stage: Stage; done: number; total: number; secondsLeft?: number } = {
    stage: 'queued',
    done: 0,
    total: 1,
  };
  private timer: NodeJS.Timeout | undefined;
  private shown = false;

  constructor(
    private readonly host: DisplayHost,
    private readonly displayId: string,
    private readonly request: RestoreRequest,
    private readonly name: string,
  ) {}

  onStart(start: RunStart): void {
    this.start = start;
  }

  onProgress(progress: { stage: Stage; done: number; total: number; secondsLeft?: number }): void {
    this.progress = progress;
    this.schedule();
  }

  onFrame(frame: { record: FrameRecord; picture?: FramePicture }): void {
    // A diffusion model shows estimates of its frames before they are finished.
    replace(this.frames, frame.record);
    if (frame.picture) replace(this.pictures, frame.picture);
    this.schedule();
  }

  /** Stops updating. What was shown becomes the finished run, which stays there if the cell does not end with it. */
  async finish(view: RunView): Promise<void> {
    this.stop();
    if (this.shown) this.host.show(this.displayId, mimeBundle(await packed(view)));
  }

  /** Stops updating; when something was shown, its last state says why it ended. */
  fail(failure: { interrupted: boolean; message: string }): void {
    this.stop();
    if (!this.shown) return;
    this.show(failure.interrupted ? { kind: 'interrupted' } : { kind: 'failed', message: failure.message });
  }

  /** Stops updating, for a caller that shows the end itself. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private schedule(): void {
    // Nothing can be drawn before the first frame is there: its size is the strip's.
    if (this.timer || this.frames.length === 0) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.show({ kind: 'running', ...this.progress, frames: this.request.frames });
      },
      this.shown ? UPDATE_MILLISECONDS : 0,
    );
  }

  private show(state: RunView['state']): void {
    const [first] = this.frames;
    if (!first || !this.start) return;
    this.shown = true;
    const { framesFolder } = this.request;
    const view: RunView = {
      record: {
        schema: RUN_SCHEMA,
        ...this.start,
        input: { file: this.name, sha256: '', width: first.width, height: first.height },
        ...(this.request.reference === undefined ? {} : { reference: { file: '', sha256: '' } }),
        frames: this.frames,
        seconds: { decode: 0, network: 0, metrics: 0, encode: 0, total: 0 },
        versions: {},
      },
      state,
      pictures: this.pictures,
      // Frames are written before they are told of: they can be opened while the rest is made, and after an interruption.
      ...(framesFolder === undefined ? {} : { framesFolder: path.basename(framesFolder) }),
    };
    this.host.show(this.displayId, { [RUN_MIME]: view, 'text/plain': describe(this.name, state) });
  }
}

function replace<T extends { index: number }>(list: T[], item: T): void {
  const at = list.findIndex(({ index }) => index === item.index);
  if (at < 0) list.push(item);
  else list[at] = item;
}

function describe(name: string, state: RunView['state']): string {
  switch (state.kind) {
    case 'running':
      return `Restoring ${name} ...`;
    case 'interrupted':
      return `Restoring ${name} was interrupted.`;
    case 'failed':
      return `Restoring ${name} failed: ${state.message}`;
    case 'done':
      return name;
  }
}
