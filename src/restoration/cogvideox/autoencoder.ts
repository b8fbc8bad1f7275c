import { RestorationError } from '../../protocol';
import type { CogVideoXSettings } from '../models/cogvideox-manifest';
import type { TensorData } from '../models/sessions';
import { blendColumns, blendRows, cutPlanes, pastePlanes, type Planes } from './planes';

/** Runs one of the model's networks on named inputs. */
export type Runner = (
  inputs: Record<string, TensorData>,
) => Promise<Record<string, { data: Float32Array; dims: readonly number[] }>>;

/** Mean and logarithm of the variance of a picture's latents, each [channels, height, width]. */
export interface Moments {
  mean: Float32Array;
  logVariance: Float32Array;
  height: number;
  width: number;
}

/** Samples of a picture for one of its latents, in each direction; frames for one latent frame after the first. */
export const SPATIAL = 8;
export const TEMPORAL = 4;

/** Bounds of the reference for the logarithm of the variance. */
const LOG_VARIANCE = { minimum: -30, maximum: 20 };

export function latentFrames(frames: number): number {
  return (frames - 1) / TEMPORAL + 1;
}

/** Whether a canvas is cut at all when tiles are asked for. */
export function needsTiles({ tile }: CogVideoXSettings['vae'], height: number, width: number): boolean {
  return height > tile.height || width > tile.width;
}

/**
 * One network over overlapping tiles, as diffusers' `tiled_encode` and `tiled_decode` lay and blend them.
 *
 * @param step distance of tiles, `size` their sides, all in the input's samples
 * @param ratio samples of the output for one of the input
 * @param blend and `keep`: rows and columns that are faded, and that are kept of a tile, in the output's samples
 */
async function inTiles(
  input: Planes,
  { size, step, blend, keep, ratio }: Record<'size' | 'step' | 'blend' | 'keep', [number, number]> & { ratio: number },
  run: (tile: Planes) => Promise<Planes>,
): Promise<Planes> {
  let result: Planes | undefined;
  let above: Planes[] = [];
  for (let y = 0, outY = 0; y < input.height; y += step[0], outY += keep[0]) {
    const row: Planes[] = [];
    for (let x = 0, outX = 0; x < input.width; x += step[1], outX += keep[1]) {
      const tile = await run(cutPlanes(input, y, x, size[0], size[1]));
      result ??= {
        count: tile.count,
        height: Math.round(input.height * ratio),
        width: Math.round(input.width * ratio),
        data: new Float32Array(tile.count * Math.round(input.height * ratio) * Math.round(input.width * ratio)),
      };
      const [up, left] = [above[row.length], row.at(-1)];
      if (up) blendRows(up, tile, blend[0]);
      if (left) blendColumns(left, tile, blend[1]);
      row.push(tile);
      if (outY < result.height && outX < result.width) pastePlanes(result, tile, outY, outX, keep[0], keep[1]);
    }
    above = row;
  }
  return result as Planes;
}

function tiling({ tile }: CogVideoXSettings['vae']): {
  encode: Parameters<typeof inTiles>[1];
  decode: Parameters<typeof inTiles>[1];
} {
  const pixels: [number, number] = [tile.height, tile.width];
  const latents: [number, number] = [Math.floor(tile.height / SPATIAL), Math.floor(tile.width / SPATIAL)];
  const overlap = [tile.overlapHeight, tile.overlapWidth];
  const share = (sides: [number, number], of: (o: number) => number): [number, number] => [
    Math.floor(sides[0] * of(overlap[0] as number)),
    Math.floor(sides[1] * of(overlap[1] as number)),
  ];
  const laid = (from: [number, number], to: [number, number], ratio: number): Parameters<typeof inTiles>[1] => {
    const blend = share(to, (o) => o);
    return {
      size: from,
      step: share(from, (o) => 1 - o),
      blend,
      keep: [to[0] - blend[0], to[1] - blend[1]],
      ratio,
    };
  };
  return { encode: laid(pixels, latents, 1 / SPATIAL), decode: laid(latents, pixels, SPATIAL) };
}

/** The variational autoencoder of CogVideoX: one picture to latents, latents to a clip. */
export class Autoencoder {
  constructor(
    private readonly settings: CogVideoXSettings['vae'],
    private readonly model: string,
  ) {}

  /**
   * @param picture [1, 3, 1, height, width] in [-1, 1]
   * @param tiled in overlapping tiles, which takes less memory
   */
  async encode(run: Runner, picture: Planes, tiled: boolean): Promise<Moments> {
    const { channels } = this.settings;
    const whole = async (tile: Planes): Promise<Planes> => {
      const { count, height, width, data } = tile;
      const outputs = await run({ sample: { type: 'float32', data, dims: [1, count, 1, height, width] } });
      const dims = [1, channels * 2, 1, Math.floor(height / SPATIAL), Math.floor(width / SPATIAL)];
      return this.planes(outputs.moments, dims, 'vae_encoder');
    };
    const moments =
      tiled && needsTiles(this.settings, picture.height, picture.width)
        ? await inTiles(picture, tiling(this.settings).encode, whole)
        : await whole(picture);
    const half = moments.data.length / 2;
    return {
      mean: moments.data.slice(0, half),
      logVariance: moments.data
        .slice(half)
        .map((value) => Math.min(LOG_VARIANCE.maximum, Math.max(LOG_VARIANCE.minimum, value))),
      height: moments.height,
      width: moments.width,
    };
  }

  /**
   * @param latents [1, channels, T, height, width], already divided by the scale
   * @param frames of the clip: (T - 1) * 4 + 1
   * @returns [1, 3, frames, 8 height, 8 width], about [-1, 1]
   */
  async decode(run: Runner, latents: Planes, frames: number, tiled: boolean): Promise<Planes> {
    const { channels } = this.settings;
    const whole = async (tile: Planes): Promise<Planes> => {
      const { count, height, width, data } = tile;
      const outputs = await run({
        latents: { type: 'float32', data, dims: [1, channels, count / channels, height, width] },
      });
      return this.planes(outputs.sample, [1, 3, frames, height * SPATIAL, width * SPATIAL], 'vae_decoder');
    };
    return tiled && needsTiles(this.settings, latents.height * SPATIAL, latents.width * SPATIAL)
      ? inTiles(latents, tiling(this.settings).decode, whole)
      : whole(latents);
  }

  private planes(
    tensor: { data: Float32Array; dims: readonly number[] } | undefined,
    dims: readonly number[],
    part: string,
  ): Planes {
    return planesOf(tensor, dims, `${this.model}/${part}`);
  }
}

/**
 * The output of a network as planes.
 *
 * @throws RestorationError `bad-model` when it has another shape, `bad-output` when a value is not finite
 */
export function planesOf(
  tensor: { data: Float32Array; dims: readonly number[] } | undefined,
  dims: readonly number[],
  label: string,
): Planes {
  if (!tensor || tensor.dims.length !== dims.length || tensor.dims.some((dim, i) => dim !== dims[i])) {
    throw new RestorationError(
      'bad-model',
      `The network ${label} gave [${tensor?.dims.join(', ') ?? ''}]; [${dims.join(', ')}] was expected.`,
      'Correct its manifest, or export the model again.',
    );
  }
  let sum = 0;
  for (const value of tensor.data) sum += value;
  if (!Number.isFinite(sum)) {
    throw new RestorationError(
      'bad-output',
      `The network ${label} gave values that are not finite numbers.`,
      'Half precision may overflow: keep the autoencoder in single precision, or choose another device.',
    );
  }
  const [height, width] = dims.slice(-2) as [number, number];
  return { count: dims.slice(0, -2).reduce((product, dim) => product * dim, 1), height, width, data: tensor.data };
}
