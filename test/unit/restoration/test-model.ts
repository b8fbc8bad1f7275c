import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TASKS, type Task } from '../../../src/protocol';
import { promptFeatures } from '../../../src/restoration/prompts/features';
import { writeOnnxModel, type GraphSpec } from '../../../src/restoration/models/onnx-writer';

const PROMPT_WIDTH = 4;
const BUCKETS = 64;
/** The encoder looks a text's ids up in a table of task logits and adds them up; the prompt vector is zero. */
const textEncoder = (logits: Float32Array | undefined): GraphSpec => ({
  inputs: [{ name: 'ids', dims: [1, 'l'], type: 'int64' }],
  outputs: [
    { name: 'prompt', dims: [1, PROMPT_WIDTH] },
    ...(logits ? [{ name: 'task', dims: [1, TASKS.length] }] : []),
  ],
  nodes: [
    { op: 'Identity', inputs: ['zero'], outputs: ['prompt'] },
    ...(logits
      ? [
          { op: 'Gather', inputs: ['logits', 'ids'], outputs: ['rows'] },
          { op: 'ReduceMean', inputs: ['rows'], outputs: ['task'], attributes: { axes: [1], keepdims: 0 } },
        ]
      : []),
  ],
  initialisers: [
    { name: 'zero', dims: [1, PROMPT_WIDTH], data: new Float32Array(PROMPT_WIDTH) },
    ...(logits ? [{ name: 'logits', dims: [BUCKETS, TASKS.length], data: logits }] : []),
  ],
});

/** Words that the test encoder knows: every id of such a word votes for the task. */
export const TASK_WORDS: Record<Task, string> = {
  'super-resolution': 'enlarge',
  deblurring: 'sharpen',
  'low-light': 'brighten',
};

function taskTable(): Float32Array {
  const table = new Float32Array(BUCKETS * TASKS.length);
  TASKS.forEach((task, column) => {
    for (const id of promptFeatures(TASK_WORDS[task], { buckets: BUCKETS, maximumIds: 32 })) {
      table[id * TASKS.length + column] = 8;
    }
  });
  return table;
}

const TRUNK: GraphSpec = {
  inputs: [
    { name: 'image', dims: [1, 3, 'h', 'w'] },
    { name: 'thumbnail', dims: [1, 3, 8, 8] },
    { name: 'prompt', dims: [1, PROMPT_WIDTH] },
  ],
  outputs: [{ name: 'features', dims: [1, 3, 'fh', 'fw'] }],
  nodes: [
    {
      op: 'AveragePool',
      inputs: ['image'],
      outputs: ['features'],
      attributes: { kernel_shape: [4, 4], strides: [4, 4] },
    },
  ],
};

/** Heads with a known answer. `local` looks at one pixel only, so that tiling must not change it at all. */
const HEADS: Record<'local' | 'mixed' | 'nan' | 'wrong-size', GraphSpec['nodes']> = {
  // frame = image + (1 - severity) (1 - image) / 2 = halfway to white at severity 0
  local: [
    { op: 'Sub', inputs: ['one', 'severity'], outputs: ['left'] },
    { op: 'Sub', inputs: ['one', 'image'], outputs: ['dark'] },
    { op: 'Mul', inputs: ['dark', 'step-size'], outputs: ['step'] },
    { op: 'Mul', inputs: ['step', 'left'], outputs: ['part'] },
    { op: 'Add', inputs: ['image', 'part'], outputs: ['frame'] },
  ],
  // The same, but for a mixture of channels by a 1x1 convolution, which has a weight that adapters can change.
  mixed: [
    { op: 'Sub', inputs: ['one', 'severity'], outputs: ['left'] },
    { op: 'Sub', inputs: ['one', 'image'], outputs: ['dark'] },
    { op: 'Conv', inputs: ['dark', 'mix.weight'], outputs: ['mixed'], attributes: { kernel_shape: [1, 1] } },
    { op: 'Mul', inputs: ['mixed', 'step-size'], outputs: ['step'] },
    { op: 'Mul', inputs: ['step', 'left'], outputs: ['part'] },
    { op: 'Add', inputs: ['image', 'part'], outputs: ['frame'] },
  ],
  nan: [
    { op: 'Sub', inputs: ['severity', 'two'], outputs: ['negative'] },
    { op: 'Sqrt', inputs: ['negative'], outputs: ['nothing'] },
    { op: 'Add', inputs: ['image', 'nothing'], outputs: ['frame'] },
  ],
  'wrong-size': [{ op: 'Identity', inputs: ['features'], outputs: ['frame'] }],
};

const scalar = (name: string, value: number) => ({ name, dims: [1], data: Float32Array.of(value) });

/** How far from white towards the picture an expert leaves a pixel, so that its frames say who acted. */
export const EXPERT_STEPS: Record<Task, number> = { 'super-resolution': 0.25, deblurring: 0.5, 'low-light': 1 };

export interface TestModelOptions {
  /** A trunk and a head for each task instead of one for all. */
  experts?: boolean;
  /** The encoder gives task logits; it does unless said otherwise. */
  tellsTasks?: boolean;
  head?: keyof typeof HEADS;
  tile?: { size: number; overlap: number };
  /** Changes to the manifest after it was made, to spoil it. */
  edit?: (manifest: Record<string, never>) => void;
}

/** Writes a real, tiny trajectory model into a folder and returns it. */
export async function writeTestModel(folder: string, options: TestModelOptions = {}): Promise<string> {
  const head = (step: number): GraphSpec => ({
    inputs: [
      { name: 'image', dims: [1, 3, 'h', 'w'] },
      { name: 'features', dims: [1, 3, 'fh', 'fw'] },
      { name: 'prompt', dims: [1, PROMPT_WIDTH] },
      { name: 'severity', dims: [1, 1] },
    ],
    outputs: [{ name: 'frame', dims: [1, 3, 'oh', 'ow'] }],
    nodes: HEADS[options.head ?? 'local'],
    initialisers: [
      scalar('one', 1),
      scalar('two', 2),
      scalar('step-size', step),
      { name: 'mix.weight', dims: [3, 3, 1, 1], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) },
    ],
  });
  const graphs: Record<string, GraphSpec> = {
    text: textEncoder(options.tellsTasks === false ? undefined : taskTable()),
  };
  const experts: Record<string, unknown> = {};
  if (options.experts) {
    for (const task of TASKS) {
      graphs[`${task}-trunk`] = TRUNK;
      graphs[`${task}-head`] = head(EXPERT_STEPS[task]);
      experts[task] = { trunk: `${task}-trunk`, head: `${task}-head` };
    }
  } else {
    graphs.trunk = TRUNK;
    graphs.head = head(0.5);
  }
  await mkdir(folder, { recursive: true });
  const files: Record<string, unknown> = {};
  for (const [key, graph] of Object.entries(graphs)) {
    const bytes = writeOnnxModel(graph);
    await writeFile(path.join(folder, `${key}.onnx`), bytes);
    files[key] = {
      path: `${key}.onnx`,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    };
  }
  const manifest = {
    schema: 1,
    id: 'test-model',
    name: 'Halfway to white',
    version: '1.0.0',
    license: 'MIT',
    kind: 'trajectory',
    tasks: TASKS,
    files,
    ...(options.experts ? { experts } : {}),
    input: { range: [0, 1], layout: 'NCHW', channels: 3, multiple: 16, minimumSide: 32 },
    tile: options.tile ?? { size: 512, overlap: 48 },
    thumbnail: 8,
    prompt: { buckets: BUCKETS, maximumIds: 32, width: PROMPT_WIDTH },
    uniformPrompts: {
      'super-resolution': 'Enlarge the picture.',
      deblurring: 'Sharpen the picture.',
      'low-light': 'Brighten the picture.',
    },
  };
  options.edit?.(manifest as never);
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}
