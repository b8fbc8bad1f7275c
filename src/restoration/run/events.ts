import type { FramePicture, FrameRecord, RunStart, Stage } from '../../protocol';

/** What a run tells while it works. */
export interface RunEvents {
  /** What was decided, before the first frame. */
  onStart(start: RunStart): void;
  onProgress(stage: Stage, done: number, total: number, secondsLeft?: number): void;
  onFrame(record: FrameRecord, picture: FramePicture | undefined): void;
}
