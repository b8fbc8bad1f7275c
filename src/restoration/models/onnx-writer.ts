/**
 * Writes small ONNX models byte by byte (protocol buffers), so that devices can be probed before any model is loaded.
 * Field numbers are those of onnx.proto (ONNX 1.16, IR version 8).
 */

import { varint } from './onnx-encode';

const FLOAT = 1;
const UINT8 = 2;
const INT64 = 7;
const FLOAT16 = 10;
const FLOAT64 = 11;
const ATTRIBUTE_INTS = 7;
const ATTRIBUTE_INT = 2;
/** TensorProto.DataLocation: the values are in another file. */
const EXTERNAL = 1;
const IR_VERSION = 8;
const OPSET = 17;

/** Numbers of element types, as `Cast` takes them, too. */
export const ELEMENT_TYPES = {
  float32: FLOAT,
  uint8: UINT8,
  int64: INT64,
  float16: FLOAT16,
  float64: FLOAT64,
} as const;

/** A named graph input or output; a text is a free dimension. */
export interface ValueSpec {
  name: string;
  dims: readonly (number | string)[];
  type?: keyof typeof ELEMENT_TYPES;
}

export interface NodeSpec {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** The standard operators unless said otherwise. */
  domain?: string;
  attributes?: Record<string, number | readonly number[]>;
}

export interface InitialiserSpec {
  name: string;
  dims: readonly number[];
  /** The values, or the file beside the model that holds them. */
  data?: Float32Array;
  external?: { location: string; bytes: number };
}

export interface GraphSpec {
  inputs: readonly ValueSpec[];
  outputs: readonly ValueSpec[];
  nodes: readonly NodeSpec[];
  initialisers?: readonly InitialiserSpec[];
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

function valueInfo(field: number, { name, dims, type = 'float32' }: ValueSpec): number[] {
  const shape = dims.flatMap((dim) => block(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)));
  const tensor = [...integer(1, ELEMENT_TYPES[type]), ...block(2, shape)];
  return block(field, [...text(1, name), ...block(2, block(1, tensor))]);
}

function attribute(name: string, value: number | readonly number[]): number[] {
  return typeof value === 'number'
    ? block(5, [...text(1, name), ...integer(3, value), ...integer(20, ATTRIBUTE_INT)])
    : block(5, [...text(1, name), ...value.flatMap((v) => integer(8, v)), ...integer(20, ATTRIBUTE_INTS)]);
}

function initialiser({ name, dims, data = new Float32Array(0), external }: InitialiserSpec): number[] {
  const entry = (key: string, value: string): number[] => block(13, [...text(1, key), ...text(2, value)]);
  return [
    ...dims.flatMap((dim) => integer(1, dim)),
    ...integer(2, FLOAT),
    ...text(8, name),
    ...(external
      ? [
          ...entry('location', external.location),
          ...entry('offset', '0'),
          ...entry('length', String(external.bytes)),
          ...integer(14, EXTERNAL),
        ]
      : block(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))),
  ];
}

/** The bytes of a model with this graph. Attributes are non-negative integers or lists of them; opset 17. */
export function writeOnnxModel(spec: GraphSpec): Uint8Array {
  const nodes = spec.nodes.flatMap(({ op, inputs, outputs, domain, attributes = {} }) =>
    block(1, [
      ...inputs.flatMap((name) => text(1, name)),
      ...outputs.flatMap((name) => text(2, name)),
      ...text(4, op),
      ...(domain === undefined ? [] : text(7, domain)),
      ...Object.entries(attributes).flatMap(([name, value]) => attribute(name, value)),
    ]),
  );
  const graph = [
    ...nodes,
    ...text(2, 'graph'),
    ...(spec.initialisers ?? []).flatMap((value) => block(5, initialiser(value))),
    ...spec.inputs.flatMap((value) => valueInfo(11, value)),
    ...spec.outputs.flatMap((value) => valueInfo(12, value)),
  ];
  const domains = new Set(['', ...spec.nodes.map(({ domain = '' }) => domain)]);
  const opsets = [...domains].flatMap((domain) =>
    block(8, [...text(1, domain), ...integer(2, domain === '' ? OPSET : 1)]),
  );
  return Uint8Array.from([...integer(1, IR_VERSION), ...block(7, graph), ...opsets]);
}
