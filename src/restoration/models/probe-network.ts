/**
 * A tiny ONNX model written out byte by byte (protocol buffers), so that devices can be probed before any model is
 * loaded: y = conv3x3(x), 16 channels to 16, weights all 1/64. Field numbers are those of onnx.proto (ONNX 1.16, IR 8).
 */

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function integer(field: number, value: number): number[] {
  return [...varint(field * 8), ...varint(value)];
}

function block(field: number, content: Iterable<number>): number[] {
  const bytes = [...content];
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return block(field, new TextEncoder().encode(value));
}

const FLOAT = 1;
const CHANNELS = 16;

function tensorType(dims: (number | string)[]): number[] {
  const shape = dims.flatMap((dim) => block(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)));
  return block(1, [...integer(1, FLOAT), ...block(2, shape)]);
}

function valueInfo(field: number, name: string, dims: (number | string)[]): number[] {
  return block(field, [...text(1, name), ...block(2, tensorType(dims))]);
}

function integersAttribute(name: string, values: number[]): number[] {
  const INTS = 7;
  return block(5, [...text(1, name), ...values.flatMap((value) => integer(8, value)), ...integer(20, INTS)]);
}

/** The model's bytes. Input `x` float32 [1,16,H,W], output `y` of the same shape. */
export function probeNetwork(): Uint8Array {
  const weights = new Float32Array(CHANNELS * CHANNELS * 9).fill(1 / 64);
  const initialiser = [
    ...[CHANNELS, CHANNELS, 3, 3].flatMap((dim) => integer(1, dim)),
    ...integer(2, FLOAT),
    ...text(8, 'w'),
    ...block(9, new Uint8Array(weights.buffer)),
  ];
  const node = [
    ...text(1, 'x'),
    ...text(1, 'w'),
    ...text(2, 'y'),
    ...text(4, 'Conv'),
    ...integersAttribute('kernel_shape', [3, 3]),
    ...integersAttribute('pads', [1, 1, 1, 1]),
  ];
  const graph = [
    ...block(1, node),
    ...text(2, 'probe'),
    ...block(5, initialiser),
    ...valueInfo(11, 'x', [1, CHANNELS, 'h', 'w']),
    ...valueInfo(12, 'y', [1, CHANNELS, 'h', 'w']),
  ];
  const opset = [...text(1, ''), ...integer(2, 17)];
  return Uint8Array.from([...integer(1, 8), ...block(7, graph), ...block(8, opset)]);
}
