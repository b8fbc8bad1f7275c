import path from 'node:path';
import {
  RUN_SCHEMA,
  RestorationError,
  protocolOf,
  severityOf,
  type FrameRecord,
  type RunRecord,
  type RunView,
  type StripRequest,
} from '../../protocol';
import { throwIfCancelled } from '../compact/compact-model';
import { decodePicture, type DecodedPicture } from '../image/decode';
import { encodePng } from '../image/encode';
import { storeByContent } from '../image/files';
import { chooseRegion } from '../../measure';
import { bestFrames } from '../report/record';
import type { RunEvents } from './events';
import { FrameGauge } from './frame-gauge';
import type { ModelPool } from './model-pool';
import { framePicture, referencePicture } from './pictures';
import { Stopwatch } from './stopwatch';
import { versions } from './versions';

/** Id in the record of frames that were not made here. */
const EXTERNAL = 'external';

/**
 * The strip of frames that already exist, from whatever method: measured and shown like a run of our own.
 *
 * @throws RestorationError for fewer than two frames, unreadable ones, or frames of different sizes
 */
export async function assembleStrip(
  request: StripRequest,
  pool: ModelPool,
  events: RunEvents,
  signal: AbortSignal,
): Promise<RunView> {
  const watch = new Stopwatch<'decode' | 'metrics' | 'encode'>();
  const count = request.frames.length;
  if (count < 2) {
    throw new RestorationError('bad-argument', `A strip needs at least two frames; got ${count}.`, 'Name more frames.');
  }
  const decoded: DecodedPicture[] = [];
  for (const [i, file] of request.frames.entries()) {
    events.onProgress('decode', i, count);
    const picture = await watch.time('decode', () => decodePicture(file));
    const first = decoded[0]?.pixels ?? picture.pixels;
    if (picture.pixels.width !== first.width || picture.pixels.height !== first.height) {
      throw new RestorationError(
        'size-mismatch',
        `${path.basename(file)} has ${picture.pixels.width}x${picture.pixels.height} pixels; the first frame has ${first.width}x${first.height}.`,
        'Give frames of one size.',
      );
    }
    decoded.push(picture);
    throwIfCancelled(signal);
  }
  const first = decoded[0] as DecodedPicture;
  const last = decoded[count - 1] as DecodedPicture;
  const reference =
    request.reference === undefined
      ? undefined
      : await watch.time('decode', () => decodePicture(request.reference as string));
  const gauge = await watch.time('metrics', () =>
    reference
      ? FrameGauge.against(
          reference.pixels,
          first.pixels,
          {
            task: request.task,
            protocol: request.protocol ?? protocolOf(request.task),
            scale: request.scale,
            ...(request.metrics ? { metrics: request.metrics } : {}),
          },
          () => pool.perceptual(),
        )
      : FrameGauge.unreferenced(),
  );
  const region = request.region ?? chooseRegion(first.pixels, last.pixels);
  const frames: FrameRecord[] = [];
  const pictures: RunView['pictures'] = [];
  for (const [i, { pixels }] of decoded.entries()) {
    events.onProgress('metrics', i, count);
    const metrics = await watch.time('metrics', () => gauge.measure(pixels));
    const file = await watch.time('encode', async () =>
      storeByContent(request.framesFolder, await encodePng(pixels), 'png'),
    );
    const picture = await watch.time('encode', () => framePicture(i + 1, pixels, region));
    const record: FrameRecord = {
      index: i + 1,
      severity: severityOf(i + 1, count),
      file,
      width: pixels.width,
      height: pixels.height,
      ...metrics,
    };
    frames.push(record);
    pictures.push(picture);
    events.onFrame(record, picture);
    throwIfCancelled(signal);
  }
  const best = bestFrames(frames);
  const warnings = [...decoded.flatMap(({ notes }) => notes), ...(reference?.notes ?? []), ...gauge.warnings];
  const record: RunRecord = {
    schema: RUN_SCHEMA,
    task: request.task,
    taskSource: 'user',
    prompt: { text: request.prompt ?? '', source: 'user' },
    model: { id: request.model ?? EXTERNAL, sha256: '' },
    device: { requested: 'cpu', used: 'cpu' },
    input: {
      file: path.basename(request.frames[0] as string),
      sha256: first.sha256,
      width: first.pixels.width,
      height: first.pixels.height,
    },
    ...(reference ? { reference: { file: path.basename(request.reference as string), sha256: reference.sha256 } } : {}),
    ...(gauge.protocol ? { protocol: gauge.protocol } : {}),
    region,
    frames,
    ...(best ? { best } : {}),
    seconds: {
      decode: watch.seconds('decode'),
      network: 0,
      metrics: watch.seconds('metrics'),
      encode: watch.seconds('encode'),
      total: watch.total(),
    },
    versions: versions(),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
  return {
    record,
    state: { kind: 'done' },
    pictures,
    ...(reference ? { reference: await referencePicture(reference.pixels, region, request.framesFolder) } : {}),
    framesFolder: path.basename(request.framesFolder),
  };
}
