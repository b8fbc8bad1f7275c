import path from 'node:path';
import { RestorationError, severityOf, type SampleRequest, type SampleResult } from '../../protocol';
import { decodePicture } from '../image/decode';
import { encodePng } from '../image/encode';
import { writeFileAtomically } from '../image/files';
import type { Pixels } from '../image/pixels';
import type { RunEvents } from '../run/events';
import { encodeClip } from './clip';
import { applyCrop, drawCrop } from './crop';
import { PAIR_FLOOR } from './degrade-picture';
import { drawDegradation } from './draw';
import { alongPath } from './paths';
import { pauseOf } from './pause';
import { Draws } from './random';

/** Name of a sample's clip in its folder. */
export const CLIP_FILE = 'clip.mp4';

/** Name of frame `index` (1-based): as many digits as the longest clip needs. */
export function frameFile(index: number): string {
  return `${String(index).padStart(3, '0')}.png`;
}

/**
 * Makes one sample of a progression data set: a part of a picture, degraded, and the way back in equal steps of severity,
 * the degraded frame first. Everything follows from the picture, the seed and the number of the sample.
 *
 * @throws RestorationError as `decodePicture`, `drawCrop` and `alongPath`, `unwritable`, `cancelled`
 */
export async function makeSample(
  request: SampleRequest,
  events: Pick<RunEvents, 'onProgress'>,
  signal: AbortSignal,
): Promise<SampleResult> {
  const total = request.frames + (request.clip ? 2 : 1);
  events.onProgress('decode', 0, total);
  const { pixels, sha256 } = await decodePicture(request.input);
  const partner = request.partner === undefined ? undefined : (await decodePicture(request.partner)).pixels;
  if (partner && (partner.width !== pixels.width || partner.height !== pixels.height)) {
    throw new RestorationError(
      'size-mismatch',
      `The clean picture has ${pixels.width}x${pixels.height} pixels and the degraded one ${partner.width}x${partner.height}.`,
      'Pair pictures of the same size.',
    );
  }
  const draws = new Draws(request.seed, request.stream);
  const crop = drawCrop(draws, pixels, request.size);
  const x = applyCrop(pixels, crop);
  const { whole } = crop;
  const degradation = partner
    ? { task: 'low-light' as const, light: { kind: 'pair' as const, floor: PAIR_FLOOR } }
    : drawDegradation(
        request.task,
        draws,
        {
          ...request.size,
          centre: [whole.width / 2 - crop.x, whole.height / 2 - crop.y],
          focal: Math.max(whole.width, whole.height),
        },
        request.wishes,
        'mixed',
      );
  const severities = Array.from({ length: request.frames }, (_, i) => severityOf(i + 1, request.frames));
  const options = { pause: pauseOf(signal), ...(partner ? { partner: applyCrop(partner, crop) } : {}) };
  const clip: Pixels[] = [];
  const frames: SampleResult['frames'] = [];
  for await (const frame of alongPath(x, degradation, severities, options)) {
    const file = frameFile(frames.length + 1);
    await writeFileAtomically(path.join(request.folder, file), await encodePng(frame));
    frames.push({ severity: severities[frames.length]!, file });
    if (request.clip) clip.push(frame);
    events.onProgress('encode', frames.length, total);
  }
  if (request.clip) {
    const bytes = await encodeClip(clip, x.width, x.height);
    await writeFileAtomically(path.join(request.folder, CLIP_FILE), bytes);
  }
  const source = { sha256, width: pixels.width, height: pixels.height };
  return { source, crop, degradation, frames, ...(request.clip ? { clip: CLIP_FILE } : {}) };
}
