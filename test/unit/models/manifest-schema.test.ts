import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import fc from 'fast-check';
import { CHANNEL_KINDS, GUIDANCE_KINDS, RestorationError, SCHEDULERS, TASKS } from '../../../src/protocol';
import { COGVIDEOX_VARIANTS, POSITIONS, ROPE_GRIDS } from '../../../src/restoration/models/cogvideox-manifest';
import { FILE_PATH, MODEL_ID, parseManifest } from '../../../src/restoration/models/manifest';
import { LAYOUTS, PADDINGS } from '../../../src/restoration/models/network-manifest';
import { placesOf, replaced, type Json, type Place } from '../report/json-places';

const MODELS = path.resolve(__dirname, '../../../models');

function read(file: string): Json {
  return JSON.parse(readFileSync(path.join(MODELS, file), 'utf8')) as Json;
}

const schema = read('manifest.schema.json') as Record<string, unknown>;
// Branches by kind name fields of the level above.
const conforms = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true }).compile(
  schema,
);

/** Rules between fields, which the schema cannot say. */
const BETWEEN_FIELDS = [
  /has to be a multiple of/,
  /"(experts\.[a-z-]+\.)?tile\.overlap" has to be a whole number/,
  /names no file of "files"/,
  /which is not among "tasks"/,
  /values of black and white, which differ/,
  /may be at most "input\.border" times "scale"/,
  /has to leave at least 4 pixels/,
  /"output\.(mean|std)" has to be a list of [13] numbers/,
  /"constants\[\d+\]\.values" has to be a list of 1 or \d+ numbers/,
  /samples in all constants/,
  /more than once/,
  /has to be 8N \+ 1/,
  /has to be a multiple of 8 x "patch"/,
  /has to be "vae\.channels"/,
  /cannot restore a picture/,
  /has to be true where positions are learned/,
  /into whole latents/,
  /for each of "vae\.channels" and one more/,
];

/** What the guard says: undefined when it accepts. */
function complaint(json: Json): string | undefined {
  try {
    parseManifest(json, '/models/test');
    return undefined;
  } catch (error) {
    assert.ok(error instanceof RestorationError && error.code === 'bad-model', String(error));
    assert.ok(error.message.length < 1500, 'a complaint stays readable');
    return error.message;
  }
}

const file = { path: 'weights/network.onnx', sha256: 'ab'.repeat(32), bytes: 1234, url: 'https://example.org/a.onnx' };
const VIDEO_LISTS = [SCHEDULERS, GUIDANCE_KINDS, COGVIDEOX_VARIANTS, POSITIONS, ROPE_GRIDS];
/** Every field of a network. */
const network: Json = {
  schema: 1,
  id: 'my-net',
  name: 'My network',
  version: '1.0.0',
  license: 'MIT',
  kind: 'network',
  tasks: ['super-resolution'],
  files: { network: file },
  scale: 2,
  input: {
    name: 'image',
    layout: 'NHWC',
    channels: 'BGR',
    range: [0, 255],
    mean: [1, 2, 3],
    std: [1, 1, 2],
    multiple: 4,
    minimumSide: 16,
    size: { width: 128, height: 96 },
    padding: 'replicate',
    border: 8,
  },
  output: {
    name: 'result',
    layout: 'NHWC',
    channels: 'RGB',
    range: [0, 1],
    mean: [0, 0, 0],
    std: [1, 1, 1],
    cropped: 4,
  },
  constants: [
    { name: 'noise', type: 'float32', dims: [1, 2], values: [0.5, 1] },
    { name: 'steps', type: 'int64', dims: [], values: [3] },
  ],
  tile: { size: 256, overlap: 32 },
};
const small: Json = {
  schema: 1,
  id: 'luma',
  name: 'Luma',
  version: '1',
  license: 'MIT',
  kind: 'network',
  tasks: ['deblurring', 'low-light'],
  files: { network: { path: 'a.onnx', sha256: '0'.repeat(64), bytes: 1 } },
  input: { channels: 'Y', mean: [0.5], std: [0.5] },
};
const shipped = ['compact', 'lpips'].map((name) => read(`${name}/manifest.json`));
const experts: Json = {
  ...(shipped[0] as { [key: string]: Json }),
  tasks: [...TASKS],
  files: {
    text: { path: 'text.onnx', sha256: '0'.repeat(64), bytes: 10 },
    trunk: { path: 'trunk.onnx', sha256: '0'.repeat(64), bytes: 10 },
    head: { path: 'head.onnx', sha256: '0'.repeat(64), bytes: 10 },
  },
  input: { multiple: 16, minimumSide: 32 },
  tile: { size: 512, overlap: 48 },
  experts: Object.fromEntries(
    TASKS.map((task) => [
      task,
      {
        trunk: 'trunk',
        head: 'head',
        multiple: 16,
        tile: { size: 256, overlap: 16 },
        int8: { trunk: 'trunk', head: 'head' },
      },
    ]),
  ),
};

/** Every field of a video model. */
const COLOURS = Object.fromEntries(
  ['red', 'green', 'blue'].map((name, k) => [name, Array.from({ length: 17 }, (_, i) => (i + k) / 20 - 0.4)]),
);

const video: Json = {
  schema: 1,
  id: 'video',
  name: 'Video',
  version: '1',
  license: 'MIT',
  kind: 'cogvideox',
  tasks: ['deblurring'],
  files: Object.fromEntries(
    ['vae_encoder', 'vae_decoder', 'vae_still', 'transformer', 'text_encoder', 'tokenizer', 'embeddings'].map((key) => [
      key,
      { path: `${key}.onnx`, sha256: '0'.repeat(64), bytes: 10 },
    ]),
  ),
  uniformPrompts: { deblurring: 'Remove the blur.' },
  frames: 9,
  canvas: { width: 720, height: 480, fixed: true },
  resize: 'crop',
  text: { length: 226, width: 4096 },
  transformer: {
    variant: '1.5-5b-i2v',
    layers: 42,
    heads: 48,
    headDim: 64,
    inChannels: 32,
    outChannels: 16,
    patch: 2,
    patchT: 2,
    positions: 'rope',
    ropeGrid: 'slice',
    ropeBase: { height: 300, width: 300 },
    ofs: 2,
  },
  vae: {
    channels: 16,
    scale: 0.7,
    invertImageScale: true,
    tile: { height: 240, width: 360, overlapHeight: 1 / 6, overlapWidth: 1 / 5 },
    fullChannels: 128,
    preview: COLOURS,
  },
  scheduler: { kind: 'dpm', snrShift: 1, steps: 50 },
  guidance: { kind: 'oscillating', scale: 6 },
  precision: 'fp16',
};

describe('schema of the manifest', () => {
  it('names what the guard names', () => {
    const text = JSON.stringify(schema);
    for (const list of [TASKS, CHANNEL_KINDS, LAYOUTS, PADDINGS, ...VIDEO_LISTS])
      assert.ok(text.includes(JSON.stringify(list)), list[0]);
    assert.ok(text.includes(JSON.stringify(FILE_PATH.source)), 'the expression of paths');
    assert.ok(text.includes(JSON.stringify(MODEL_ID.source)), 'the expression of ids');
  });

  it('accepts every model of the package', () => {
    for (const name of readdirSync(MODELS, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      if (name.name === 'recipes') continue;
      const manifest = read(`${name.name}/manifest.json`);
      assert.ok(conforms(manifest), `${name.name}: ${JSON.stringify(conforms.errors)}`);
      assert.equal(complaint(manifest), undefined);
    }
  });

  it('accepts networks with every field, with few, and models with experts', () => {
    for (const manifest of [network, small, experts, video]) {
      assert.ok(conforms(manifest), JSON.stringify(conforms.errors));
      assert.equal(complaint(manifest), undefined);
    }
  });

  const bad: [string, Json, Place, Json | undefined][] = [
    ['another version', network, ['schema'], 2],
    ['no licence', network, ['license'], undefined],
    ['an id that is a path', network, ['id'], 'a/b'],
    ['an id with a dot at its end', network, ['id'], 'a.'],
    ['an unknown kind', network, ['kind'], 'magic'],
    ['no tasks', network, ['tasks'], []],
    ['a task twice', small, ['tasks'], ['deblurring', 'deblurring']],
    ['an unknown task', small, ['tasks', 0], 'colourise'],
    ['enlarging for another task', small, ['scale'], 2],
    ['a scale beyond 8', network, ['scale'], 9],
    ['a fraction as scale', network, ['scale'], 1.5],
    ['no network', network, ['files', 'network'], undefined],
    ['a file key that is inherited', network, ['files', '__proto__x'], { ...file }],
    ['a path that climbs', network, ['files', 'network', 'path'], '../a.onnx'],
    ['a path that climbs within', network, ['files', 'network', 'path'], 'a/../../b.onnx'],
    ['an absolute path', network, ['files', 'network', 'path'], '/a.onnx'],
    ['a drive', network, ['files', 'network', 'path'], 'C:a.onnx'],
    ['a stream of a file', network, ['files', 'network', 'path'], 'a.onnx:b'],
    ['a backslash', network, ['files', 'network', 'path'], 'a\\b.onnx'],
    ['a null byte', network, ['files', 'network', 'path'], 'a\0.onnx'],
    ['a hidden folder', network, ['files', 'network', 'path'], '.git/hooks'],
    ['a folder', network, ['files', 'network', 'path'], 'weights/'],
    ['the manifest as a file', network, ['files', 'network', 'path'], 'manifest.json'],
    ['an endless path', network, ['files', 'network', 'path'], 'a'.repeat(401)],
    ['a short hash', network, ['files', 'network', 'sha256'], 'abc'],
    ['a size of nothing', network, ['files', 'network', 'bytes'], 0],
    ['a size beyond 2 TiB', network, ['files', 'network', 'bytes'], 2 ** 41 + 1],
    ['an open address', network, ['files', 'network', 'url'], 'http://example.org/a'],
    ['another protocol', network, ['files', 'network', 'url'], 'ftp://example.org/a'],
    ['no input', network, ['input'], undefined],
    ['an unknown layout', network, ['input', 'layout'], 'WHCN'],
    ['unknown channels', network, ['input', 'channels'], 'CMYK'],
    ['a range of one number', network, ['input', 'range'], [1]],
    ['a range of texts', network, ['input', 'range'], ['0', '255']],
    ['a gigantic range', network, ['input', 'range'], [0, 1e300]],
    ['means of another number of channels', network, ['input', 'mean'], [1]],
    ['means of three channels for one', small, ['input', 'mean'], [1, 2, 3]],
    ['a standard deviation of 0', network, ['input', 'std'], [0, 1, 1]],
    ['a multiple of 0', network, ['input', 'multiple'], 0],
    ['half a size', network, ['input', 'size'], { width: 64 }],
    ['a gigantic size', network, ['input', 'size', 'width'], 1e9],
    ['unknown padding', network, ['input', 'padding'], 'wrap'],
    ['a negative border', network, ['input', 'border'], -1],
    ['constants without a name', network, ['constants', 0, 'name'], undefined],
    ['constants of no type', network, ['constants', 0, 'type'], 'float16'],
    ['constants of a gigantic size', network, ['constants', 0, 'dims'], [1e9]],
    ['constants without a value', network, ['constants', 0, 'values'], []],
    ['fractions for whole numbers', network, ['constants', 1, 'values'], [0.5]],
    [
      'too many constants',
      network,
      ['constants'],
      Array.from({ length: 17 }, () => ({ name: 'a', dims: [], values: [1] })),
    ],
    ['a tile of one pixel', network, ['tile', 'size'], 1],
    ['experts without a head', experts, ['experts', 'deblurring', 'head'], undefined],
    ['a task without its expert', experts, ['experts', 'deblurring'], undefined],
    ['a task without its sentence', experts, ['uniformPrompts', 'deblurring'], undefined],
    ['a text for a number', experts, ['thumbnail'], '64'],
    ['no text encoder', experts, ['files', 'text'], undefined],
    ['a clip of 8 frames', video, ['frames'], 8],
    ['a canvas of no width', video, ['canvas', 'width'], 0],
    ['a rule that stretches', video, ['resize'], 'stretch'],
    ['an unknown variant', video, ['transformer', 'variant'], '3b'],
    ['a head of 24', video, ['transformer', 'headDim'], 24],
    ['a patch of three frames', video, ['transformer', 'patchT'], 3],
    ['a constant that is true', video, ['transformer', 'ofs'], true],
    ['a scale of 0', video, ['vae', 'scale'], 0],
    ['no blue', video, ['vae', 'preview', 'blue'], undefined],
    ['a colour of texts', video, ['vae', 'preview', 'red'], ['1', '2']],
    ['an unknown scheduler', video, ['scheduler', 'kind'], 'euler'],
    ['unknown guidance', video, ['guidance', 'kind'], 'dynamic'],
    ['a text encoder without its tokenizer', video, ['files', 'tokenizer'], undefined],
    ['no decoder', video, ['files', 'vae_decoder'], undefined],
    ['nothing', network, [], null],
    ['a list', network, [], []],
  ];
  for (const [name, manifest, place, by] of bad) {
    it(`refuses ${name}, and so does the guard`, () => {
      const changed = replaced(manifest, place, by);
      assert.equal(conforms(changed), false, 'schema');
      assert.notEqual(complaint(changed), undefined, 'guard');
    });
  }

  const between: [string, Json, Place, Json][] = [
    ['a range of one value', network, ['input', 'range'], [1, 1]],
    ['more cropped than added', network, ['output', 'cropped'], 17],
    ['a border that leaves nothing', network, ['input', 'size'], { width: 16, height: 16 }],
    ['an overlap above a third', network, ['tile', 'overlap'], 86],
    ['too few values', network, ['constants', 0, 'dims'], [3]],
    ['constants without end', network, ['constants', 0], { name: 'a', dims: [65_536, 2], values: [1] }],
    ['one file under two keys', network, ['files', 'other'], { ...file, path: 'Weights/Network.onnx' }],
    ['a file that is a folder', network, ['files', 'other'], { ...file, path: 'weights' }],
    ['a clip of ten frames', video, ['frames'], 10],
    ['a canvas off the patches', video, ['canvas', 'width'], 728],
    ['plain text-to-video weights', video, ['transformer', 'inChannels'], 16],
    ['a colour of too few channels', video, ['vae', 'preview', 'red'], [1, 2]],
    ['tiles that do not meet', video, ['vae', 'tile', 'overlapHeight'], 0.15],
    ['an expert that is no file', experts, ['experts', 'deblurring', 'trunk'], 'toString'],
  ];
  for (const [name, manifest, place, by] of between) {
    it(`leaves ${name} to the guard`, () => {
      const message = complaint(replaced(manifest, place, by)) ?? '';
      assert.ok(
        BETWEEN_FIELDS.some((rule) => rule.test(message)),
        message,
      );
    });
  }

  it('agrees with the guard whatever is put anywhere', () => {
    const odd = fc.constantFrom<Json>(
      'RGB',
      'Y',
      'NCHW',
      'float32',
      'deblurring',
      'https://example.org/x',
      '../x',
      'a.onnx',
      '',
      0,
      1,
      2,
      -1,
      0.5,
      64,
      1e6,
      1e12,
      1e300,
      [],
      {},
      [1],
      [0, 1],
      [1, 1, 1],
      ['low-light'],
      null,
      true,
    );
    const anything = fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 1 },
      { arbitrary: odd, weight: 4 },
      { arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>, weight: 2 },
      { arbitrary: fc.integer({ min: 90, max: 2100 }).map((length) => 'x'.repeat(length)), weight: 1 },
    );
    const change = fc
      .constantFrom(network, small, experts, video, ...shipped)
      .chain((manifest) => fc.tuple(fc.constant(manifest), fc.constantFrom(...placesOf(manifest)), anything));
    let refused = 0;
    fc.assert(
      fc.property(change, change, ([manifest, place, by], [, secondPlace, secondBy]) => {
        const once = replaced(manifest, place, by);
        const changed = JSON.parse(JSON.stringify(replaced(once, secondPlace.slice(0, 2), secondBy) ?? null)) as Json;
        for (const json of [JSON.parse(JSON.stringify(once ?? null)) as Json, changed]) {
          const verdict = conforms(json);
          const message = complaint(json);
          if (message === undefined) {
            assert.ok(verdict, `the guard accepts, the schema says ${JSON.stringify(conforms.errors)}`);
          } else {
            refused++;
            const excused = BETWEEN_FIELDS.some((rule) => rule.test(message));
            assert.ok(!verdict || excused, `the schema accepts, the guard says ${message}`);
          }
        }
      }),
      { seed: 3, numRuns: 1500 },
    );
    assert.ok(refused > 300 && refused < 2900, `${refused} of 3000 were refused: both verdicts have to occur`);
  });

  it('of any JSON the guard makes a manifest or one clear complaint', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => void complaint(json as Json)),
      { seed: 12, numRuns: 500 },
    );
  });
});
