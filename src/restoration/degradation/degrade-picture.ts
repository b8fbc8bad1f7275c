import path from 'node:path';
import type { DegradedFrame, DegradeRequest, DegradeResult } from '../../protocol';
import { decodePicture } from '../image/decode';
import { encodePng } from '../image/encode';
import { storeByContent } from '../image/files';
import type { RunEvents } from '../run/events';
import { drawDegradation } from './draw';
import { alongPath } from './paths';
import { pauseOf } from './pause';
import { Draws } from './random';
import { shrink } from './resolution';

/** `floor` of the path between a real pair: black pixels would otherwise stay black until the last frame. */
export const PAIR_FLOOR = 5e-4;

/**
 * Degrades one picture file; frames are stored as PNG under their own hash.
 *
 * @throws RestorationError as `decodePicture` and `alongPath`, `unwritable`, `cancelled`
 */
export async function degradePicture(
  request: DegradeRequest,
  events: Pick<RunEvents, 'onProgress'>,
  signal: AbortSignal,
): Promise<DegradeResult> {
  const { severities, task } = request;
  const total = severities.length + 1;
  events.onProgress('decode', 0, total);
  const { pixels, sha256, notes } = await decodePicture(request.input);
  const partner = request.partner === undefined ? undefined : (await decodePicture(request.partner)).pixels;
  const degradation =
    request.degradation ??
    (partner
      ? { task: 'low-light' as const, light: { kind: 'pair' as const, floor: PAIR_FLOOR } }
      : drawDegradation(task, new Draws(request.seed, 0), pixels, request.wishes));
  const frames: DegradedFrame[] = [];
  const store = async (picture: typeof pixels, severity: number): Promise<void> => {
    const file = await storeByContent(request.framesFolder, await encodePng(picture), 'png');
    frames.push({ severity, file, width: picture.width, height: picture.height });
    events.onProgress('encode', frames.length, total);
  };
  const pause = pauseOf(signal);
  if (request.form === 'small' && degradation.task === 'super-resolution') {
    for (const severity of severities) {
      await pause();
      await store(shrink(pixels, degradation.scale ** severity), severity);
    }
  } else {
    for await (const picture of alongPath(pixels, degradation, severities, { partner, pause })) {
      await store(picture, severities[frames.length]!);
    }
  }
  return {
    degradation,
    input: { file: path.basename(request.input), sha256, width: pixels.width, height: pixels.height },
    frames,
    notes,
  };
}
