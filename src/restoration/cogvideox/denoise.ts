import type { Guidance } from './guidance';
import { guidanceFactor, guide, isGuided } from './guidance';
import type { NoiseSource } from './noise';
import type { Scheduler, Step } from './scheduler';

/** What the loop has after a step. */
export interface Denoised {
  step: Step;
  /** Latents after the step, [T, C, h, w]. */
  latents: Float32Array;
  /** The clean latents that the step expects at the end. */
  estimate: Float32Array;
}

/** The network's velocity for latents at a training step, led by the prompt or by nothing. */
export type Predict = (latents: Float32Array, timestep: number, prompted: boolean) => Promise<Float32Array>;

/**
 * From noise to latents, step by step. Without guidance the network runs once a step, otherwise twice: without the prompt and
 * with it.
 *
 * @param beforeStep is told before each network run and may throw to stop
 */
export async function* denoise(
  start: Float32Array,
  { scheduler, guidance, noise }: { scheduler: Scheduler; guidance: Guidance; noise: NoiseSource },
  predict: Predict,
): AsyncGenerator<Denoised, void, void> {
  let latents = start;
  const { steps } = scheduler;
  for (const step of steps) {
    let velocity = await predict(latents, step.timestep, true);
    if (isGuided(guidance)) {
      const free = await predict(latents, step.timestep, false);
      velocity = guide(free, velocity, guidanceFactor(guidance, step.index, step.timestep, steps.length));
    }
    const estimate = scheduler.estimate(step, latents, velocity);
    const fresh = scheduler.stochastic ? noise.step(step.index, latents.length) : undefined;
    latents = scheduler.advance(step, latents, estimate, fresh);
    yield { step, latents, estimate };
  }
}
