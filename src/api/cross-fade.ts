import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_FRAMES, MAXIMUM_FRAMES, RestorationError, severityOf } from '../protocol';
import { decodePicture } from '../restoration/image/decode';
import { encodePng } from '../restoration/image/encode';
import { writeFileAtomically } from '../restoration/image/files';
import { anySignal, describedRequest, restoreRequest, type RestoreOptions } from './restore';
import type { Picture, Run } from './run';
import { displayHost, inferenceClient } from './session';
import { strip } from './strip';

export type CrossFadeOptions = Omit<RestoreOptions, 'severity' | 'severities' | 'quiet' | 'onProgress'>;

/**
 * The baseline of a progressive restoration: its first and its last frame, and between them nothing but a linear fade in
 * sRGB, `s * first + (1 - s) * last` at severity `s`. Frames of a trajectory are worth something where they beat it.
 *
 * @param input as for `restore`, and so are the options
 * @returns the fade as a run, measured like the restoration itself; it shows nothing while it works
 * @throws RestorationError as `restore` does
 * @example
 * const fade = await crossFade('small.png', { task: 'super-resolution', reference: 'large.png' });
 * fade.metrics.psnr; // as high as the restoration's at both ends
 */
export async function crossFade(input: string, options: CrossFadeOptions = {}): Promise<Run> {
  const { frames = DEFAULT_FRAMES, reference, region, metrics, protocol, ...rest } = options;
  if (!Number.isInteger(frames) || frames < 2 || frames > MAXIMUM_FRAMES) {
    throw new RestorationError(
      'bad-argument',
      `A cross-fade has 2 to ${MAXIMUM_FRAMES} frames, not ${String(frames)}.`,
      'Leave frames out for nine.',
    );
  }
  const signal = anySignal([options.signal, displayHost()?.signal]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-fade-'));
  try {
    const ends = await describedRequest(restoreRequest(input, { ...rest, severities: [1, 0] }, folder), rest);
    const { record } = await inferenceClient().restore(ends, signal ? { signal } : {});
    const [first, last] = await Promise.all(
      record.frames.map(async ({ file }) => (await decodePicture(path.join(folder, file))).pixels),
    );
    const files: string[] = [];
    for (let index = 1; index <= frames; index++) {
      const file = path.join(folder, `fade-${index}.png`);
      await writeFileAtomically(file, await encodePng(blend(first!, last!, severityOf(index, frames))));
      files.push(file);
    }
    return await strip(files, {
      task: record.task,
      prompt: record.prompt.text,
      model: `${record.model.id}, cross-fade`,
      ...(record.scale === undefined ? {} : { scale: record.scale }),
      ...(reference === undefined ? {} : { reference }),
      ...(region === undefined ? {} : { region }),
      ...(metrics === undefined ? {} : { metrics }),
      ...(protocol === undefined ? {} : { protocol }),
      ...(signal ? { signal } : {}),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `share` of the first picture and the rest of the last, rounded to nearest. Both have one size. */
function blend(first: Picture, last: Picture, share: number): Picture {
  return {
    ...first,
    data: first.data.map((value, i) => Math.floor(share * value + (1 - share) * last.data[i]! + 0.5)),
  };
}
