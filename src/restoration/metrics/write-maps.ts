import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError, type MapFiles, type MapKind } from '../../protocol';
import { paintMap, type ColourRange, type ScalarMap } from '../../measure';
import { encodePng } from '../image/encode';
import { writeFileAtomically } from '../image/files';
import { encodeNpy } from './npy';

/** What the ends of the colours stand for: bright is bad in every map. */
const RANGES: Record<MapKind, ColourRange> = {
  error: { low: 0, high: 64 },
  ssim: { low: 1, high: 0 },
  lpips: { low: 0, high: 1 },
  flip: { low: 0, high: 1 },
};

/**
 * Writes maps as `NAME.KIND.png` and `NAME.KIND.npy`, where NAME is the base name of `picture`. Files of these names are
 * replaced, but never one of the pictures that were compared.
 *
 * @throws RestorationError `bad-argument` when a map would replace an input, `unwritable`
 */
export async function writeMaps(
  folder: string,
  picture: string,
  reference: string,
  maps: Partial<Record<MapKind, ScalarMap>>,
): Promise<Partial<Record<MapKind, MapFiles>>> {
  const { name } = path.parse(picture);
  const inputs = await Promise.all([picture, reference].map((file) => realpath(file)));
  const described: Partial<Record<MapKind, MapFiles>> = {};
  const kinds = Object.entries(maps) as Array<[MapKind, ScalarMap]>;
  for (const [kind] of kinds) {
    const target = path.join(folder, `${name}.${kind}.png`);
    // A name that does not exist yet is nobody's input.
    const real = await realpath(target).catch(() => undefined);
    if (real === undefined || !inputs.includes(real)) continue;
    throw new RestorationError(
      'bad-argument',
      `The map ${path.basename(target)} would replace one of the pictures.`,
      'Choose another folder for the maps.',
    );
  }
  for (const [kind, map] of kinds) {
    const range = RANGES[kind];
    const png = `${name}.${kind}.png`;
    const npy = `${name}.${kind}.npy`;
    await writeFileAtomically(path.join(folder, npy), encodeNpy(map));
    await writeFileAtomically(path.join(folder, png), await encodePng(paintMap(map, range)));
    const { mean, maximum } = summary(map.data);
    const { width, height, left, top } = map;
    described[kind] = { png, npy, width, height, left, top, mean, maximum, colours: 'magma', range };
  }
  return described;
}

function summary(data: Float32Array): { mean: number; maximum: number } {
  let sum = 0;
  let maximum = -Infinity;
  for (const value of data) {
    sum += value;
    if (value > maximum) maximum = value;
  }
  return { mean: sum / data.length, maximum };
}
