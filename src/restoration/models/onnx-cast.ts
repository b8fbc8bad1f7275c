import { block, integer, rewritten, text } from './onnx-encode';
import { readOnnxGraph, readValue, type OnnxGraph } from './onnx-graph';

/**
 * Puts conversions at the border of a model, so that every value that it takes or gives is float32: float16 tensors cannot
 * be passed alike on all versions of Node.js, and one type is enough for pictures. The graph inside is not touched; the
 * few fields are rewritten, all others copied as they are. Field numbers are those of onnx.proto (ONNX 1.16).
 */

const FLOAT = 1;
const ATTRIBUTE_INT = 2;
/** Element types of onnx.proto that pictures come in. */
const CONVERTED: Readonly<Record<string, number>> = { uint8: 2, float16: 10, float64: 11 };
/** Appended to the name of a value that is converted. */
const SUFFIX = ':float32';

export interface CastModel {
  bytes: Uint8Array;
  /** The graph with the names of the file; converted values stand there as float32. */
  graph: OnnxGraph;
  /** Names to feed for the names of the file. */
  names: ReadonlyMap<string, string>;
  /** The way back. */
  originals: ReadonlyMap<string, string>;
}

/** NodeProto: input = 1, output = 2, op_type = 4, attribute = 5 { name = 1, i = 3, type = 20 }; as a node of a graph. */
function node(operator: string, from: string, to: string, element?: number): Uint8Array {
  const attribute =
    element === undefined ? [] : [block(5, text(1, 'to'), integer(3, element), integer(20, ATTRIBUTE_INT))];
  return block(1, text(1, from), text(2, to), text(4, operator), ...attribute);
}

/** ValueInfoProto with another name and float32 as its type; the shape stays. */
function renamedValue(message: Uint8Array, name: string): Uint8Array {
  return rewritten(message, (field, bytes) => {
    if (field === 1) return text(1, name);
    if (field !== 2) return undefined;
    // TypeProto { tensor_type = 1 { elem_type = 1, shape = 2 } }: a second elem_type overrides the first.
    return block(
      2,
      rewritten(bytes, (kind, tensor) => (kind === 1 ? block(1, tensor, integer(1, FLOAT)) : undefined)),
    );
  });
}

/**
 * The model with float32 at its border, or as it was when nothing had to be converted.
 *
 * @param label how errors call the model
 * @throws RestorationError `bad-model` when the bytes are no ONNX model
 */
export function castToFloat32(model: Uint8Array, label: string): CastModel {
  const graph = readOnnxGraph(model, label);
  const names = new Map<string, string>();
  for (const { name, type } of [...graph.inputs, ...graph.outputs]) {
    if (Object.hasOwn(CONVERTED, type)) names.set(name, name + SUFFIX);
  }
  if (names.size === 0) return { bytes: model, graph, names, originals: names };
  const typed = new Map([...graph.inputs, ...graph.outputs].map(({ name, type }) => [name, CONVERTED[type]]));
  const inputs = graph.inputs.filter(({ name }) => names.has(name));
  const outputs = graph.outputs.filter(({ name }) => names.has(name));
  // Converted to whole numbers, values are rounded first: the conversion itself cuts.
  const first = inputs.flatMap(({ name, type }) => {
    const from = name + SUFFIX;
    const element = typed.get(name);
    if (type !== 'uint8') return [node('Cast', from, name, element)];
    return [node('Round', from, `${from}:rounded`), node('Cast', `${from}:rounded`, name, element)];
  });
  const last = outputs.map(({ name }) => node('Cast', name, name + SUFFIX, FLOAT));
  const change = (field: number, bytes: Uint8Array): Uint8Array | undefined => {
    // GraphProto: input = 11, output = 12.
    if (field !== 11 && field !== 12) return undefined;
    const { name } = readValue(bytes);
    const listed = (field === 11 ? inputs : outputs).some((value) => value.name === name);
    return listed ? block(field, renamedValue(bytes, name + SUFFIX)) : undefined;
  };
  // ModelProto: graph = 7. Nodes stand in the order of their running: conversions of inputs first, of outputs last.
  const bytes = rewritten(model, (field, content) =>
    field === 7 ? block(7, ...first, rewritten(content, change), ...last) : undefined,
  );
  const shown = (values: OnnxGraph['inputs']): OnnxGraph['inputs'] =>
    values.map((value) => (names.has(value.name) ? { ...value, type: 'float32' } : value));
  return {
    bytes,
    graph: { ...graph, inputs: shown(graph.inputs), outputs: shown(graph.outputs) },
    names,
    originals: new Map([...names].map(([name, other]) => [other, name])),
  };
}
