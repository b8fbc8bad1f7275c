/**
 * Peak memory of one network on the CPU, loaded and run as the library does: `node memory.mjs GRAPH.onnx INPUTS`, INPUTS as
 * JSON {name: {type, dims}}. Prints {files, before, loaded, peakLoaded, peakRan} in bytes: of the files, and of the process.
 */
import { readFile } from 'node:fs/promises';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';

const [graph, json] = process.argv.slice(2);
if (graph === undefined || json === undefined) {
  console.error('Usage: node memory.mjs GRAPH.onnx INPUTS');
  process.exit(2);
}
const resident = () => process.memoryUsage.rss();
/** Of this process alone: getrusage's would begin with that of the process that started it. Linux. */
const peak = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
const forgetPeak = () => writeFileSync('/proc/self/clear_refs', '5');

const before = resident();
/** Its buffers can be freed when it is done, as those of the library can. */
async function load() {
  const folder = path.dirname(graph);
  const bytes = readFileSync(graph);
  const named = readdirSync(folder).filter((name) => /\.weights\.\d+$/.test(name) && bytes.includes(name));
  const externalData = await Promise.all(
    named.map(async (name) => ({ path: name, data: await readFile(path.join(folder, name)) })),
  );
  const files = bytes.length + externalData.reduce((sum, { data }) => sum + data.length, 0);
  const made = await ort.InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...(externalData.length > 0 ? { externalData } : {}),
  });
  return { session: made, files };
}

const { session, files } = await load();
const loaded = { resident: resident(), peak: peak() };
const feeds = Object.fromEntries(
  Object.entries(JSON.parse(json)).map(([name, { type, dims }]) => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const data = type === 'int64' ? new BigInt64Array(length).fill(499n) : new Float32Array(length).fill(0.1);
    return [name, new ort.Tensor(type, data, dims)];
  }),
);
forgetPeak();
await session.run(feeds);
console.log(
  JSON.stringify({
    files,
    before,
    loaded: loaded.resident,
    peakLoaded: loaded.peak,
    peakRan: peak(),
  }),
);
