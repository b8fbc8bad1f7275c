import path from 'node:path';
import { RestorationError, type ConcreteDevice } from '../../protocol';
import type { ScalarMap } from '../../measure';
import type { Pixels } from '../image/pixels';
import { modelsFolder } from '../models/locations';
import { readManifest } from '../models/manifest';
import { Network, type TensorData } from '../models/sessions';

type Features = Record<string, { data: Float32Array; dims: readonly number[] }>;

/** Smallest side that AlexNet's five feature maps exist for. */
export const LPIPS_MINIMUM_SIDE = 32;

/** Pixels of one cell of the coarsest feature maps (relu3 to relu5), and how many cells of each map it is wide. */
const CELL = 16;
const LEVEL_SHARES = [4, 2, 1, 1, 1];
/**
 * Pixels around its cells that a tile needs. With AlexNet's kernels (11 in steps of 4, pool 3 in steps of 2, 5, pool, three
 * of 3) cell k of relu5 sees the pixels 16 k - 66 to 16 k + 96.
 */
const CONTEXT = { before: 5 * CELL, after: 81 };
/** Longest side that goes through the network at once: about 250 MB. */
const TILE = 1280;
/** A reference's features are kept up to this size. */
const FEATURE_BYTES = 256 * 1024 * 1024;
const FEATURE_BYTES_PER_PIXEL = 42;

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Cells of the coarsest grid along one axis that a tile answers for, counted from where its pixels begin. */
interface CellRange {
  from: number;
  to: number;
  /** Nothing lies beyond: what the finer maps have more belongs to the tile as well. */
  last: boolean;
}

export interface LpipsTile {
  /** Pixels that go through the network. */
  input: Rectangle;
  cells: { x: CellRange; y: CellRange };
}

/** One axis of `lpipsTiles`. */
function axisTiles(length: number, tile: number): { start: number; length: number; cells: CellRange }[] {
  if (length <= tile) return [{ start: 0, length, cells: { from: 0, to: 0, last: true } }];
  const cells = Math.floor(length / CELL);
  const count = Math.ceil((cells * CELL) / (tile - CONTEXT.before - CONTEXT.after));
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * cells) / count);
    const to = Math.floor(((i + 1) * cells) / count);
    const last = i === count - 1;
    const start = Math.max(0, from * CELL - CONTEXT.before);
    const end = last ? length : Math.min(length, to * CELL + CONTEXT.after);
    return { start, length: end - start, cells: { from: from - start / CELL, to: to - start / CELL, last } };
  });
}

/** Cuts a picture so that every place of every feature map is computed in one tile exactly as in the whole picture. */
export function lpipsTiles(size: { width: number; height: number }, tile: number): LpipsTile[] {
  const columns = axisTiles(size.width, tile);
  return axisTiles(size.height, tile).flatMap((y) =>
    columns.map((x) => ({
      input: { x: x.start, y: y.start, width: x.length, height: y.length },
      cells: { x: x.cells, y: y.cells },
    })),
  );
}

/** The part of a map's axis that a tile answers for. */
function owned({ from, to, last }: CellRange, share: number, length: number): { from: number; to: number } {
  return { from: from * share, to: last ? length : to * share };
}

/**
 * LPIPS v0.1 with AlexNet (Zhang et al. 2018), on RGB without cropping. The weights are those of the `lpips` package
 * (models/lpips); agreement with it is within 1e-3.
 */
export class Lpips {
  private constructor(
    private readonly features: Network,
    private readonly distance: Network,
  ) {}

  static async load(device: ConcreteDevice = 'cpu'): Promise<Lpips> {
    const model = await readManifest(path.join(modelsFolder(), 'lpips'));
    if (model.manifest.kind !== 'metric') {
      throw new RestorationError('bad-model', 'models/lpips is not a metric.', 'Install the package again.');
    }
    return new Lpips(await Network.load(model, 'features', device), await Network.load(model, 'distance', device));
  }

  async release(): Promise<void> {
    await Promise.all([this.features.release(), this.distance.release()]);
  }

  /**
   * Features of a reference, computed once a run. Large pictures are measured tile by tile with the same result: tiles
   * overlap by what the network sees around a place, and each place counts once.
   *
   * @param tile longest side that goes through the network at once, in pixels; a multiple of 16
   */
  async prepare(reference: Pixels, tile: number = TILE): Promise<(frame: Pixels) => Promise<number>> {
    const tiles = lpipsTiles(reference, tile);
    // Features take about ten floats a pixel; those of a very large reference are made again for each frame.
    const keeps = tiles.length * FEATURE_BYTES_PER_PIXEL * (tile + 2 * CELL) ** 2 <= FEATURE_BYTES;
    const kept: Features[] = [];
    if (keeps) for (const { input } of tiles) kept.push(await this.extract(reference, input));
    return async (frame) => {
      if (frame.width !== reference.width || frame.height !== reference.height) {
        throw new RestorationError(
          'size-mismatch',
          `LPIPS needs pictures of one size; got ${frame.width}x${frame.height} and ${reference.width}x${reference.height}.`,
          'Give a reference of the size of the frames.',
        );
      }
      const features = (i: number, input: Rectangle): Features | Promise<Features> =>
        kept[i] ?? this.extract(reference, input);
      const [only] = tiles;
      if (only && tiles.length === 1) {
        return valueOf(await this.distances(await this.extract(frame, only.input), await features(0, only.input)));
      }
      const levels = this.features.outputNames.map(() => ({ sum: 0, count: 0 }));
      for (const [i, { input, cells }] of tiles.entries()) {
        const outputs = await this.distances(await this.extract(frame, input), await features(i, input));
        for (const [level, total] of levels.entries()) {
          const map = levelMap(outputs, level + 1);
          // Cells of the level that one cell of the coarsest grid is wide.
          const share = LEVEL_SHARES[level] as number;
          const columns = owned(cells.x, share, map.width);
          const rows = owned(cells.y, share, map.height);
          for (let y = rows.from; y < rows.to; y++) {
            for (let x = columns.from; x < columns.to; x++) total.sum += map.data[y * map.width + x] as number;
          }
          total.count += (rows.to - rows.from) * (columns.to - columns.from);
        }
      }
      return Math.max(
        0,
        levels.reduce((value, { sum, count }) => value + sum / count, 0),
      );
    };
  }

  /**
   * The distance of two pictures, and its map at the size of the pictures as the `lpips` package gives it with
   * `spatial=True`: the maps of the five levels, enlarged bilinearly, summed. Each level is averaged before it is
   * enlarged in the distance, so that the map's mean is close to it and not the same.
   */
  async measureWithMap(a: Pixels, b: Pixels): Promise<{ value: number; map: ScalarMap }> {
    const outputs = await this.distances(await this.extract(a), await this.extract(b));
    const { width, height } = a;
    const data = new Float32Array(width * height);
    for (let level = 1; level <= this.features.outputNames.length; level++) {
      addEnlarged(levelMap(outputs, level), data, width, height);
    }
    return { value: valueOf(outputs), map: { data, width, height, left: 0, top: 0 } };
  }

  private async extract(pixels: Pixels, part?: Rectangle): Promise<Features> {
    const { width, height, x: left, y: top } = part ?? { ...pixels, x: 0, y: 0 };
    if (Math.min(width, height) < LPIPS_MINIMUM_SIDE) {
      throw new RestorationError(
        'size-mismatch',
        `LPIPS needs sides of at least ${LPIPS_MINIMUM_SIDE} pixels; this picture has ${width}x${height}.`,
        'Use PSNR and SSIM for so small a picture.',
      );
    }
    const { data } = pixels;
    const plane = width * height;
    const image = new Float32Array(3 * plane);
    for (let y = 0, i = 0; y < height; y++) {
      let from = ((top + y) * pixels.width + left) * 3;
      for (let x = 0; x < width; x++, i++, from += 3) {
        image[i] = (data[from] as number) / 255;
        image[plane + i] = (data[from + 1] as number) / 255;
        image[2 * plane + i] = (data[from + 2] as number) / 255;
      }
    }
    return this.features.run({ image: { type: 'float32', data: image, dims: [1, 3, height, width] } });
  }

  private distances(a: Features, b: Features): Promise<Features> {
    const inputs: Record<string, TensorData> = {};
    for (const [index, name] of this.features.outputNames.entries()) {
      const one = a[name];
      const two = b[name];
      if (!one || !two) throw new RestorationError('bad-model', `LPIPS lacks ${name}.`, 'Install the package again.');
      inputs[`a${index + 1}`] = { type: 'float32', ...one };
      inputs[`b${index + 1}`] = { type: 'float32', ...two };
    }
    return this.distance.run(inputs);
  }
}

function levelMap(outputs: Features, level: number): { data: Float32Array; width: number; height: number } {
  const map = outputs[`map${level}`];
  const [height, width] = map?.dims.slice(-2) ?? [];
  if (!map || height === undefined || width === undefined || map.data.length !== height * width) {
    throw new RestorationError('bad-model', `LPIPS lacks map${level}.`, 'Install the package again.');
  }
  return { data: map.data, width, height };
}

function valueOf({ distance }: Features): number {
  const value = distance?.data[0];
  if (value === undefined || !Number.isFinite(value)) {
    throw new RestorationError('bad-output', 'LPIPS gave no finite number.', 'Install the package again.');
  }
  // Rounding can leave -1e-9 for identical pictures.
  return Math.max(0, value);
}

/** Adds `source`, enlarged bilinearly with pixels as areas (PyTorch's align_corners=False), to `out`. */
function addEnlarged(
  source: { data: Float32Array; width: number; height: number },
  out: Float32Array,
  width: number,
  height: number,
): void {
  const across = taps(source.width, width);
  const down = taps(source.height, height);
  for (let y = 0, i = 0; y < height; y++) {
    const above = down.first[y]! * source.width;
    const below = down.second[y]! * source.width;
    const v = down.weight[y]!;
    for (let x = 0; x < width; x++, i++) {
      const left = across.first[x]!;
      const right = across.second[x]!;
      const u = across.weight[x]!;
      const top = source.data[above + left]! * (1 - u) + source.data[above + right]! * u;
      const bottom = source.data[below + left]! * (1 - u) + source.data[below + right]! * u;
      out[i] = out[i]! + top * (1 - v) + bottom * v;
    }
  }
}

/** For every place of the enlarged line: the two places of the short one around it, and the weight of the second. */
function taps(from: number, to: number): { first: Uint32Array; second: Uint32Array; weight: Float64Array } {
  const first = new Uint32Array(to);
  const second = new Uint32Array(to);
  const weight = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    first[i] = Math.min(Math.floor(place), from - 1);
    second[i] = Math.min(first[i]! + 1, from - 1);
    weight[i] = place - first[i]!;
  }
  return { first, second, weight };
}
