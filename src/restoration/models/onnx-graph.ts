import { RestorationError } from '../../protocol';

/**
 * Reads what a model file says about itself without running it: inputs, outputs, operator domains, files of weights
 * beside it. Field numbers are those of onnx.proto (ONNX 1.16). Weights are skipped, not read.
 */

export const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};

/** A graph's input or output. A free dimension is its name, or '' when it has none. */
export interface GraphValue {
  name: string;
  /** Such as 'float32'; 'type N' for a type that has no name here. */
  type: string;
  /** Undefined when the graph does not say. */
  dims?: (number | string)[];
}

export interface OnnxGraph {
  /** Inputs that have to be fed: those with a built-in value are left out. */
  inputs: GraphValue[];
  outputs: GraphValue[];
  /** Operators that no standard ONNX runtime knows, as `domain.Operator`, each once. */
  customOperators: string[];
  /** Files with weights, as the model names them. */
  externalData: string[];
}

/** Operator domains that onnxruntime itself implements. */
const KNOWN_DOMAINS = new Set([
  '',
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.preview',
  'ai.onnx.preview.training',
  'ai.onnx.training',
  'com.microsoft',
  'com.microsoft.nchwc',
  'com.microsoft.experimental',
  'com.ms.internal.nhwc',
]);

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
/** Graphs inside of graphs (If, Loop, Scan). */
const DEEPEST = 32;

/** Thrown while reading what is no protocol buffer. */
export class Malformed extends Error {}

/** One field of a message: a number, or the bytes of a text, a message or packed values. */
export interface Field {
  number: number;
  /** Where it lies in its message, tag included. */
  start: number;
  end: number;
  value: number;
  bytes: Uint8Array | undefined;
}

/** The fields of a message in their order. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  /** Larger values than a double holds exactly (64-bit attributes) lose their last bits: none is looked at here. */
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new Malformed();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Malformed();
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw new Malformed();
    if (wire === VARINT) {
      const value = varint();
      yield { number, start, end: at, value, bytes: undefined };
    } else if (wire === LENGTH) {
      const length = varint();
      if (length > message.length - at) throw new Malformed();
      at += length;
      yield { number, start, end: at, value: 0, bytes: message.subarray(at - length, at) };
    } else if (wire === FIXED64 || wire === FIXED32) {
      at += wire === FIXED64 ? 8 : 4;
      if (at > message.length) throw new Malformed();
    } else {
      throw new Malformed();
    }
  }
}

function text(bytes: Uint8Array | undefined): string {
  if (!bytes) throw new Malformed();
  return new TextDecoder().decode(bytes);
}

function needed(bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new Malformed();
  return bytes;
}

/** ValueInfoProto: name = 1, type = 2 { tensor_type = 1 { elem_type = 1, shape = 2 { dim = 1 { value = 1, param = 2 } } } }. */
export function readValue(message: Uint8Array): GraphValue {
  const value: GraphValue = { name: '', type: 'unknown' };
  for (const field of fieldsOf(message)) {
    if (field.number === 1) value.name = text(field.bytes);
    if (field.number !== 2) continue;
    for (const kind of fieldsOf(needed(field.bytes))) {
      if (kind.number !== 1) continue;
      for (const part of fieldsOf(needed(kind.bytes))) {
        if (part.number === 1) value.type = ELEMENT_TYPES[part.value] ?? `type ${part.value}`;
        if (part.number === 2) value.dims = readShape(needed(part.bytes));
      }
    }
  }
  return value;
}

function readShape(message: Uint8Array): (number | string)[] {
  const dims: (number | string)[] = [];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number !== 1) continue;
    let dim: number | string = '';
    for (const part of fieldsOf(needed(bytes))) {
      if (part.number === 1) dim = part.value;
      if (part.number === 2) dim = text(part.bytes);
    }
    dims.push(dim);
  }
  return dims;
}

/** Collects over all graphs of a model. */
class Collector {
  readonly custom = new Set<string>();
  readonly external = new Set<string>();
  /** Functions that the model defines itself are no foreign operators. */
  readonly functions = new Set<string>();

  /** TensorProto: name = 8, external_data = 13 { key = 1, value = 2 }. Returns the name. */
  tensor(message: Uint8Array): string {
    let name = '';
    for (const { number, bytes } of fieldsOf(message)) {
      if (number === 8) name = text(bytes);
      if (number !== 13) continue;
      let key = '';
      let value = '';
      for (const part of fieldsOf(needed(bytes))) {
        if (part.number === 1) key = text(part.bytes);
        if (part.number === 2) value = text(part.bytes);
      }
      if (key === 'location') this.external.add(value);
    }
    return name;
  }

  /** SparseTensorProto: values = 1, indices = 2. */
  sparse(message: Uint8Array): void {
    for (const { number, bytes } of fieldsOf(message)) {
      if (number === 1 || number === 2) this.tensor(needed(bytes));
    }
  }

  /** NodeProto: op_type = 4, attribute = 5, domain = 7. */
  node(message: Uint8Array, depth: number): void {
    let operator = '';
    let domain = '';
    for (const { number, bytes } of fieldsOf(message)) {
      if (number === 4) operator = text(bytes);
      if (number === 7) domain = text(bytes);
      if (number === 5) this.attribute(needed(bytes), depth);
    }
    if (!KNOWN_DOMAINS.has(domain) && !this.functions.has(`${domain}.${operator}`)) {
      this.custom.add(`${domain}.${operator}`);
    }
  }

  /** AttributeProto: t = 5, g = 6, tensors = 10, graphs = 11, sparse_tensor = 22, sparse_tensors = 23. */
  attribute(message: Uint8Array, depth: number): void {
    for (const { number, bytes } of fieldsOf(message)) {
      if (number === 5 || number === 10) this.tensor(needed(bytes));
      if (number === 6 || number === 11) this.graph(needed(bytes), depth + 1);
      if (number === 22 || number === 23) this.sparse(needed(bytes));
    }
  }

  /** GraphProto: node = 1, initializer = 5, input = 11, output = 12, sparse_initializer = 15. */
  graph(message: Uint8Array, depth = 0): { inputs: GraphValue[]; outputs: GraphValue[] } {
    if (depth > DEEPEST) throw new Malformed();
    const initialised = new Set<string>();
    const inputs: GraphValue[] = [];
    const outputs: GraphValue[] = [];
    for (const { number, bytes } of fieldsOf(message)) {
      if (number === 1) this.node(needed(bytes), depth);
      if (number === 5) initialised.add(this.tensor(needed(bytes)));
      if (number === 15) this.sparse(needed(bytes));
      if (number === 11) inputs.push(readValue(needed(bytes)));
      if (number === 12) outputs.push(readValue(needed(bytes)));
    }
    return { inputs: inputs.filter(({ name }) => !initialised.has(name)), outputs };
  }

  /** FunctionProto: name = 1, node = 7, domain = 10. */
  function(message: Uint8Array): void {
    for (const { number, bytes } of fieldsOf(message)) if (number === 7) this.node(needed(bytes), 0);
  }
}

function functionName(message: Uint8Array): string {
  let name = '';
  let domain = '';
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) name = text(bytes);
    if (number === 10) domain = text(bytes);
  }
  return `${domain}.${name}`;
}

/**
 * The graph of an ONNX model.
 *
 * @param label how errors call the model
 * @throws RestorationError `bad-model` when the bytes are no ONNX model
 */
export function readOnnxGraph(model: Uint8Array, label: string): OnnxGraph {
  try {
    const collector = new Collector();
    // ModelProto: graph = 7, functions = 25.
    const parts = [...fieldsOf(model)];
    for (const { number, bytes } of parts) if (number === 25) collector.functions.add(functionName(needed(bytes)));
    for (const { number, bytes } of parts) if (number === 25) collector.function(needed(bytes));
    const graphs = parts.filter(({ number }) => number === 7);
    if (graphs.length !== 1) throw new Malformed();
    const { inputs, outputs } = collector.graph(needed(graphs[0]?.bytes));
    return {
      inputs,
      outputs,
      customOperators: [...collector.custom].sort(),
      externalData: [...collector.external].sort(),
    };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new RestorationError(
      'bad-model',
      `${label} is not an ONNX model: it could not be read as one.`,
      'Give a file that an ONNX exporter wrote.',
      { cause: error },
    );
  }
}

/**
 * Refuses what would fail, or reach for files, when the network is loaded.
 *
 * @param provided paths of the files that the model's manifest lists and whose hashes were checked
 * @throws RestorationError `bad-model`
 */
export function checkOnnxGraph(graph: OnnxGraph, label: string, provided: readonly string[]): void {
  const [operator] = graph.customOperators;
  if (operator !== undefined) {
    throw new RestorationError(
      'bad-model',
      `${label} uses the custom operator ${operator.slice(0, 100)}, which needs a plug-in of its author; only standard operators are run.`,
      'Export the network with standard ONNX operators.',
    );
  }
  for (const location of graph.externalData) {
    if (provided.includes(location)) continue;
    throw new RestorationError(
      'bad-model',
      `${label} keeps weights in ${JSON.stringify(location.slice(0, 100))}, which is no file that its manifest lists.`,
      'List the file beside the network under "files" in the manifest, or export the network in one file.',
    );
  }
}
