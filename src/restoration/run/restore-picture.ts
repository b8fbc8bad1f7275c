import path from 'node:path';
import {
  RUN_SCHEMA,
  RestorationError,
  protocolOf,
  severityOf,
  type FrameRecord,
  type PreviewRecord,
  type RestoreRequest,
  type RunRecord,
  type RunView,
} from '../../protocol';
import type { CogVideoXWork } from '../cogvideox/cogvideox-model';
import { throwIfCancelled, type TrajectoryWork } from '../compact/compact-model';
import { decodePicture } from '../image/decode';
import { cropDataUrl, cropFileDataUrl, storePng } from '../image/encode';
import { toEightBits, type AnyPixels, type Pixels } from '../image/pixels';
import { chooseRegion } from '../../measure';
import { bestFrames } from '../report/record';
import type { RunEvents } from './events';
import { FrameGauge } from './frame-gauge';
import type { ModelPool } from './model-pool';
import { framePicture, referencePicture } from './pictures';
import { prepareRun } from './prepare-run';
import { Stopwatch } from './stopwatch';
import { versions } from './versions';

/** Frames of a run that are kept for their crops until the region is known; larger ones are read again. */
const KEPT_FRAMES_BYTES = 128 * 1024 * 1024;

/**
 * One run: decode, restore frame by frame, measure and encode each frame as it is finished.
 *
 * Without a `framesFolder` nothing is encoded or written, and frames carry metrics only (evaluation).
 *
 * @throws RestorationError whatever went wrong, in one sentence with a remedy
 */
export async function restorePicture(
  request: RestoreRequest,
  pool: ModelPool,
  events: RunEvents,
  signal: AbortSignal,
): Promise<RunView> {
  const watch = new Stopwatch<'decode' | 'network' | 'metrics' | 'encode'>();
  events.onProgress('decode', 0, 1);
  const { source, model, choice, scale, picture, start, question } = await prepareRun(request, pool, watch, signal);
  const { task } = start;
  const reference =
    request.reference === undefined
      ? undefined
      : await watch.time('decode', () =>
          decodePicture(request.reference as string, { transparency: source.alpha ? 'apart' : 'white' }),
        );
  throwIfCancelled(signal);
  const gauge = await watch.time('metrics', () =>
    reference
      ? FrameGauge.against(
          reference.pixels,
          picture,
          { task, protocol: request.protocol ?? protocolOf(task), scale, metrics: request.metrics },
          () => pool.perceptual(),
        )
      : FrameGauge.unreferenced(),
  );

  const severities = request.severities ?? evenSeverities(model.frameCountFor?.(request.frames) ?? request.frames);
  const count = severities.length;
  // With a reference the region is known at once; without one, only when the last frame is there.
  let region = request.region ? inside(request.region, picture) : undefined;
  if (!region && reference) region = chooseRegion(toEightBits(picture), reference.pixels);
  events.onStart(start);

  const frames: FrameRecord[] = [];
  const pictures: RunView['pictures'] = [];
  /** Frames whose crop waits for the region: the last one in any case, all of them where they are small. */
  const waiting = new Map<number, Pixels>();
  const small = count * picture.data.length <= KEPT_FRAMES_BYTES;
  const started = performance.now();
  const notes: string[] = [];
  const trajectory = model.trajectory({
    ...question,
    severities,
    signal,
    onProgress: ({ done, total }) => {
      const elapsed = (performance.now() - started) / 1000;
      // A guess before the first tenth is done would be noise.
      const left = done * 10 >= total && done > 0 ? (elapsed / done) * (total - done) : undefined;
      events.onProgress('network', done, total, left === undefined ? undefined : Math.round(left * 10) / 10);
    },
  });
  let work: TrajectoryWork | CogVideoXWork | undefined;
  const previews: PreviewRecord[] = [];
  for (;;) {
    const next = await watch.time('network', () => trajectory.next());
    if (next.done) {
      work = next.value ?? undefined;
      break;
    }
    const { index, note, preview } = next.value;
    const pixels = toEightBits(next.value.pixels);
    if (preview) {
      if (request.framesFolder === undefined) continue;
      const { framesFolder: folder } = request;
      // Of an estimate of the clip its last frame is kept; the others are only shown, until they are replaced.
      const file = severities[index] === 0 ? await watch.time('encode', () => storePng(folder, pixels)) : '';
      if (file !== '') previews.push({ ...preview, file });
      const { width, height } = pixels;
      const shown = await watch.time('encode', () => framePicture(index + 1, pixels, region));
      events.onFrame({ index: index + 1, severity: severities[index] as number, file, width, height }, shown);
      continue;
    }
    if (note !== undefined) notes.push(note);
    const metrics = await watch.time('metrics', () => gauge.measure(pixels));
    const record: FrameRecord = {
      index: index + 1,
      severity: severities[index] as number,
      file: '',
      width: pixels.width,
      height: pixels.height,
      ...metrics,
    };
    let shown: RunView['pictures'][number] | undefined;
    if (request.framesFolder !== undefined) {
      const folder = request.framesFolder;
      record.file = await watch.time('encode', () => storePng(folder, pixels));
      shown = await watch.time('encode', () => framePicture(record.index, pixels, region));
      pictures[index] = shown;
      if (!region && (small || index === count - 1)) waiting.set(index, pixels);
    }
    // Severity 1 may come out of its turn.
    frames[index] = record;
    events.onFrame(record, shown);
    throwIfCancelled(signal);
  }

  const last = waiting.get(count - 1);
  if (last && request.framesFolder !== undefined) {
    const folder = request.framesFolder;
    const found = chooseRegion(toEightBits(picture), last);
    region = found;
    await watch.time('encode', async () => {
      for (const [i, shown] of pictures.entries()) {
        const pixels = waiting.get(i);
        const file = path.join(folder, (frames[i] as FrameRecord).file);
        pictures[i] = { ...shown, crop: await (pixels ? cropDataUrl(pixels, found) : cropFileDataUrl(file, found)) };
      }
    });
  }
  const shownRegion = region;
  const { framesFolder } = request;
  const shownReference =
    reference && shownRegion && framesFolder !== undefined
      ? await watch.time('encode', () => referencePicture(reference.pixels, shownRegion, framesFolder))
      : undefined;
  const diffusion = work && 'diffusion' in work ? work : undefined;
  const warnings = [
    ...source.notes,
    ...(reference?.notes ?? []),
    ...(choice.note ? [choice.note] : []),
    ...notes,
    ...(diffusion?.notes ?? []),
    ...gauge.warnings,
  ];
  const best = bestFrames(frames);
  const record: RunRecord = {
    schema: RUN_SCHEMA,
    ...start,
    input: {
      file: path.basename(request.input),
      sha256: source.sha256,
      width: source.pixels.width,
      height: source.pixels.height,
    },
    ...(reference ? { reference: { file: path.basename(request.reference as string), sha256: reference.sha256 } } : {}),
    ...(gauge.protocol ? { protocol: gauge.protocol } : {}),
    ...(task === 'super-resolution' ? { scale } : {}),
    ...(region ? { region } : {}),
    frames,
    ...(best ? { best } : {}),
    seconds: {
      decode: watch.seconds('decode'),
      network: watch.seconds('network'),
      metrics: watch.seconds('metrics'),
      encode: watch.seconds('encode'),
      total: watch.total(),
    },
    ...(work && 'tiles' in work ? { work } : {}),
    ...(diffusion ? { diffusion: { ...diffusion.diffusion, ...(previews.length > 0 ? { previews } : {}) } } : {}),
    peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    versions: versions(),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
  return {
    record,
    state: { kind: 'done' },
    pictures,
    ...(shownReference ? { reference: shownReference } : {}),
    ...(request.framesFolder === undefined ? {} : { framesFolder: path.basename(request.framesFolder) }),
  };
}

function evenSeverities(count: number): number[] {
  return Array.from({ length: count }, (_, k) => severityOf(k + 1, count));
}

function inside(
  region: NonNullable<RestoreRequest['region']>,
  picture: AnyPixels,
): NonNullable<RestoreRequest['region']> {
  if (region.x + region.width <= picture.width && region.y + region.height <= picture.height) return region;
  throw new RestorationError(
    'bad-argument',
    `The region ${region.width}x${region.height}+${region.x}+${region.y} does not lie inside the picture (${picture.width}x${picture.height}).`,
    'Give a region inside the frames.',
  );
}
