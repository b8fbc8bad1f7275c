import { maximumSample, type AnyPixels } from './pixels';

/** Opacity of every pixel, in the depth of its picture: 0 is transparent, the largest sample opaque. */
export interface AlphaPlane {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
}

/** Colour and opacity apart. The colour of a pixel that nobody sees is unknown. */
export interface Separated {
  pixels: AnyPixels;
  alpha: AlphaPlane;
}

/** True when nothing shines through anywhere: such a plane says nothing. */
export function isOpaque({ data }: AlphaPlane): boolean {
  const opaque = data instanceof Uint16Array ? 65535 : 255;
  return data.every((value) => value === opaque);
}

/** A grey picture whose three channels are the plane. */
export function replicate({ data, width, height }: AlphaPlane): AnyPixels {
  const result = data instanceof Uint16Array ? new Uint16Array(3 * data.length) : new Uint8Array(3 * data.length);
  for (let i = 0; i < result.length; i++) result[i] = data[Math.floor(i / 3)] as number;
  return { data: result, width, height } as AnyPixels;
}

/** Lays a picture on white, in place: what a viewer without a checkerboard shows. */
export function layOnWhite(pixels: AnyPixels, alpha: AlphaPlane): void {
  const { data } = pixels;
  const maximum = maximumSample(pixels);
  for (let i = 0; i < alpha.data.length; i++) {
    const a = alpha.data[i] as number;
    if (a === maximum) continue;
    for (let c = 3 * i; c < 3 * i + 3; c++) {
      data[c] = Math.round(((data[c] as number) * a + maximum * (maximum - a)) / maximum);
    }
  }
}

/**
 * Gives fully transparent pixels the colour of what surrounds them, in place, so that a network sees no edges where a
 * picture hides arbitrary colour. The pyramid of the pull-push algorithm (Gortler et al., The Lumigraph, 1996): each
 * level averages the known pixels of four below, and holes are filled from the finest level that knows a colour.
 */
export function fillTransparent(pixels: AnyPixels, alpha: AlphaPlane): void {
  const { data, width, height } = pixels;
  const holes = alpha.data.some((a) => a === 0);
  if (!holes) return;
  const levels: Level[] = [firstLevel(pixels, alpha)];
  for (;;) {
    const last = levels[levels.length - 1] as Level;
    if (last.width === 1 && last.height === 1) break;
    levels.push(coarser(last));
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (alpha.data[i] !== 0) continue;
      const colour = colourAt(levels, x, y);
      for (let c = 0; c < 3; c++) data[3 * i + c] = Math.round(colour ? (colour[c] as number) : 0);
    }
  }
}

/** Sums of known colours and their number, of one level that is `scale` times coarser than the picture. */
interface Level {
  width: number;
  height: number;
  sums: Float32Array;
  known: Float32Array;
}

/** The picture itself would be a level as large as it; the pyramid begins at half its size. */
function firstLevel({ data, width, height }: AnyPixels, alpha: AlphaPlane): Level {
  const level = emptyLevel(Math.ceil(width / 2), Math.ceil(height / 2));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const a = alpha.data[i] as number;
      if (a === 0) continue;
      const to = (y >> 1) * level.width + (x >> 1);
      level.known[to] = (level.known[to] as number) + 1;
      for (let c = 0; c < 3; c++)
        level.sums[3 * to + c] = (level.sums[3 * to + c] as number) + (data[3 * i + c] as number);
    }
  }
  return level;
}

function emptyLevel(width: number, height: number): Level {
  return { width, height, sums: new Float32Array(3 * width * height), known: new Float32Array(width * height) };
}

function coarser(level: Level): Level {
  const result = emptyLevel(Math.ceil(level.width / 2), Math.ceil(level.height / 2));
  for (let y = 0; y < level.height; y++) {
    for (let x = 0; x < level.width; x++) {
      const from = y * level.width + x;
      const known = level.known[from] as number;
      if (known === 0) continue;
      const to = (y >> 1) * result.width + (x >> 1);
      // Every cell that knows something counts once, so that colour creeps in from all sides alike.
      result.known[to] = (result.known[to] as number) + 1;
      for (let c = 0; c < 3; c++)
        result.sums[3 * to + c] = (result.sums[3 * to + c] as number) + (level.sums[3 * from + c] as number) / known;
    }
  }
  return result;
}

function colourAt(levels: readonly Level[], x: number, y: number): number[] | undefined {
  for (const [i, { width, sums, known }] of levels.entries()) {
    const at = (y >> (i + 1)) * width + (x >> (i + 1));
    const count = known[at] as number;
    if (count > 0) return [0, 1, 2].map((c) => (sums[3 * at + c] as number) / count);
  }
  return undefined;
}
