import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  RestorationError,
  isRunRecord,
  isRunView,
  type ErrorCode,
  type FrameRecord,
  type RestoreRequest,
  type RunView,
} from '../../../src/protocol';
import { checkRequest } from '../../../src/inference/check-request';
import { CogVideoXModel, type CogVideoXFrame } from '../../../src/restoration/cogvideox/cogvideox-model';
import { partMemories } from '../../../src/restoration/cogvideox/memory-plan';
import { NetworkShelf } from '../../../src/restoration/cogvideox/network-shelf';
import { decodePicture } from '../../../src/restoration/image/decode';
import type { AnyPixels } from '../../../src/restoration/image/pixels';
import { ModelPool } from '../../../src/restoration/run/model-pool';
import { restorePicture } from '../../../src/restoration/run/restore-picture';
import { safetensorsBytes } from '../adapters/write-safetensors';
import { FIXTURES, LONGER, WHOLE, tinyFolder, tinyModel } from './fixtures';

const small = path.join(FIXTURES, 'picture.png');
const large = path.resolve(__dirname, '../../fixtures/pictures/card.png');
const never = new AbortController().signal;

function refusal(code: ErrorCode, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RestorationError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

describe('restoring with a CogVideoX model', () => {
  const pool = new ModelPool();
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-cogvideox-'));
  });
  after(async () => {
    await pool.release();
    await rm(folder, { recursive: true });
  });

  async function restore(
    change: Partial<RestoreRequest> = {},
    {
      onFrame = () => undefined,
      signal = never,
    }: { onFrame?: (record: FrameRecord) => void; signal?: AbortSignal } = {},
  ): Promise<RunView> {
    const request = checkRequest<'restore'>('restore', {
      input: small,
      task: 'deblurring',
      frames: 9,
      model: tinyFolder(WHOLE),
      device: 'cpu',
      priority: 'interactive',
      framesFolder: path.join(folder, 'frames'),
      ...change,
      diffusion: change.diffusion ?? { steps: 3, seed: 4, previews: 2 },
    });
    return restorePicture(
      request,
      pool,
      { onProgress: () => undefined, onStart: () => undefined, onFrame: (record) => onFrame(record) },
      signal,
    );
  }

  const pixels = async (view: RunView, frame: number): Promise<Uint8Array> =>
    (await decodePicture(path.join(folder, 'frames', view.record.frames[frame]?.file ?? ''))).pixels.data;

  it('gives nine frames from the picture itself on, and says how it came to them', async () => {
    const told: FrameRecord[] = [];
    const view = await restore({}, { onFrame: (record) => told.push(record) });
    assert.ok(isRunView(JSON.parse(JSON.stringify(view))));
    const { record } = view;
    assert.ok(isRunRecord(record));
    assert.equal(record.frames.length, 9);
    assert.deepEqual(await pixels(view, 0), (await decodePicture(small)).pixels.data);
    assert.ok(record.diffusion);
    const { previews, secondsPerStep, roundTripPsnr, ...rest } = record.diffusion;
    assert.deepEqual(rest, {
      scheduler: 'ddim',
      steps: 3,
      frames: 9,
      guidance: { kind: 'fixed', scale: 6 },
      seed: 4,
      embedding: 'cached',
      canvas: { width: 48, height: 32, fit: 'pad' },
      tiled: false,
      sequential: false,
    });
    assert.ok(secondsPerStep > 0);
    assert.ok(typeof roundTripPsnr === 'number' && roundTripPsnr > 3 && roundTripPsnr < 60, String(roundTripPsnr));
    assert.deepEqual(
      previews?.map(({ step, timestep }) => [step, timestep]),
      [
        [1, 999],
        [2, 666],
      ],
    );
    // The picture, then two estimates of eight frames, then eight frames that replace them.
    assert.equal(told.length, 1 + 8 * 3);
    assert.deepEqual(
      told.map(({ index }) => index),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    for (const { file } of previews ?? []) {
      const estimate = await decodePicture(path.join(folder, 'frames', file));
      assert.deepEqual([estimate.pixels.width, estimate.pixels.height], [48, 32]);
    }
    assert.notEqual(previews?.[0]?.file, previews?.[1]?.file);
  });

  it('gives the same clip for the same seed, another one for another seed, and ignores how many estimates are shown', async () => {
    const files = async (diffusion: RestoreRequest['diffusion']): Promise<string[]> =>
      (await restore({ diffusion })).record.frames.map(({ file }) => file);
    const once = await files({ steps: 2, seed: 1, previews: 1, scheduler: 'dpm' });
    assert.deepEqual(await files({ steps: 2, seed: 1, previews: 0, scheduler: 'dpm' }), once);
    assert.notDeepEqual(await files({ steps: 2, seed: 2, previews: 0, scheduler: 'dpm' }), once);
  });

  it('brings frames back to the size of a picture of another shape', async () => {
    const { pixels: source } = await decodePicture(large);
    for (const variant of [WHOLE, '5b']) {
      const { record } = await restore({ input: large, model: tinyFolder(variant) });
      for (const { width, height } of record.frames) assert.deepEqual([width, height], [source.width, source.height]);
      const warnings = (record.warnings ?? []).join('\n');
      assert.match(warnings, /was resized to \d+x\d+ for the model, and its frames back.*aspect ratio was kept/);
      const { canvas } = record.diffusion ?? {};
      if (variant === WHOLE) assert.deepEqual([canvas?.width, canvas?.height], [48, 32]);
      else assert.ok(canvas && Math.abs(canvas.width / canvas.height - source.width / source.height) < 0.5);
    }
  });

  it('takes its frames out of clips of other lengths, all of them or fewer', async () => {
    for (const [variant, clip] of Object.entries(LONGER)) {
      const { record } = await restore({ model: tinyFolder(variant), frames: clip });
      assert.equal(record.frames.length, clip);
      assert.equal(record.diffusion?.frames, clip);
      assert.deepEqual(
        record.frames.map(({ index, severity }) => [index, Math.round(severity * (clip - 1))]),
        Array.from({ length: clip }, (_, k) => [k + 1, clip - 1 - k]),
      );
      assert.equal(new Set(record.frames.map(({ file }) => file)).size, clip, 'no two frames are the same');
      // Nine of them, as of every other model, unless more are asked for.
      const few = await restore({ model: tinyFolder(variant) });
      assert.equal(few.record.diffusion?.frames, clip);
      assert.deepEqual(
        few.record.frames.map(({ file }) => file),
        record.frames.filter((_, k) => k % ((clip - 1) / 8) === 0).map(({ file }) => file),
      );
    }
  });

  it('refuses numbers of frames that its clip does not have, and says which it has', async () => {
    for (const [frames, pattern] of [
      [10, /makes clips of 9 frames; 10 were asked for\. Ask for 2, 3, 5 or 9; clips have 8N \+ 1 frames\./],
      [
        17,
        /makes clips of 9 frames; 17 were asked for\. Ask for 2, 3, 5 or 9, or train and export .* for clips of 17\./,
      ],
      [6, /makes clips of 9 frames, of which 6 cannot be evenly spaced\. Ask for 2, 3, 5 or 9/],
    ] as const) {
      await assert.rejects(restore({ frames }), refusal('bad-argument', pattern));
    }
    assert.equal((await restore({ frames: 5 })).record.frames.length, 5);
  });

  it('stops between two steps', async () => {
    const controller = new AbortController();
    const started = restore(
      { diffusion: { steps: 200, previews: 64 } },
      { signal: controller.signal, onFrame: ({ index }) => void (index === 9 && controller.abort()) },
    );
    await assert.rejects(started, refusal('cancelled', /cancelled/));
  });

  it('encodes a prompt of the caller’s with the text encoder, and refuses it clearly without one', async () => {
    const prompt = 'A brick wall in the evening.';
    const { record } = await restore({ prompt });
    assert.equal(record.diffusion?.embedding, 'encoded');
    assert.match(record.prompt.text, /brick wall/);
    await assert.rejects(
      restore({ prompt, model: tinyFolder('5b') }),
      refusal('bad-argument', /came without its text encoder.*Leave the prompt out, or export/s),
    );
  });

  it('refuses severities between two frames, and wishes that other models do not know', async () => {
    await assert.rejects(restore({ severities: [0.3, 0] }), refusal('bad-argument', /severity 0\.3 lies between two/));
    await assert.rejects(
      restore({ model: 'compact' }),
      refusal('bad-argument', /compact is no diffusion model: steps/),
    );
    await assert.rejects(restore({ precision: 'int8' }), refusal('bad-argument', /has no int8 networks/));
    for (const diffusion of [{ steps: 0 }, { guidance: -1 }, { seed: 0.5 }, { previews: 1000 }]) {
      await assert.rejects(async () => restore({ diffusion }), refusal('bad-argument', /has to be|have to be/));
    }
  });

  it('refuses plain text-to-video weights with the reason', async () => {
    const copy = path.join(folder, 'plain');
    await cp(tinyFolder('5b'), copy, { recursive: true });
    const file = path.join(copy, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as { transformer: { inChannels: number } };
    manifest.transformer.inChannels /= 2;
    await writeFile(file, JSON.stringify(manifest));
    await assert.rejects(restore({ model: copy }), refusal('bad-model', /cannot restore a picture.*text-to-video/s));
  });

  describe('with adapters', () => {
    const own = path.join(FIXTURES, WHOLE, 'lora.safetensors');
    const seed = { steps: 2, seed: 1, previews: 0 };
    const last = async (adapters: RestoreRequest['adapters']): Promise<string | undefined> =>
      (await restore({ diffusion: seed, adapters })).record.frames[8]?.file;

    it('takes several, each with its scale, and names them in the record', async () => {
      const plain = await last([]);
      assert.equal(await last([{ file: own, scale: 0 }]), plain);
      const whole = await last([{ file: own, scale: 1 }]);
      assert.notEqual(whole, plain);
      const { record } = await restore({
        diffusion: seed,
        adapters: [
          { file: own, scale: 2 },
          { file: own, scale: -1 },
        ],
      });
      const difference = await decodePicture(path.join(folder, 'frames', record.frames[8]?.file ?? ''));
      const once = await decodePicture(path.join(folder, 'frames', whole ?? ''));
      const worst = Math.max(...difference.pixels.data.map((v, i) => Math.abs(v - (once.pixels.data[i] as number))));
      assert.ok(worst <= 1, `2 - 1 is 1, but for rounding: ${worst}`);
      assert.ok(Array.isArray(record.model.adapter) && record.model.adapter.length === 2);
    });

    it('refuses those that do not fit, before anything is changed', async () => {
      const layer = 'transformer.transformer_blocks.0.attn1.to_q';
      const write = async (name: string, factors: Record<string, [number[], number[]]>): Promise<string> => {
        const tensors = Object.fromEntries(
          Object.entries(factors).flatMap(([key, [a, b]]) =>
            [a, b].map((shape, i) => [
              `${key}.lora_${'AB'[i]}.weight`,
              { shape, data: new Float32Array((shape[0] as number) * (shape[1] as number)).fill(0.1) },
            ]),
          ),
        );
        const file = path.join(folder, `${name}.safetensors`);
        await writeFile(file, safetensorsBytes(tensors, { r: '2', lora_alpha: '2' }));
        return file;
      };
      const cases: [string, Record<string, [number[], number[]]>, RegExp][] = [
        [
          'narrow',
          {
            [layer]: [
              [2, 8],
              [32, 2],
            ],
          },
          /its change of .*to_q is \[32, 8\], the weight is \[32, 32\]/,
        ],
        [
          'unknown',
          {
            [`${layer}x`]: [
              [2, 32],
              [32, 2],
            ],
          },
          /has no layer transformer_blocks\.0\.attn1\.to_qx/,
        ],
        [
          'ranks',
          {
            [layer]: [
              [2, 32],
              [32, 3],
            ],
          },
          /do not belong together/,
        ],
      ];
      for (const [name, factors, pattern] of cases) {
        const file = await write(name, factors);
        await assert.rejects(last([{ file, scale: 1 }]), refusal('bad-adapter', pattern), name);
      }
    });
  });

  it('holds one network at a time where it has to, and refuses what does not fit', async () => {
    const installed = await tinyModel(WHOLE);
    const shelf = new NetworkShelf(installed, 'cpu', []);
    await shelf.runner('vae_encoder', false);
    await shelf.runner('transformer', false);
    assert.deepEqual(shelf.parts, ['vae_encoder', 'transformer']);
    await shelf.runner('vae_decoder', true);
    assert.deepEqual(shelf.parts, ['vae_decoder']);
    await shelf.release();
    assert.deepEqual(shelf.parts, []);
    const poor = await CogVideoXModel.load(installed, 'cpu', [], () => Promise.resolve({ host: 1e6, gpu: undefined }));
    await assert.rejects(
      poor.plan({ width: 48, height: 32 }, true),
      refusal('device-unavailable', /does not fit.*Close other programs/s),
    );
    assert.deepEqual(poor.loadedParts, [], 'the plan loads nothing');
  });

  it('works in tiles and one network at a time where memory is short, and gives the same clip either way', async () => {
    const installed = await tinyModel(WHOLE);
    const { pixels: picture } = await decodePicture(small);
    const settings = installed.manifest;
    const files = await new NetworkShelf(installed, 'cpu', []).weights();
    files.delete('text_encoder');
    const canvas = { width: 48, height: 32 };
    const parts = partMemories(settings, files, canvas, 'cpu', true);
    const sum = parts.reduce((total, { weights }) => total + weights, 0);
    const together = sum + Math.max(...parts.map(({ activations }) => activations));
    const apart = Math.max(...parts.map(({ weights, activations }) => weights + activations));
    assert.ok(apart < together);
    const clips: { frames: AnyPixels[]; estimates: CogVideoXFrame[]; notes: string[]; modes: unknown[] }[] = [];
    for (const host of [1e12, together / 0.9 + 1, apart / 0.9 + 1]) {
      const model = await CogVideoXModel.load(installed, 'cpu', [], () => Promise.resolve({ host, gpu: undefined }));
      const trajectory = model.trajectory({
        picture,
        task: 'deblurring',
        prompt: settings.uniformPrompts.deblurring,
        severities: [0.5, 0],
        diffusion: { steps: 2, seed: 3, previews: 1 },
        signal: never,
        onProgress: () => {
          if (host < together) assert.ok(model.loadedParts.length <= 1, model.loadedParts.join(', '));
        },
      });
      const frames: AnyPixels[] = [];
      const estimates: CogVideoXFrame[] = [];
      for (let next = await trajectory.next(); ; next = await trajectory.next()) {
        if (!next.done) {
          if (next.value.preview) estimates.push(next.value);
          else frames[next.value.index] = next.value.pixels;
          continue;
        }
        const { notes, diffusion } = next.value ?? { notes: [] };
        clips.push({ frames, estimates, notes, modes: [diffusion?.tiled, diffusion?.sequential] });
        break;
      }
      await model.release();
    }
    const [whole, tiled, single] = clips as [(typeof clips)[0], (typeof clips)[0], (typeof clips)[0]];
    assert.deepEqual(
      clips.map(({ modes }) => modes),
      [
        [false, false],
        [true, false],
        [true, true],
      ],
    );
    assert.deepEqual(whole.notes, []);
    assert.match(tiled.notes.join('\n'), /the autoencoder worked in tiles\.$/);
    assert.match(single.notes.join('\n'), /worked in tiles and one network at a time was in memory/);
    assert.match(single.notes.join('\n'), /Estimates on the way are rough: memory holds one network at a time/);
    assert.deepEqual(
      [whole, tiled, single].map(({ estimates }) => estimates.map(({ index, preview }) => [index, preview])),
      [undefined, undefined, true].map((approximate) =>
        [0, 1].map((index) => [index, { step: 1, timestep: 999, ...(approximate ? { approximate } : {}) }]),
      ),
    );
    const [middle, last] = single.estimates.map(({ pixels }) => pixels);
    assert.deepEqual([middle?.width, middle?.height], [48, 32]);
    assert.notDeepEqual(middle, last);
    assert.deepEqual(single.frames, tiled.frames);
    assert.notDeepEqual(tiled.frames, whole.frames);
  });
});
