/*
 * Seconds a run of an exported network in Node, on a device of onnxruntime-node: WebGPU from the npm package, CUDA where it
 * was built in.
 *
 *     python benchmark.py --variant 5b-i2v --blocks 2 --folder runs/benchmark       # exports, and measures Python's backends
 *     node benchmark.mjs runs/benchmark/transformer/transformer.onnx --device webgpu
 *
 * Inputs are random, of the graph's own sizes; --size HxW (latents) fills in those that are open.
 */
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: 'string', default: 'webgpu' },
    size: { type: 'string', default: '60x90' },
    repeats: { type: 'string', default: '5' },
  },
});
const [file] = positionals;
const [h, w] = values.size.split('x').map(Number);
if (file === undefined || !(h > 0) || !(w > 0)) {
  console.error('usage: node benchmark.mjs FILE.onnx [--device webgpu] [--size 60x90] [--repeats 5]');
  process.exit(2);
}
const offered = ort.listSupportedBackends().map(({ name }) => name);
if (!offered.includes(values.device)) {
  console.error(`onnxruntime-node offers ${offered.join(', ')} here, not ${values.device}. Nothing was measured.`);
  process.exit(1);
}

let session;
try {
  session = await ort.InferenceSession.create(file, { executionProviders: [values.device], logSeverityLevel: 3 });
} catch (error) {
  console.error(
    `${file} could not be loaded on ${values.device}: ${error.message.slice(0, 300)} Nothing was measured.`,
  );
  process.exit(1);
}
const open = { h, w, height: 8 * h, width: 8 * w, tokens: undefined };
const hidden = session.inputMetadata.find(({ name }) => name === 'hidden_states')?.shape;
open.tokens = hidden && (hidden[1] * h * w) / 4;
const feeds = {};
for (const { name, type, shape } of session.inputMetadata) {
  const dims = shape.map((side) => (typeof side === 'number' ? side : open[side]));
  const count = dims.reduce((product, side) => product * side, 1);
  feeds[name] =
    type === 'int64'
      ? new ort.Tensor('int64', new BigInt64Array(count).fill(499n), dims)
      : new ort.Tensor(
          'float32',
          Float32Array.from({ length: count }, () => Math.random() - 0.5),
          dims,
        );
}
const seconds = [];
for (let run = 0; run <= Number(values.repeats); run++) {
  const began = performance.now();
  await session.run(feeds);
  // The first run compiles and is not counted.
  if (run > 0) seconds.push((performance.now() - began) / 1000);
}
seconds.sort((a, b) => a - b);
console.log(
  JSON.stringify(
    {
      file,
      device: values.device,
      inputs: Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims])),
      medianSeconds: seconds[Math.floor(seconds.length / 2)],
    },
    null,
    1,
  ),
);
