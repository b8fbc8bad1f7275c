import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import fc from 'fast-check';
import {
  DEVICES,
  METRIC_PROTOCOLS,
  RUN_SCHEMA,
  TASKS,
  isRunRecord,
  type DiffusionRecord,
  type FrameRecord,
  type RunRecord,
} from '../../../src/protocol';
import { ROOT } from '../measure/pictures';
import { placesOf, replaced, type Json } from './json-places';
import { frameOf, recordOf } from './runs';

const schema = JSON.parse(readFileSync(path.join(ROOT, 'src/restoration/report/run.schema.json'), 'utf8')) as Record<
  string,
  unknown
>;
const conforms = new Ajv2020({ strict: true }).compile(schema);

/** A record as it stands in a file. */
function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** Types demand every field: a field that is added to the record has to be added here, and so meets both guards. */
const complete: Required<RunRecord> & { frames: Array<Required<FrameRecord>>; model: Required<RunRecord['model']> } = {
  ...recordOf([]),
  taskConfidence: 0.9,
  model: {
    id: 'compact',
    sha256: '',
    adapter: { file: 'rain.safetensors', sha256: 'ab'.repeat(32), scale: 0.5 },
    expert: 'deblurring',
    precision: 'int8',
  },
  reference: { file: 'football-sharp.jpg', sha256: 'ef'.repeat(32) },
  protocol: { name: 'sr', scale: 4 },
  scale: 4,
  region: { x: 3, y: 0, width: 48, height: 32 },
  frames: [
    { ...frameOf(1, 3), name: 'kitchen-1.png', psnr: 25.1, ssim: 0.7, lpips: 0.34, flip: 0.2, change: 0 },
    { ...frameOf(2, 3), name: 'kitchen-2.png', psnr: 31, ssim: 0.9, lpips: 0.12, flip: 0.1, change: 4.25 },
    { ...frameOf(3, 3), name: 'kitchen-3.png', psnr: 'Infinity', ssim: 1, lpips: 0, flip: 0, change: 2.5 },
  ],
  best: { psnr: 3, ssim: 3, lpips: 3 },
  work: { tiles: 1, trunkRuns: 0, headRuns: 8 },
  diffusion: {
    scheduler: 'dpm',
    steps: 50,
    frames: 17,
    guidance: { kind: 'oscillating', scale: 6 },
    seed: 7,
    noise: 'cd'.repeat(32),
    embedding: 'cached',
    canvas: { width: 720, height: 480, fit: 'pad' },
    roundTripPsnr: 38.2,
    secondsPerStep: 3.4,
    tiled: true,
    sequential: false,
    previews: [{ step: 10, timestep: 819, file: `${'01'.repeat(32)}.png` }],
  } satisfies Required<DiffusionRecord>,
  peakMemoryMiB: 312,
  warnings: ['The device webgpu is not there; the cpu was used.'],
};
const full = json(complete);
const unmeasured = json(recordOf([{ change: 0 }, { change: 1.5 }]));

function assertVerdict(record: Json, valid: boolean, name: string): void {
  assert.equal(conforms(record), valid, `schema, ${name}: ${JSON.stringify(conforms.errors)}`);
  assert.equal(isRunRecord(record), valid, `guard, ${name}`);
}

describe('schema of the run record', () => {
  it('is the one that the guard checks', () => {
    const properties = schema.properties as Record<string, { const?: string; enum?: string[]; properties?: never }>;
    assert.equal(properties.schema?.const, RUN_SCHEMA);
    assert.deepEqual(properties.task?.enum, [...TASKS]);
    const device = properties.device?.properties as unknown as Record<string, { enum: string[] }>;
    assert.deepEqual(device.requested?.enum, [...DEVICES]);
    const protocol = properties.protocol?.properties as unknown as Record<string, { enum: string[] }>;
    assert.deepEqual(protocol.name?.enum, [...METRIC_PROTOCOLS]);
  });

  it('accepts complete records', () => {
    assertVerdict(full, true, 'all fields');
    assertVerdict(unmeasured, true, 'no reference');
    assertVerdict(replaced(full, ['frames'], []), true, 'no frame yet');
    assertVerdict(replaced(full, ['futureField'], { any: 'thing' }), true, 'a field of tomorrow');
    const adapter = { file: 'a.safetensors', sha256: '', scale: -1 };
    assertVerdict(replaced(full, ['model', 'adapter'], [adapter, adapter]), true, 'two adapters');
    assertVerdict(replaced(full, ['model', 'adapter'], 'rain.safetensors'), true, 'the name of an adapter');
    assertVerdict(replaced(full, ['frames', 0, 'niqe'], 4), true, 'a metric of tomorrow');
  });

  const bad: Array<[name: string, place: Array<string | number>, by: Json | undefined]> = [
    ['an unknown scheduler', ['diffusion', 'scheduler'], 'euler'],
    ['no steps', ['diffusion', 'steps'], 0],
    ['a fit that is none', ['diffusion', 'canvas', 'fit'], 'stretch'],
    ['a preview without a file', ['diffusion', 'previews', 0, 'file'], undefined],
    ['another version', ['schema'], 'progressive-restoration/run@2'],
    ['no version', ['schema'], undefined],
    ['an unknown task', ['task'], 'deraining'],
    ['an unknown source', ['taskSource'], 'guess'],
    ['a prompt that is a string', ['prompt'], 'a football'],
    ['an endless prompt', ['prompt', 'text'], 'x'.repeat(10_001)],
    ['memory that is a string', ['peakMemoryMiB'], '300 MB'],
    ['no model hash', ['model', 'sha256'], undefined],
    ['an adapter that is null', ['model', 'adapter'], null],
    ['an adapter without a hash', ['model', 'adapter', 'sha256'], undefined],
    ['an adapter whose scale is a text', ['model', 'adapter', 'scale'], '1'],
    ['a list of mere names as adapters', ['model', 'adapter'], ['rain.safetensors']],
    ['"auto" as the device that ran', ['device', 'used'], 'auto'],
    ['an input without width', ['input', 'width'], 0],
    ['a fraction of a pixel', ['input', 'height'], 64.5],
    ['a size as a string', ['input', 'height'], '64'],
    ['an unknown protocol', ['protocol', 'name'], 'yiq'],
    ['a negative region', ['region', 'x'], -1],
    ['an empty region', ['region', 'width'], 0],
    ['frames that are no list', ['frames'], { 0: 'x' }],
    ['a frame that is null', ['frames', 1], null],
    ['a frame 0', ['frames', 0, 'index'], 0],
    ['severity above 1', ['frames', 0, 'severity'], 1.01],
    ['severity below 0', ['frames', 2, 'severity'], -0.01],
    ['a frame without a file', ['frames', 0, 'file'], undefined],
    ['an endless name of a picture', ['frames', 0, 'name'], 'x'.repeat(256)],
    ['a name that is a number', ['frames', 0, 'name'], 1],
    ['"infinity" in another spelling', ['frames', 2, 'psnr'], 'inf'],
    ['an infinite SSIM', ['frames', 2, 'ssim'], 'Infinity'],
    ['LPIPS that is null', ['frames', 0, 'lpips'], null],
    ['best frame without SSIM', ['best', 'ssim'], undefined],
    ['a best frame 0', ['best', 'lpips'], 0],
    ['seconds without a total', ['seconds', 'total'], undefined],
    ['a version that is a number', ['versions', 'node'], 20],
    ['a warning that is an object', ['warnings', 0], { message: 'x' }],
    ['nothing', [], null],
    ['a list', [], []],
  ];
  for (const [name, place, by] of bad) {
    it(`refuses ${name}`, () => assertVerdict(replaced(full, place, by), false, name));
  }

  it('refuses more frames than a view holds', () => {
    const frames = Array.from({ length: 258 }, (_, i) => ({
      ...((full as { frames: Json[] }).frames[0] as object),
      index: i + 1,
    }));
    assertVerdict(replaced(full, ['frames'], frames.slice(0, 257)), true, '257 frames');
    assertVerdict(replaced(full, ['frames'], frames), false, '258 frames');
  });

  it('agrees with the guard whatever is put anywhere', () => {
    const odd = fc.constantFrom<Json>(
      'Infinity',
      'auto',
      'cpu',
      'rgb',
      'user',
      '',
      0,
      1,
      -1,
      0.5,
      1e6,
      1e6 + 1,
      257,
      [],
      {},
      null,
    );
    const anything = fc.oneof(
      { arbitrary: fc.constant(undefined), weight: 1 },
      { arbitrary: odd, weight: 3 },
      { arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>, weight: 2 },
      { arbitrary: fc.integer({ min: 60, max: 10_100 }).map((length) => 'x'.repeat(length)), weight: 1 },
    );
    const change = fc
      .constantFrom(full, unmeasured)
      .chain((record) => fc.tuple(fc.constant(record), fc.constantFrom(...placesOf(record)), anything));
    let refused = 0;
    fc.assert(
      fc.property(change, ([record, place, by]) => {
        const changed = json(replaced(record, place, by));
        const verdict = conforms(changed);
        if (!verdict) refused++;
        assert.equal(isRunRecord(changed), verdict, `${place.join('.')} = ${JSON.stringify(by)}`);
      }),
      { seed: 1, numRuns: 1200 },
    );
    assert.ok(refused > 120 && refused < 1150, `${refused} of 1200 were refused: both verdicts have to occur`);
  });
});
