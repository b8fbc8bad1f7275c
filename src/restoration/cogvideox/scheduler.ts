import type { SchedulerKind } from '../../protocol';
import { TRAINING_STEPS, cumulativeAlphas, trailingTimesteps } from './noise-schedule';

/** One step from more to less noise. */
export interface Step {
  /** 0-based. */
  index: number;
  /** Training step, which the transformer is told. */
  timestep: number;
}

/**
 * Takes a run's latents from noise to a clip. It keeps what the method has to remember from one step to the next: one
 * scheduler serves one run.
 */
export interface Scheduler {
  readonly steps: readonly Step[];
  /** Whether `advance` adds noise, which then has to be given. */
  readonly stochastic: boolean;
  /** The clean latents that a v-prediction amounts to: sqrt(a) x - sqrt(1 - a) v. */
  estimate(step: Step, latents: Float32Array, velocity: Float32Array): Float32Array;
  /** The latents after a step. @param noise standard normal, where the method is stochastic */
  advance(step: Step, latents: Float32Array, estimate: Float32Array, noise?: Float32Array): Float32Array;
}

/** What both methods share: which step follows, and how much signal there is. */
abstract class VelocityScheduler implements Scheduler {
  readonly steps: readonly Step[];
  abstract readonly stochastic: boolean;
  private readonly alphas: Float64Array;
  private readonly stride: number;

  constructor(count: number, shift: number) {
    this.alphas = cumulativeAlphas(shift);
    this.steps = trailingTimesteps(count).map((timestep, index) => ({ index, timestep }));
    this.stride = Math.floor(TRAINING_STEPS / count);
  }

  abstract advance(step: Step, latents: Float32Array, estimate: Float32Array, noise?: Float32Array): Float32Array;

  estimate({ timestep }: Step, latents: Float32Array, velocity: Float32Array): Float32Array {
    const alpha = this.alpha(timestep);
    const signal = Math.sqrt(alpha);
    const noise = Math.sqrt(1 - alpha);
    return latents.map((x, i) => signal * x - noise * (velocity[i] as number));
  }

  /** Cumulative alpha at a training step; 1 before the first. */
  protected alpha(timestep: number): number {
    return timestep < 0 ? 1 : (this.alphas[timestep] as number);
  }

  /** The reference takes a constant stride, not the next of the trailing steps: they differ where 1000 / N is no whole number. */
  protected next({ timestep }: Step): number {
    return timestep - this.stride;
  }
}

/** DDIM (Song et al., arXiv 2010.02502) without noise of its own (eta 0), written so that it holds at zero SNR. */
class DdimScheduler extends VelocityScheduler {
  readonly stochastic = false;

  advance(step: Step, latents: Float32Array, estimate: Float32Array): Float32Array {
    const alpha = this.alpha(step.timestep);
    const next = this.alpha(this.next(step));
    const a = Math.sqrt((1 - next) / (1 - alpha));
    const b = Math.sqrt(next) - Math.sqrt(alpha) * a;
    return latents.map((x, i) => a * x + b * (estimate[i] as number));
  }
}

/**
 * DPM-Solver++ (2M) as a stochastic differential equation (Lu et al., arXiv 2211.01095). Logarithms of the signal-to-noise
 * ratio are infinite at both ends of a run; the expressions keep finite there.
 */
class DpmScheduler extends VelocityScheduler {
  readonly stochastic = true;
  private before: { estimate: Float32Array; lambda: number } | undefined;

  advance(step: Step, latents: Float32Array, estimate: Float32Array, noise?: Float32Array): Float32Array {
    if (noise?.length !== latents.length) throw new RangeError('DPM takes as much noise as there are latents');
    const alpha = this.alpha(step.timestep);
    const nextStep = this.next(step);
    const next = this.alpha(nextStep);
    const lambda = halfLogSnr(alpha);
    const h = halfLogSnr(next) - lambda;
    const keep = Math.sqrt((1 - next) / (1 - alpha)) * Math.exp(-h);
    const pull = Math.expm1(-2 * h) * Math.sqrt(next);
    const spread = Math.sqrt(1 - next) * Math.sqrt(1 - Math.exp(-2 * h));
    const { before } = this;
    this.before = { estimate, lambda };
    // The first step knows no estimate before it; the last one goes to a clean clip, where the second order has no meaning.
    const slope = before && nextStep >= 0 ? h / (2 * (lambda - before.lambda)) : 0;
    return latents.map((x, i) => {
      const now = estimate[i] as number;
      const d = slope === 0 ? now : (1 + slope) * now - slope * (before?.estimate[i] as number);
      return keep * x - pull * d + spread * (noise[i] as number);
    });
  }
}

function halfLogSnr(alpha: number): number {
  return 0.5 * Math.log(alpha / (1 - alpha));
}

/**
 * @param count steps of the run, 1 to 1000
 * @param shift `snr_shift_scale` of the model
 */
export function createScheduler(kind: SchedulerKind, count: number, shift: number): Scheduler {
  return kind === 'ddim' ? new DdimScheduler(count, shift) : new DpmScheduler(count, shift);
}
