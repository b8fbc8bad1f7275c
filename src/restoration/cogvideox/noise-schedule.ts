/**
 * The noise of CogVideoX over its 1000 training steps, and the steps that a run takes. Checked against diffusers'
 * CogVideoXDDIMScheduler and CogVideoXDPMScheduler (`snr_shift_scale`, `rescale_betas_zero_snr`, trailing spacing).
 */

export const TRAINING_STEPS = 1000;
const BETA_START = 0.00085;
const BETA_END = 0.012;

/**
 * Cumulative products of (1 - beta), one a training step: scaled linear betas, the signal-to-noise ratio shifted as in SD3,
 * then rescaled so that nothing of the signal is left at the last step (zero terminal SNR, Lin et al., arXiv 2305.08891).
 *
 * @param shift `snr_shift_scale`: 1 for 5B and 1.5, 3 for 2B
 * @returns 1000 falling numbers, the last is exactly 0
 */
export function cumulativeAlphas(shift: number): Float64Array {
  const alphas = new Float64Array(TRAINING_STEPS);
  const [from, to] = [Math.sqrt(BETA_START), Math.sqrt(BETA_END)];
  let product = 1;
  for (let t = 0; t < TRAINING_STEPS; t++) {
    product *= 1 - (from + ((to - from) * t) / (TRAINING_STEPS - 1)) ** 2;
    alphas[t] = Math.sqrt(product / (shift + (1 - shift) * product));
  }
  const first = alphas[0] as number;
  const last = alphas[TRAINING_STEPS - 1] as number;
  return alphas.map((root) => ((root - last) * (first / (first - last))) ** 2);
}

/** numpy's `round`: halves go to the even neighbour. */
function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The training steps that a run of `count` steps stops at, falling, "trailing" spacing: it begins at 999.
 *
 * @param count 1 to 1000
 */
export function trailingTimesteps(count: number): number[] {
  const stride = TRAINING_STEPS / count;
  return Array.from({ length: count }, (_, i) => roundToEven(TRAINING_STEPS - i * stride) - 1);
}
