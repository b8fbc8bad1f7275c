/** CIE XYZ of the three primaries, relative to D50, as `rXYZ`, `gXYZ`, `bXYZ` of a profile. */
export type Primaries = readonly [readonly number[], readonly number[], readonly number[]];

/** Adobe RGB (1998), adapted to D50. */
export const ADOBE_RGB: Primaries = [
  [0.60974, 0.31111, 0.01947],
  [0.20528, 0.62567, 0.06087],
  [0.14919, 0.06322, 0.74457],
];

/** sRGB, adapted to D50. */
export const SRGB: Primaries = [
  [0.43607, 0.22249, 0.01392],
  [0.38515, 0.71687, 0.09708],
  [0.14307, 0.06061, 0.7141],
];

function fixed(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(Math.round(value * 65536));
  return bytes;
}

function xyz(values: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('XYZ \0\0\0\0', 'latin1'), ...values.map(fixed)]);
}

/** `curv` with one entry: a gamma. */
export function gammaCurve(gamma: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write('curv', 'latin1');
  bytes.writeUInt32BE(1, 8);
  bytes.writeUInt16BE(Math.round(gamma * 256), 12);
  return bytes;
}

/** `curv` with a table of 16-bit entries. */
export function tableCurve(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil((12 + 2 * values.length) / 4) * 4);
  bytes.write('curv', 'latin1');
  bytes.writeUInt32BE(values.length, 8);
  values.forEach((value, i) => bytes.writeUInt16BE(Math.round(value * 65535), 12 + 2 * i));
  return bytes;
}

/** `para` of form 3: sRGB's curve. */
export function srgbCurve(): Buffer {
  const head = Buffer.from([0x70, 0x61, 0x72, 0x61, 0, 0, 0, 0, 0, 3, 0, 0]);
  return Buffer.concat([head, ...[2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045].map(fixed)]);
}

function profile(space: 'RGB ' | 'GRAY', tags: readonly (readonly [string, Buffer])[]): Buffer {
  const header = Buffer.alloc(128);
  header.writeUInt32BE(0x02400000, 8);
  header.write(`mntr${space}XYZ `, 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  xyz([0.9642, 1, 0.8249]).copy(header, 68, 8);
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  let offset = header.length + table.length;
  tags.forEach(([name, data], i) => {
    table.write(name, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * i);
    table.writeUInt32BE(data.length, 12 + 12 * i);
    offset += data.length;
  });
  const bytes = Buffer.concat([header, table, ...tags.map(([, data]) => data)]);
  bytes.writeUInt32BE(bytes.length, 0);
  return bytes;
}

function described(name: string): readonly (readonly [string, Buffer])[] {
  const text = Buffer.alloc(12 + name.length + 1 + 78);
  text.write('desc', 'latin1');
  text.writeUInt32BE(name.length + 1, 8);
  text.write(name, 12, 'latin1');
  const padded = Buffer.concat([text, Buffer.alloc((4 - (text.length % 4)) % 4)]);
  const copyright = Buffer.from('text\0\0\0\0none\0\0\0\0', 'latin1');
  return [
    ['desc', padded],
    ['cprt', copyright],
    ['wtpt', xyz([0.9642, 1, 0.8249])],
  ];
}

/** A matrix profile of version 2 as the colour engine takes it. */
export function rgbProfile([r, g, b]: Primaries, curve: Buffer): Buffer {
  return profile('RGB ', [
    ...described('test'),
    ['rXYZ', xyz(r)],
    ['gXYZ', xyz(g)],
    ['bXYZ', xyz(b)],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ]);
}

export function greyProfile(curve: Buffer): Buffer {
  return profile('GRAY', [...described('test'), ['kTRC', curve]]);
}

/** XYZ in lookup tables is stored with 1 + 32767/32768 as the largest value. */
const XYZ_RANGE = 1 + 32767 / 32768;

/** `mft2` of 3 channels to 3 with two grid points an axis, whose corners `corner` gives in [0, 1]. */
function lut(matrix: readonly number[], corner: (a: number, b: number, c: number) => readonly number[]): Buffer {
  const head = Buffer.alloc(12);
  head.write('mft2', 'latin1');
  head.set([3, 3, 2, 0], 8);
  const sizes = Buffer.from([0, 2, 0, 2]);
  const identity = Buffer.from([0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255]);
  const nodes = [0, 1].flatMap((a) => [0, 1].flatMap((b) => [0, 1].flatMap((c) => corner(a, b, c))));
  const grid = Buffer.alloc(2 * nodes.length);
  nodes.forEach((value, i) => grid.writeUInt16BE(Math.round(Math.min(1, Math.max(0, value)) * 65535), 2 * i));
  return Buffer.concat([head, ...matrix.map(fixed), sizes, identity, grid, identity]);
}

/** Linear light of the primaries, said by lookup tables in both directions, or in one. */
export function tableProfile([r, g, b]: Primaries, inverse: readonly number[] | undefined): Buffer {
  const toXyz = lut([1, 0, 0, 0, 1, 0, 0, 0, 1], (x, y, z) =>
    [0, 1, 2].map((i) => (x * (r[i] as number) + y * (g[i] as number) + z * (b[i] as number)) / XYZ_RANGE),
  );
  const tags: [string, Buffer][] = [['A2B0', toXyz]];
  if (inverse) {
    tags.push([
      'B2A0',
      lut(
        inverse.map((value) => value * XYZ_RANGE),
        (x, y, z) => [x, y, z],
      ),
    ]);
  }
  return profile('RGB ', [...described('test'), ...tags]);
}

/** The inverse of `SRGB` as a matrix. */
export const XYZ_TO_SRGB = [3.1342, -1.6172, -0.4907, -0.9788, 1.9162, 0.0335, 0.0719, -0.229, 1.4058] as const;
