import assert from 'node:assert/strict';
import path from 'node:path';
import { readVideoAdapter, mergeVideoAdapters } from '../../../src/restoration/adapters/video-adapter';
import { Autoencoder, type Runner } from '../../../src/restoration/cogvideox/autoencoder';
import { CogVideoXModel, type CogVideoXWork } from '../../../src/restoration/cogvideox/cogvideox-model';
import { guidanceFactor } from '../../../src/restoration/cogvideox/guidance';
import { cumulativeAlphas, trailingTimesteps } from '../../../src/restoration/cogvideox/noise-schedule';
import { rotaryEmbedding } from '../../../src/restoration/cogvideox/rope';
import { createScheduler } from '../../../src/restoration/cogvideox/scheduler';
import { PromptTokenizer } from '../../../src/restoration/cogvideox/tokens';
import { PromptEmbeddings } from '../../../src/restoration/cogvideox/prompt-embeddings';
import { decodePicture } from '../../../src/restoration/image/decode';
import type { AnyPixels } from '../../../src/restoration/image/pixels';
import { readVerified } from '../../../src/restoration/models/manifest';
import { Network } from '../../../src/restoration/models/sessions';
import {
  FIXTURES,
  LONGER,
  VARIANTS,
  WHOLE,
  json,
  largestDifference,
  tensors,
  tinyModel,
  type ReferenceRun,
} from './fixtures';

/** What every part may differ from diffusers. */
const PART = 1e-4;
/** dB that final frames have to agree to. */
const FRAMES_DB = 60;

const signal = new AbortController().signal;
const quiet = (): void => undefined;

function close(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, tolerance = PART): void {
  const difference = largestDifference(actual ?? [], expected);
  assert.ok(difference <= tolerance, `differs by ${difference}`);
}

describe('CogVideoX against diffusers: the arithmetic', () => {
  interface Trace {
    start: number[];
    states: number[][];
    noise?: number[][];
  }
  interface Tables {
    shifts: Record<
      string,
      {
        alphas_cumprod: Record<string, number>;
        timesteps: Record<string, number[]>;
        traces: Record<string, Trace>;
      }
    >;
    oscillating: number[];
  }

  it('has its alphas, timesteps, and every state of both schedulers', () => {
    const { shifts } = json<Tables>('scheduler.json');
    let traces = 0;
    for (const [shift, table] of Object.entries(shifts)) {
      const alphas = cumulativeAlphas(Number(shift));
      for (const [t, value] of Object.entries(table.alphas_cumprod))
        close([alphas[Number(t)] as number], [value], 1e-6);
      for (const [count, steps] of Object.entries(table.timesteps)) {
        assert.deepEqual(trailingTimesteps(Number(count)), steps);
      }
      for (const [name, { start, states, noise }] of Object.entries(table.traces)) {
        const [kind, count] = name.split('-') as ['ddim' | 'dpm', string];
        const scheduler = createScheduler(kind, Number(count), Number(shift));
        let x = Float32Array.from(start);
        for (const step of scheduler.steps) {
          const velocity = x.map((value) => Math.sin(value * 3 + step.index));
          const estimate = scheduler.estimate(step, x, velocity);
          x = Float32Array.from(
            scheduler.advance(step, x, estimate, noise ? Float32Array.from(noise[step.index] ?? []) : undefined),
          );
          close(x, states[step.index] ?? [], 1e-4);
          // From the reference's own state, so that a difference does not grow from step to step.
          x = Float32Array.from(states[step.index] ?? []);
        }
        traces++;
      }
    }
    assert.equal(traces, 8);
  });

  it('has its oscillating guidance', () => {
    const { oscillating } = json<Tables>('scheduler.json');
    const values = trailingTimesteps(50).map((t, i) => guidanceFactor({ kind: 'oscillating', scale: 6 }, i, t, 50));
    close(values, oscillating, 1e-9);
  });

  it('has its tokens', async () => {
    const installed = await tinyModel(WHOLE);
    const { length } = installed.manifest.text;
    const text = async (key: string): Promise<string> => new TextDecoder().decode(await readVerified(installed, key));
    const tokenizer = PromptTokenizer.parse(await text('tokenizer'), await text('tokenizer_config'), length, 'tiny');
    const prompts = json<{ prompt: string; ids: number[] }[]>('tokens.json');
    assert.ok(prompts.length >= 5);
    for (const { prompt, ids } of prompts) assert.deepEqual(tokenizer.encode(prompt).ids, ids, prompt);
    assert.equal(tokenizer.encode('step '.repeat(40)).cut, true);
    assert.equal(tokenizer.encode('a').cut, false);
  });
});

for (const variant of VARIANTS) {
  describe(`CogVideoX against diffusers: ${variant}`, () => {
    const parts = (): ReturnType<typeof tensors> => tensors(variant, 'parts.safetensors');

    it('has the positions of all grids', async function () {
      const { transformer, frames } = (await tinyModel(variant)).manifest;
      if (transformer.positions === 'sincos') {
        assert.throws(() => parts()('rope.cos'), /has no rope\.cos/);
        return;
      }
      const latent = Math.ceil(((frames - 1) / 4 + 1) / transformer.patchT);
      for (const [name, grid, rows, columns] of [
        ['', transformer.ropeGrid, 2, 3],
        ['arange_', 'arange', 2, 3],
        ['wide_', transformer.ropeGrid, 3, 8],
      ] as const) {
        const { cos, sin } = rotaryEmbedding(
          { frames: latent, rows, columns },
          transformer.headDim,
          grid,
          transformer.ropeBase,
        );
        close(cos, parts()(`rope.${name}cos`).data, 1e-5);
        close(sin, parts()(`rope.${name}sin`).data, 1e-5);
      }
    });

    it('encodes the picture', async () => {
      const installed = await tinyModel(variant);
      const network = await Network.load(installed, 'vae_encoder', 'cpu');
      const sample = parts()('vae_encoder.sample');
      const { moments } = await network.run({ sample: { type: 'float32', data: sample.data, dims: sample.shape } });
      close(moments?.data, parts()('vae_encoder.moments').data);
      await network.release();
    });

    it('predicts the velocity, without and with a LoRA adapter', async () => {
      const installed = await tinyModel(variant);
      const adapter = await readVideoAdapter({ file: path.join(installed.folder, 'lora.safetensors'), scale: 1 });
      assert.equal(adapter.note, undefined, 'the file says its alpha');
      const { transformer, frames } = installed.manifest;
      const float = (name: string) => {
        const { data, shape } = parts()(name);
        return { type: 'float32' as const, data, dims: shape };
      };
      const latent = Math.ceil(((frames - 1) / 4 + 1) / transformer.patchT);
      const rope = rotaryEmbedding(
        { frames: latent, rows: 2, columns: 3 },
        transformer.headDim,
        transformer.ropeGrid,
        transformer.ropeBase,
      );
      const dims = [rope.cos.length / transformer.headDim, transformer.headDim];
      const inputs = {
        hidden_states: float('transformer.hidden_states'),
        encoder_hidden_states: float('transformer.encoder_hidden_states'),
        timestep: {
          type: 'int64' as const,
          data: BigInt64Array.from(parts()('transformer.timestep').data, (value) => BigInt(value)),
          dims: [1],
        },
        ...(transformer.positions === 'sincos'
          ? {}
          : {
              rope_cos: { type: 'float32' as const, data: rope.cos, dims },
              rope_sin: { type: 'float32' as const, data: rope.sin, dims },
            }),
        ...(transformer.ofs === false ? {} : { ofs: float('transformer.ofs') }),
      };
      const velocities: Float32Array[] = [];
      for (const [adapters, expected] of [
        [[], 'transformer.velocity'],
        [[adapter], 'transformer.velocity_lora'],
      ] as const) {
        const network = await Network.load(installed, 'transformer', 'cpu', (bytes, label, beside) =>
          mergeVideoAdapters(bytes, beside, adapters, label),
        );
        const { velocity } = await network.run(inputs);
        close(velocity?.data, parts()(expected).data);
        velocities.push(velocity?.data ?? new Float32Array());
        await network.release();
      }
      const [plain, adapted] = velocities as [Float32Array, Float32Array];
      assert.ok(largestDifference(plain, adapted) > 100 * PART, 'the adapter visibly acts');
    });

    describe('runs', () => {
      let model: CogVideoXModel;
      let adapted: CogVideoXModel;
      let picture: AnyPixels;

      before(async () => {
        const installed = await tinyModel(variant);
        const adapter = await readVideoAdapter({ file: path.join(installed.folder, 'lora.safetensors'), scale: 1 });
        model = await CogVideoXModel.load(installed, 'cpu');
        adapted = await CogVideoXModel.load(installed, 'cpu', [adapter]);
        picture = (await decodePicture(path.join(FIXTURES, 'picture.png'))).pixels;
      });
      after(async () => {
        await model.release();
        await adapted.release();
      });

      it('end in the latents and frames of the reference, whichever scheduler, guidance and adapter', async () => {
        const runs = json<ReferenceRun[]>(variant, 'runs.json');
        assert.equal(runs.length, 7);
        for (const run of runs) await endsAsReference(variant, run, run.lora ? adapted : model, picture);
        assert.equal(
          runs.reduce((sum, { frames }) => sum + frames.length, 0),
          variant === WHOLE ? 15 : 8,
        );
      });
    });
  });
}

for (const [variant, clip] of Object.entries(LONGER)) {
  describe(`CogVideoX against diffusers: ${variant}`, () => {
    it(`ends in the latents and frames of the reference for ${clip} frames`, async () => {
      const installed = await tinyModel(variant);
      assert.equal(installed.manifest.frames, clip);
      const [run, ...others] = json<ReferenceRun[]>(variant, 'runs.json') as [ReferenceRun, ...ReferenceRun[]];
      assert.deepEqual(others, []);
      // Frames on both sides of every border between the pieces that the decoder works in, and the last.
      assert.ok(run.frames.includes(clip - 1) && run.frames.includes(9) && run.frames.length === (clip - 1) / 4 - 1);
      const adapter = await readVideoAdapter({ file: path.join(installed.folder, 'lora.safetensors'), scale: 1 });
      const model = await CogVideoXModel.load(installed, 'cpu', run.lora ? [adapter] : []);
      const { pixels } = await decodePicture(path.join(FIXTURES, 'picture.png'));
      await endsAsReference(variant, run, model, pixels);
      await model.release();
    });
  });
}

/** Runs a model as the reference was run and compares latents and frames. */
async function endsAsReference(
  variant: string,
  run: ReferenceRun,
  model: CogVideoXModel,
  picture: AnyPixels,
): Promise<void> {
  const { manifest, folder } = model.installed;
  const last = manifest.frames - 1;
  const trajectory = model.trajectory({
    picture,
    task: run.task,
    prompt: manifest.uniformPrompts[run.task],
    severities: Array.from({ length: manifest.frames }, (_, k) => 1 - k / last),
    depth: 16,
    diffusion: {
      steps: run.steps,
      scheduler: run.scheduler,
      guidance: run.guidance.scale,
      guidanceKind: run.guidance.kind,
      noise: path.join(folder, run.noise),
      previews: 0,
    },
    signal,
    onProgress: quiet,
  });
  const frames: AnyPixels[] = [];
  const { work } = await finished(trajectory, frames);
  assert.ok(work);
  assert.equal(frames.length, manifest.frames);
  const result = tensors(variant, run.result);
  const scale = Math.max(1, ...result('latents').data.map(Math.abs));
  close(work.latents, result('latents').data, PART * scale);
  const psnr = psnrOfClip(frames, run.frames, result('frames').data);
  assert.ok(psnr >= FRAMES_DB, `${run.name}: ${psnr.toFixed(1)} dB`);
}

/** Runs a trajectory to its end and keeps its frames. */
async function finished(
  trajectory: ReturnType<CogVideoXModel['trajectory']>,
  frames: AnyPixels[],
): Promise<{ work: CogVideoXWork | undefined }> {
  for (;;) {
    const next = await trajectory.next();
    if (next.done) return { work: next.value ?? undefined };
    frames[next.value.index] = next.value.pixels;
  }
}

/** dB of frames (but the first one, which is shown as it came) against those with these numbers, [F, 3, H, W] in [0, 1]. */
function psnrOfClip(frames: readonly AnyPixels[], numbers: readonly number[], expected: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const [at, number] of numbers.entries()) {
    const { data, width, height } = frames[number] as AnyPixels;
    const area = width * height;
    assert.equal(expected.length, numbers.length * 3 * area);
    if (number === 0) continue;
    for (let channel = 0; channel < 3; channel++) {
      for (let i = 0; i < area; i++) {
        const value = expected[(at * 3 + channel) * area + i] as number;
        sum += ((data[i * 3 + channel] as number) / 65535 - value) ** 2;
        count++;
      }
    }
  }
  assert.ok(count > 0);
  return -10 * Math.log10(sum / count);
}

describe(`CogVideoX against diffusers: what only ${WHOLE} comes with`, () => {
  const parts = (): ReturnType<typeof tensors> => tensors(WHOLE, 'parts.safetensors');

  async function withRunner(part: string, use: (run: Runner) => Promise<void>): Promise<void> {
    const network = await Network.load(await tinyModel(WHOLE), part, 'cpu');
    try {
      await use((inputs) => network.run(inputs));
    } finally {
      await network.release();
    }
  }

  it('encodes a prompt, and keeps the same for the model’s own sentence', async () => {
    const installed = await tinyModel(WHOLE);
    await withRunner('text_encoder', async (run) => {
      const ids = parts()('text_encoder.input_ids');
      const outputs = await run({
        input_ids: { type: 'int64', data: BigInt64Array.from(ids.data, (value) => BigInt(value)), dims: ids.shape },
      });
      close(outputs.prompt_embeds?.data, parts()('text_encoder.prompt_embeds').data);
      const sentence = installed.manifest.uniformPrompts.deblurring;
      const embeddings = new PromptEmbeddings(installed);
      let encoded = 0;
      const encoder = (): Promise<Runner> => {
        encoded++;
        return Promise.resolve(run);
      };
      const cached = await embeddings.ofPrompt(sentence, 'deblurring', encoder);
      assert.deepEqual([cached.source, encoded], ['cached', 0]);
      // The same sentence as another task's free prompt has to be encoded, and comes out the same.
      const free = await embeddings.ofPrompt(sentence, 'low-light', encoder);
      assert.deepEqual([free.source, encoded], ['encoded', 1]);
      close(free.data, cached.data);
    });
  });

  it('decodes latents, whole and in tiles, and encodes in tiles', async () => {
    const { manifest } = await tinyModel(WHOLE);
    const autoencoder = new Autoencoder(manifest.vae, manifest.id);
    const planes = (name: string) => {
      const { data, shape } = parts()(name);
      const [height, width] = shape.slice(-2) as [number, number];
      return { data, height, width, count: data.length / height / width };
    };
    await withRunner('vae_decoder', async (run) => {
      const whole = await autoencoder.decode(run, planes('vae_decoder.latents'), 9, false);
      close(whole.data, parts()('vae_decoder.sample').data);
      const tiled = await autoencoder.decode(run, planes('vae_tiled.latents'), 9, true);
      const frame = (clip: Float32Array): Float32Array => {
        const area = clip.length / 27;
        return Float32Array.from([0, 1, 2].flatMap((c) => [...clip.subarray((c * 9 + 8) * area, (c * 9 + 9) * area)]));
      };
      close(frame(tiled.data), parts()('vae_tiled.last_frame').data);
      const inOne = await autoencoder.decode(run, planes('vae_tiled.latents'), 9, false);
      assert.ok(largestDifference(inOne.data, tiled.data) > 10 * PART, 'tiles differ from one piece');
    });
    await withRunner('vae_encoder', async (run) => {
      const { mean, logVariance } = await autoencoder.encode(run, planes('vae_tiled.picture'), true);
      const expected = parts()('vae_tiled.moments').data;
      close(mean, expected.subarray(0, mean.length));
      close(
        logVariance,
        expected.subarray(mean.length).map((value) => Math.min(20, Math.max(-30, value))),
      );
    });
  });
});
