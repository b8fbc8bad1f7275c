import { RestorationError } from '../../protocol';
import { SafetensorsFile } from '../adapters/safetensors';
import { normalField } from '../degradation/random';

/**
 * The noise of a run. It is that of Philox-4x32-10 with Box and Muller's transform (degradation/random.ts), so that a seed
 * gives the same clip wherever it runs, and Python makes the same noise in a few lines. PyTorch's own generator is not
 * reproduced: whoever compares with it writes its noise into a file.
 */
export interface NoiseSource {
  /** Standard normal numbers that the latents begin as. */
  latents(count: number): Float32Array;
  /** For a sample of the picture's latents; undefined takes their mean, the deterministic choice. */
  image(count: number): Float32Array | undefined;
  /** Fresh noise for a step of a stochastic scheduler. @param index 0-based */
  step(index: number, count: number): Float32Array;
}

/** Streams of a seed; they differ from those of the degradations. */
const LATENTS_STREAM = 0x1000;
const STEP_STREAM = 0x2000;

/** @param seed whole number from 0 to 2^53 - 1 */
export function seededNoise(seed: number): NoiseSource {
  return {
    latents: (count) => Float32Array.from(normalField(seed, LATENTS_STREAM, count)),
    image: () => undefined,
    step: (index, count) => Float32Array.from(normalField(seed, STEP_STREAM + index, count)),
  };
}

/** A noise file holds at most this much; 1000 steps of the largest clip stay below. */
const LARGEST_FILE = 2 * 1024 ** 3;

/**
 * Noise from a safetensors file: `noise` [1, T, C, h, w]; where wanted `image_noise` [1, C, 1, h, w], and for DPM
 * `step_noise` [steps, T, C, h, w], a row for each step.
 *
 * @throws RestorationError `missing-file`, or `bad-argument` when it is no such file
 */
export async function noiseFile(file: string): Promise<NoiseSource & { sha256: string }> {
  const opened = await open(file);
  try {
    const tensor = async (name: string): Promise<Float32Array | undefined> =>
      opened.header.tensors.has(name) ? (await opened.floats(name)).data : undefined;
    const noise = await tensor('noise');
    const image = await tensor('image_noise');
    const steps = await tensor('step_noise');
    const sha256 = await opened.sha256();
    const checked = (name: string, values: Float32Array | undefined, count: number): Float32Array => {
      if (values?.length === count) return values;
      throw new RestorationError(
        'bad-argument',
        `The noise file has ${values ? `${values.length} values` : 'nothing'} for ${name}; ${count} are needed.`,
        'Make it for the size, frames and steps of this run.',
      );
    };
    return {
      sha256,
      latents: (count) => checked('noise', noise, count).slice(),
      image: (count) => (image === undefined ? undefined : checked('image_noise', image, count)),
      step: (index, count) => checked('step_noise', steps?.subarray(index * count, (index + 1) * count), count).slice(),
    };
  } finally {
    await opened.close();
  }
}

async function open(file: string): Promise<SafetensorsFile> {
  try {
    return await SafetensorsFile.open(file, LARGEST_FILE);
  } catch (error) {
    const { code, problem } = RestorationError.from(error);
    if (code !== 'bad-adapter') throw error;
    throw new RestorationError('bad-argument', problem, 'Give a noise file that safetensors wrote.', { cause: error });
  }
}
