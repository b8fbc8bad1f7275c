import path from 'node:path';
import {
  RUN_SCHEMA,
  RestorationError,
  protocolOf,
  severityOf,
  type FrameRecord,
  type RestoreRequest,
  type RunRecord,
  type RunView,
  type Task,
} from '../../protocol';
import { throwIfCancelled } from '../compact/compact-model';
import { resizeBicubic, scaledSize } from '../image/bicubic';
import { decodePicture, decodeSource, type SourcePicture } from '../image/decode';
import { encodePng } from '../image/encode';
import { storeByContent } from '../image/files';
import { MAXIMUM_PIXELS } from '../image/limits';
import { toEightBits, type AnyPixels, type Pixels } from '../image/pixels';
import type { RestorationManifest } from '../models/manifest';
import { composePrompt } from '../prompts/compose';
import { chooseRegion } from '../report/choose-region';
import { bestFrames } from '../report/record';
import type { RunEvents } from './events';
import { FrameGauge } from './frame-gauge';
import type { ModelPool } from './model-pool';
import { framePicture, referencePicture } from './pictures';
import { resolveTask } from './resolve-task';
import { Stopwatch } from './stopwatch';
import { versions } from './versions';

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
  const input = await watch.time('decode', () => decodeSource(request.input));
  const reference =
    request.reference === undefined
      ? undefined
      : await watch.time('decode', () =>
          // Measured like the frames: colours without their opacity.
          decodePicture(request.reference as string, { transparency: input.alpha ? 'apart' : 'white' }),
        );
  throwIfCancelled(signal);

  const { model, choice } = await watch.time('network', () => pool.restoration(request.model, request.device));
  const { manifest } = model.installed;
  const { task, taskSource } = await watch.time('network', () =>
    resolveTask(request, { fromPrompt: (prompt) => model.taskOf(prompt) }),
  );
  if (!manifest.tasks.includes(task)) {
    throw new RestorationError(
      'bad-argument',
      `Model ${manifest.id} does not do ${task}; it does ${manifest.tasks.join(', ')}.`,
      'Choose one of these tasks or another model.',
    );
  }
  const scale = request.scale ?? usualScale(manifest);
  const picture = await watch.time('decode', () => networkInput(input, task, scale, request.input));
  const gauge = await watch.time('metrics', () =>
    reference
      ? FrameGauge.against(
          reference.pixels,
          picture,
          { task, protocol: request.protocol ?? protocolOf(task), scale },
          () => pool.perceptual(),
        )
      : FrameGauge.unreferenced(),
  );

  const count = model.frameCount ?? request.frames;
  const severities = Array.from({ length: count }, (_, k) => severityOf(k + 1, count));
  // With a reference the region is known at once; without one, only when the last frame is there.
  let region = request.region ? inside(request.region, picture) : undefined;
  if (!region && reference) region = chooseRegion(toEightBits(picture), reference.pixels);
  // A prompt that decided the task stands for itself; a task that was given is said first, in the model's own sentence.
  const prompt: RunRecord['prompt'] =
    taskSource === 'prompt'
      ? { text: (request.prompt as string).trim(), source: 'user' }
      : composePrompt(manifest.uniformPrompts[task], request.prompt);
  const identity: RunRecord['model'] = {
    id: manifest.id,
    sha256: model.installed.sha256,
    ...(manifest.experts ? { expert: task } : {}),
  };
  events.onStart({
    task,
    taskSource,
    prompt,
    model: identity,
    device: { requested: request.device, used: choice.used },
  });

  const frames: FrameRecord[] = [];
  const kept: Pixels[] = [];
  const pictures: RunView['pictures'] = [];
  const started = performance.now();
  const notes: string[] = [];
  const trajectory = model.trajectory({
    picture,
    source: input.pixels,
    task,
    prompt: prompt.text,
    severities,
    signal,
    onProgress: ({ done, total }) => {
      const elapsed = (performance.now() - started) / 1000;
      // A guess before the first tenth is done would be noise.
      const left = done * 10 >= total && done > 0 ? (elapsed / done) * (total - done) : undefined;
      events.onProgress('network', done, total, left === undefined ? undefined : Math.round(left * 10) / 10);
    },
  });
  for (;;) {
    const next = await watch.time('network', () => trajectory.next());
    if (next.done) break;
    const { index, note } = next.value;
    const pixels = toEightBits(next.value.pixels);
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
      record.file = await watch.time('encode', async () => storeByContent(folder, await encodePng(pixels), 'png'));
      shown = await watch.time('encode', () => framePicture(record.index, pixels, region));
      pictures.push(shown);
      if (!region) kept.push(pixels);
    }
    frames.push(record);
    events.onFrame(record, shown);
    throwIfCancelled(signal);
  }

  if (!region && request.framesFolder !== undefined) {
    const found = chooseRegion(kept[0] as Pixels, kept[kept.length - 1] as Pixels);
    region = found;
    await watch.time('encode', async () => {
      for (const [i, pixels] of kept.entries()) pictures[i] = await framePicture(i + 1, pixels, found);
    });
  }
  const shownRegion = region;
  const shownReference =
    reference && shownRegion && request.framesFolder !== undefined
      ? await watch.time('encode', () => referencePicture(reference.pixels, shownRegion))
      : undefined;
  const warnings = [
    ...input.notes,
    ...(reference?.notes ?? []),
    ...(choice.note ? [choice.note] : []),
    ...notes,
    ...gauge.warnings,
  ];
  const best = bestFrames(frames);
  const record: RunRecord = {
    schema: RUN_SCHEMA,
    task,
    taskSource,
    prompt,
    model: identity,
    device: { requested: request.device, used: choice.used },
    input: {
      file: path.basename(request.input),
      sha256: input.sha256,
      width: input.pixels.width,
      height: input.pixels.height,
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

/** What super-resolution usually means: the scale of a network that enlarges, otherwise 4. */
function usualScale(manifest: RestorationManifest): number {
  return manifest.kind === 'network' && manifest.scale > 1 ? manifest.scale : 4;
}

/** The picture at the size of the frames: for super-resolution the small picture enlarged by MATLAB's bicubic. */
export function networkInput(input: SourcePicture, task: Task, scale: number, file: string): AnyPixels {
  const { pixels } = input;
  if (task !== 'super-resolution') return pixels;
  const { width, height } = scaledSize(pixels, scale);
  const area = width * height;
  if (area > MAXIMUM_PIXELS) {
    throw new RestorationError(
      'picture-too-large',
      `Enlarged ${scale} times, ${path.basename(file)} has ${Math.round(area / 1e6)} megapixels; at most ${MAXIMUM_PIXELS / 1e6} are made.`,
      'Choose a smaller scale, or crop the picture.',
    );
  }
  return resizeBicubic(pixels, width, height);
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
