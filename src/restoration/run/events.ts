import type { FramePicture, FrameRecord, Stage } from '../../protocol';

/** What a run tells while it works. */
export interface RunEvents {
  onProgress(stage: Stage, done: number, total: number, secondsLeft?: number): void;
  onFrame(record: FrameRecord, picture: FramePicture | undefined): void;
}
