import { CHANNELS, assertSameSize, samplesOf, type Pixels } from './pixels';

/**
 * Crops of frames as they lie in a saved sheet: the first as it is, every other one as its difference to the one before,
 * modulo 256. Frames of a run are nearly alike, so what is left is small and compresses well; nothing is lost.
 *
 * @param crops all of one size
 * @returns new pictures of the same size
 * @throws RestorationError `size-mismatch` when the sizes differ
 */
export function toDifferences(crops: readonly Pixels[]): Pixels[] {
  return crops.map((crop, at) => {
    const before = crops[at - 1];
    if (before === undefined) return crop;
    assertSameSize(crop, before);
    return { ...crop, data: combined(crop, before, -1) };
  });
}

/** The crops out of what `toDifferences` has made of them, sample for sample. */
export function fromDifferences(differences: readonly Pixels[]): Pixels[] {
  const crops: Pixels[] = [];
  for (const difference of differences) {
    const before = crops.at(-1);
    if (before !== undefined) assertSameSize(difference, before);
    crops.push(before === undefined ? difference : { ...difference, data: combined(difference, before, 1) });
  }
  return crops;
}

/** One picture and `sign` times another one: storing into eight bits is the modulo. */
function combined(one: Pixels, other: Pixels, sign: 1 | -1): Uint8Array {
  const [a, b] = [samplesOf(one), samplesOf(other)];
  const result = new Uint8Array(a.length);
  for (let i = 0; i < result.length; i++) result[i] = a[i]! + sign * b[i]!;
  return result;
}

/** One under the other. All have one width. */
export function stacked(pictures: readonly Pixels[]): Pixels & { data: Uint8Array } {
  const width = pictures[0]?.width ?? 0;
  const height = pictures.reduce((sum, one) => sum + one.height, 0);
  const data = new Uint8Array(width * height * CHANNELS);
  let at = 0;
  for (const picture of pictures) {
    data.set(picture.data, at);
    at += picture.data.length;
  }
  return { data, width, height };
}

/** What `stacked` has put together, in pieces of `height` rows. */
export function unstacked({ data, width, height: rows }: Pixels, height: number): Pixels[] {
  return Array.from({ length: Math.floor(rows / height) }, (_, at) => ({
    data: data.subarray(at * width * height * CHANNELS, (at + 1) * width * height * CHANNELS),
    width,
    height,
  }));
}

/** Shares are in 1/256. */
const WHOLE = 256;

/**
 * The shares of two pictures, in 1/256, with which their sum comes closest to a third one (least squares). Nearly alike ends
 * leave open how much is of which; a trace of regularisation then shares evenly.
 *
 * @param limit largest amount of a share
 */
export function sharesOf(target: Pixels, first: Pixels, last: Pixels, limit: number): [number, number] {
  assertSameSize(target, first);
  assertSameSize(target, last);
  let [aa, ab, bb, at, bt] = [0, 0, 0, 0, 0];
  for (let i = 0; i < target.data.length; i++) {
    const [a, b, t] = [first.data[i]!, last.data[i]!, target.data[i]!];
    aa += a * a;
    ab += a * b;
    bb += b * b;
    at += a * t;
    bt += b * t;
  }
  const trace = 0.01 * target.data.length;
  const determinant = (aa + trace) * (bb + trace) - ab * ab;
  const share = (value: number): number => Math.max(-limit, Math.min(limit, Math.round((WHOLE * value) / determinant)));
  return [share(at * (bb + trace) - bt * ab), share(bt * (aa + trace) - at * ab)];
}

/** Two pictures in shares of 1/256 each, rounded and held within 0 to 255. */
export function mixOf(first: Pixels, last: Pixels, [a, b]: readonly [number, number]): Pixels {
  assertSameSize(first, last);
  const data = new Uint8Array(first.data.length);
  for (let i = 0; i < data.length; i++) {
    const sample = (a * first.data[i]! + b * last.data[i]! + WHOLE / 2) >> 8;
    data[i] = sample < 0 ? 0 : sample > 255 ? 255 : sample;
  }
  return { data, width: first.width, height: first.height };
}
