/** Half-precision numbers as single-precision ones, and back. Node.js has no Float16Array before version 24. */

const shared = new DataView(new ArrayBuffer(4));

function floatOfBits(bits: number): number {
  shared.setUint32(0, bits);
  return shared.getFloat32(0);
}

/** All 65,536 halves, made when the first is asked for: looking up is ten times as fast as computing. */
let table: Float32Array | undefined;

/** The value of an IEEE 754 binary16 by its bits. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Little-endian IEEE 754 binary16. */
export function floatsOfHalves(bytes: Uint8Array): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  const values = new Float32Array(Math.floor(bytes.length / 2));
  const from = view(bytes);
  for (let i = 0; i < values.length; i++) values[i] = table[from.getUint16(i * 2, true)] as number;
  return values;
}

/** Little-endian bfloat16: the upper half of a binary32. */
export function floatsOfBrainFloats(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(Math.floor(bytes.length / 2));
  const from = view(bytes);
  for (let i = 0; i < values.length; i++) values[i] = floatOfBits(from.getUint16(i * 2, true) * 65536);
  return values;
}

/** Little-endian IEEE 754 binary32, wherever it begins. */
export function floatsOfSingles(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(Math.floor(bytes.length / 4));
  const from = view(bytes);
  for (let i = 0; i < values.length; i++) values[i] = from.getFloat32(i * 4, true);
  return values;
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** Bits of the IEEE 754 binary16 that is nearest, halfway cases to even; infinite from 65520 on. */
export function halfBits(value: number): number {
  float[0] = value;
  const bits = floatBits[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are multiples of 2^-24.
    const multiple = Math.abs(float[0]) * 2 ** 24;
    const floor = Math.floor(multiple);
    const rest = multiple - floor;
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
  }
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

/** Upper half of the binary32, rounded to nearest, halfway cases to even. */
export function brainFloatBits(value: number): number {
  float[0] = value;
  const bits = floatBits[0] as number;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
