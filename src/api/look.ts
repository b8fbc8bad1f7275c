import path from 'node:path';
import type { DegradationGuess, Look } from '../protocol';
import { RestorationError } from '../protocol';
import {
  checkEndpoint,
  describeByEndpoint,
  endpointFromEnvironment,
  type DescriptionEndpoint,
} from '../restoration/prompts/endpoint';
import { inferenceClient } from './session';

/** Longest side of the picture that an endpoint is sent, in pixels. */
const SENT_SIDE = 512;

function look(picture: string, caller: string, signal: AbortSignal | undefined, jpegSide?: number): Promise<Look> {
  if (typeof picture !== 'string' || picture === '') {
    throw new RestorationError(
      'bad-argument',
      `${caller} needs the path of a picture.`,
      `Call ${caller}('photo.jpg').`,
    );
  }
  return inferenceClient().look(
    {
      picture: path.resolve(picture),
      ...(jpegSide === undefined ? {} : { jpegSide }),
      priority: 'interactive',
    },
    signal ? { signal } : {},
  );
}

/**
 * Guesses what is wrong with a picture from measured features (brightness, size, spectrum, edges); no network runs.
 *
 * @returns task, calibrated confidence in (1/3, 1], probabilities of all tasks, and the evidence in words
 * @throws RestorationError when the picture cannot be read
 * @example
 * const { task, confidence } = await detect('photo.jpg'); // 'low-light', 0.98
 */
export async function detect(picture: string, options: { signal?: AbortSignal } = {}): Promise<DegradationGuess> {
  return (await look(picture, 'detect', options.signal)).guess;
}

export interface DescribeOptions {
  /**
   * Have a multimodal model describe the picture instead of the built-in describer. **This sends the picture** (a JPEG of at
   * most 512 pixels) to the endpoint; `true` takes the one that the environment names (`PROGRESSIVE_RESTORATION_ENDPOINT`,
   * `..._MODEL`, `..._KEY`).
   */
  endpoint?: DescriptionEndpoint | true;
  signal?: AbortSignal;
}

/**
 * Describes the scene of a degraded picture in one sentence, for use as a scene prompt. The built-in describer says what can
 * be measured (brightness, colours, texture, kind of degradation) and needs no network; an endpoint says what it sees.
 *
 * @returns the sentence, and who wrote it
 * @throws RestorationError `endpoint-failed`, or when the picture cannot be read
 */
export async function describe(
  picture: string,
  options: DescribeOptions = {},
): Promise<{ text: string; source: 'described' | 'endpoint' }> {
  const { endpoint, signal } = options;
  if (endpoint === undefined) {
    return { text: (await look(picture, 'describe', signal)).description, source: 'described' };
  }
  const chosen = endpoint === true ? endpointFromEnvironment() : endpoint;
  checkEndpoint(chosen);
  const { jpeg } = await look(picture, 'describe', signal, SENT_SIDE);
  return { text: await describeByEndpoint(jpeg as string, chosen, signal), source: 'endpoint' };
}
