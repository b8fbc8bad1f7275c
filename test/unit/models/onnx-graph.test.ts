import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import { castToFloat32 } from '../../../src/restoration/models/onnx-cast';
import { checkOnnxGraph, readOnnxGraph } from '../../../src/restoration/models/onnx-graph';
import { writeOnnxModel } from '../../../src/restoration/models/onnx-writer';
import { NETWORKS } from './test-network';

function graphOrComplaint(bytes: Uint8Array): void {
  try {
    const { graph } = castToFloat32(bytes, 'a.onnx');
    assert.ok(Array.isArray(graph.inputs) && Array.isArray(graph.outputs));
  } catch (error) {
    assert.ok(error instanceof RestorationError && error.code === 'bad-model', String(error));
  }
}

describe('what an ONNX file says of itself', () => {
  it('are names, types and shapes', () => {
    const { inputs, outputs, customOperators, externalData } = readOnnxGraph(writeOnnxModel(NETWORKS.noise), 'a');
    assert.deepEqual(inputs, [
      { name: 'x', type: 'float32', dims: [1, 3, 'h', 'w'] },
      { name: 'noise', type: 'float32', dims: [1] },
    ]);
    assert.deepEqual(outputs, [{ name: 'y', type: 'float32', dims: [1, 3, 'h', 'w'] }]);
    assert.deepEqual([customOperators, externalData], [[], []]);
  });

  it('are foreign operators and files of weights', () => {
    const custom = readOnnxGraph(writeOnnxModel(NETWORKS.custom), 'a');
    assert.deepEqual(custom.customOperators, ['my.plugin.Deform']);
    assert.throws(() => checkOnnxGraph(custom, 'a.onnx', []), /a\.onnx uses the custom operator my\.plugin\.Deform/);
    const external = readOnnxGraph(writeOnnxModel(NETWORKS.external), 'a');
    assert.deepEqual(external.externalData, ['weights.bin']);
    assert.throws(() => checkOnnxGraph(external, 'a.onnx', ['other.bin']), /no file that its manifest lists/);
    checkOnnxGraph(external, 'a.onnx', ['weights.bin']);
  });

  it('is read of the networks that ship inside', () => {
    const bytes = readFileSync(path.resolve(__dirname, '../../../models/compact/text.onnx'));
    const { inputs, outputs } = readOnnxGraph(bytes, 'text');
    assert.deepEqual(
      inputs.map(({ name, type }) => [name, type]),
      [['ids', 'int64']],
    );
    assert.ok(outputs.some(({ name }) => name === 'prompt'));
    assert.equal(castToFloat32(bytes, 'text').bytes, bytes, 'nothing to convert: the bytes stay as they are');
  });

  it('is a graph or one clear complaint for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), graphOrComplaint), { seed: 21, numRuns: 1000 });
  });

  it('is a graph or one clear complaint for a damaged model', () => {
    const models = Object.values(NETWORKS).map((spec) => writeOnnxModel(spec));
    const damage = fc.tuple(
      fc.constantFrom(...models),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.nat(),
    );
    let refused = 0;
    fc.assert(
      fc.property(damage, ([model, changes, cut]) => {
        const bytes = Uint8Array.from(model);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const damaged = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        graphOrComplaint(damaged);
        try {
          readOnnxGraph(damaged, 'a');
        } catch {
          refused++;
        }
      }),
      { seed: 22, numRuns: 1500 },
    );
    assert.ok(refused > 150 && refused < 1450, `${refused} of 1500 were refused: both verdicts have to occur`);
  });

  it('does not nest without end', () => {
    // A graph inside an attribute of a node inside a graph, and so on.
    let graph: number[] = [];
    const block = (field: number, content: number[]): number[] => {
      const length: number[] = [];
      let rest = content.length;
      for (; rest > 127; rest >>= 7) length.push((rest & 127) | 128);
      return [field * 8 + 2, ...length, rest, ...content];
    };
    for (let depth = 0; depth < 200; depth++) graph = block(1, block(5, block(6, graph)));
    assert.throws(
      () => readOnnxGraph(Uint8Array.from(block(7, graph)), 'deep.onnx'),
      /deep\.onnx is not an ONNX model/,
    );
  });
});
