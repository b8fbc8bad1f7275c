import type { GuidanceKind } from '../../protocol';

/** How strongly the prompt leads (classifier-free guidance: u + g (c - u)), from step to step. */
export interface Guidance {
  kind: GuidanceKind;
  /** 1 or less: none, and the empty prompt is not run at all. */
  scale: number;
}

export function isGuided({ scale }: Guidance): boolean {
  return scale > 1;
}

/**
 * The factor g of one step.
 *
 * @param index of the step, 0-based
 * @param timestep training step, 0 to 999
 * @param count steps of the run
 */
export function guidanceFactor({ kind, scale }: Guidance, index: number, timestep: number, count: number): number {
  if (kind === 'fixed') return scale;
  const progress = kind === 'oscillating' ? (count - timestep) / count : (index + 1) / count;
  return 1 + (scale * (1 - Math.cos(Math.PI * progress ** 5))) / 2;
}

/** u + g (c - u), in place of `conditional`. */
export function guide(unconditional: Float32Array, conditional: Float32Array, factor: number): Float32Array {
  for (let i = 0; i < conditional.length; i++) {
    const u = unconditional[i] as number;
    conditional[i] = u + factor * ((conditional[i] as number) - u);
  }
  return conditional;
}
