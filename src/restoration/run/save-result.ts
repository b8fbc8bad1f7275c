import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  DEEP_FORMATS,
  PICTURE_EXTENSIONS,
  RestorationError,
  adapterField,
  formatOfName,
  isFrameFile,
  type DiffusionRecord,
  type DiffusionWish,
  type PictureDepth,
  type PictureFormat,
  type SavedPicture,
  type SaveRequest,
} from '../../protocol';
import type { AlphaPlane } from '../image/alpha';
import { resizeAlpha } from '../image/bicubic';
import { decodePicture, decodeSource, type SourcePicture } from '../image/decode';
import { encodeResult } from '../image/encode-result';
import { writeFileAtomically } from '../image/files';
import { FORMAT_NAMES } from '../image/formats';
import { depthOf, type AnyPixels } from '../image/pixels';
import type { RunEvents } from './events';
import type { ModelPool } from './model-pool';
import { networkInput, pictureKey } from './network-input';
import { adaptersFor } from './prepare-run';

/** A severity is that of a stored frame when it differs by less than this. */
const SAME_SEVERITY = 1e-6;

/**
 * Saves one result of a run at full size, like its source: see `encodeResult`. The input and the reference are never
 * written to, and the file appears when it is complete.
 *
 * @throws RestorationError `bad-argument` when the output is the input or the reference, has no known format or one that
 *   does not hold the depth, or when the input has changed; `missing-file` when it or its frames are gone; `unwritable`
 */
export async function saveResult(
  request: SaveRequest,
  pool: ModelPool,
  events: RunEvents,
  signal: AbortSignal,
): Promise<SavedPicture> {
  events.onProgress('decode', 0, 1);
  const folder = await isFolder(request.output);
  const named = folder ? undefined : namedFormat(request);
  const source = await decodeSource(request.input);
  if (source.sha256 !== request.record.input.sha256) {
    throw new RestorationError(
      'bad-argument',
      `${path.basename(request.input)} is not the picture that was restored; its content has changed since.`,
      'Restore it again.',
    );
  }
  const format = named ?? request.format ?? source.traits.format;
  // Frames of others were read as 8 bits on white: there is nothing more to put back.
  const own = request.model !== undefined;
  const depth = chosenDepth(request, format, own ? source.traits.depth : 8);
  const { name } = path.parse(request.input);
  const file = folder
    ? path.join(request.output, `${name}.restored${PICTURE_EXTENSIONS[format][0] as string}`)
    : request.output;
  await refuseOverwriting(file, [request.input, ...(request.reference === undefined ? [] : [request.reference])]);

  const notes: string[] = [];
  const pixels =
    (depth === 8 ? await storedFrame(request) : undefined) ??
    (await computed(request, source, depth, pool, events, signal));
  if (depth === 16 && depthOf(pixels) === 8) notes.push('The model gives 8 bits a channel; 16 hold no more of it.');
  const { width, height } = pixels;
  const alpha = own && source.alpha ? enlarged(source.alpha, width, height) : undefined;
  events.onProgress('encode', 0, 1);
  const encoded = await encodeResult(pixels, alpha, source.traits, {
    format,
    depth,
    ...(request.quality === undefined ? {} : { quality: request.quality }),
  });
  await writeFileAtomically(file, encoded.bytes);
  return { file, format, depth, width, height, notes: [...notes, ...encoded.notes] };
}

/** The opacity at the size of the result: enlarged like the picture for super-resolution, untouched otherwise. */
function enlarged(alpha: AlphaPlane, width: number, height: number): AlphaPlane {
  return alpha.width === width && alpha.height === height ? alpha : resizeAlpha(alpha, width, height);
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
}

function namedFormat({ output, format }: SaveRequest): PictureFormat {
  const named = formatOfName(output);
  const name = path.basename(output);
  if (format && named && format !== named) {
    throw new RestorationError(
      'bad-argument',
      `${name} has the ending of ${FORMAT_NAMES[named]}, but ${FORMAT_NAMES[format]} was asked for.`,
      'Give one or the other.',
    );
  }
  const chosen = format ?? named;
  if (chosen) return chosen;
  throw new RestorationError(
    'bad-argument',
    `The name ${name} does not say what format to save.`,
    `End it with one of ${Object.values(PICTURE_EXTENSIONS).flat().join(', ')}, or name an existing folder.`,
  );
}

function chosenDepth({ depth }: SaveRequest, format: PictureFormat, own: PictureDepth): PictureDepth {
  const deep = DEEP_FORMATS.includes(format);
  if (depth === 16 && !deep) {
    throw new RestorationError(
      'bad-argument',
      `${FORMAT_NAMES[format]} is saved with 8 bits a channel; 16 were asked for.`,
      `Save ${DEEP_FORMATS.map((each) => FORMAT_NAMES[each]).join(' or ')}.`,
    );
  }
  return depth ?? (deep ? own : 8);
}

/** Compares files, not names: links and letter case lead to the same file, too. */
async function refuseOverwriting(output: string, kept: readonly string[]): Promise<void> {
  const identity = async (file: string): Promise<string | undefined> => {
    try {
      const { dev, ino } = await stat(await realpath(file), { bigint: true });
      return `${dev}:${ino}`;
    } catch {
      return undefined;
    }
  };
  const target = await identity(output);
  if (target === undefined) return;
  for (const file of kept) {
    if ((await identity(file)) !== target) continue;
    throw new RestorationError(
      'bad-argument',
      `Saving to ${output} would overwrite ${path.basename(file)}, which the run was made from.`,
      'Choose another name.',
    );
  }
}

/** The frame as the strip shows it; undefined when none has this severity. */
async function storedFrame({ record, framesFolder, severity }: SaveRequest): Promise<AnyPixels | undefined> {
  const frame = record.frames.find((each) => Math.abs(each.severity - severity) < SAME_SEVERITY);
  if (!frame) return undefined;
  if (!isFrameFile(frame.file)) {
    throw new RestorationError(
      'bad-argument',
      `${JSON.stringify(frame.file)} is not the name of a stored frame.`,
      'Run the restoration again.',
    );
  }
  return (await decodePicture(path.join(framesFolder, frame.file))).pixels;
}

/**
 * What a diffusion model has to be asked to give the same clip once more.
 *
 * @throws RestorationError `bad-argument` when its noise came from a file, which the record does not hold
 */
function sameAgain({ scheduler, steps, guidance, seed }: DiffusionRecord): DiffusionWish {
  if (seed === undefined) {
    throw new RestorationError(
      'bad-argument',
      'The noise of this run came from a file, so that it cannot be computed again.',
      'Save a frame of the clip with 8 bits, or restore with a seed.',
    );
  }
  return { scheduler, steps, seed, guidance: guidance.scale, guidanceKind: guidance.kind, previews: 0 };
}

async function computed(
  request: SaveRequest,
  source: SourcePicture,
  depth: PictureDepth,
  pool: ModelPool,
  events: RunEvents,
  signal: AbortSignal,
): Promise<AnyPixels> {
  const { record, input, severity } = request;
  if (request.model === undefined) {
    throw new RestorationError(
      'bad-argument',
      'These frames were not made here, so nothing but the 8-bit frames themselves can be saved.',
      'Choose the severity of a frame, and 8 bits.',
    );
  }
  const { model, adapters } = await pool.restoration(request.model, request.device, request.adapters);
  const acting = adapterField(adaptersFor(adapters, record.task).map((each) => each.record));
  if (model.installed.sha256 !== record.model.sha256 || !isDeepStrictEqual(acting, record.model.adapter)) {
    throw new RestorationError(
      'bad-argument',
      `Model ${record.model.id}${record.model.adapter === undefined ? '' : ' or its adapter'} has changed since the run.`,
      'Run the restoration again.',
    );
  }
  const picture = networkInput(source, record.task, record.scale ?? 1, input);
  const trajectory = model.trajectory({
    picture,
    pictureKey: pictureKey(source, picture),
    source: source.pixels,
    task: record.task,
    prompt: record.prompt.text,
    severities: [severity],
    // 16 bits show what int8 rounds away.
    ...(depth === 8 && record.model.precision !== undefined ? { precision: record.model.precision } : {}),
    depth,
    ...(record.diffusion ? { diffusion: sameAgain(record.diffusion) } : {}),
    signal,
    onProgress: ({ done, total }) => events.onProgress('network', done, total),
  });
  for await (const { pixels, preview } of trajectory) {
    if (preview) continue;
    // Severity 1 is the picture itself, which is not ours to change.
    return { ...pixels, data: pixels.data.slice() } as AnyPixels;
  }
  throw new RestorationError('bad-output', `Model ${record.model.id} gave no frame.`, 'Install the model again.');
}
