import type { Blur, Motion, Shake } from '../../protocol';
import type { Pixels } from '../image/pixels';
import { correlate, discKernel, pathKernel, type Pause } from './convolve';
import { POWER, UNIT, createLight, unitLight, type Light } from './light';
import { subFrames, windowShares } from './motion';

/** The noise-free path of a blur: D0(x, 1) and D0(x, s) for each severity asked for. */
export interface NoiseFree {
  full: Light;
  parts: Light[];
}

/**
 * Exposure time: at severity s the picture is averaged over a window of s times the exposure, centred in it; out of focus, the
 * aperture's radius is s times as large.
 */
export function exposureTime(
  x: Pixels,
  { blur }: Blur,
  severities: readonly number[],
  pause: Pause,
): Promise<NoiseFree> {
  switch (blur.kind) {
    case 'motion':
      return averaged(x, blur, severities, pause);
    case 'shake':
      return shaken(x, blur, severities, pause);
    case 'defocus':
      return defocused(x, blur.radius, severities, pause);
  }
}

async function averaged(x: Pixels, motion: Motion, severities: readonly number[], pause: Pause): Promise<NoiseFree> {
  const frames = motion.course.length;
  // Of a clipped sample nobody knows how bright it was; a sharp picture shows it as white all the same.
  const table = Float64Array.from(motion.linear ? POWER : UNIT);
  if (motion.linear) table[255] = motion.highlights;
  const shares = [windowShares(frames, 1), ...severities.map((s) => windowShares(frames, s))];
  const sums = shares.map(() => createLight(x.width, x.height));
  let k = 0;
  for await (const frame of subFrames(x, motion, pause)) {
    for (const [i, { data }] of sums.entries()) {
      const share = shares[i]![k]!;
      if (share === 0) continue;
      for (let j = 0; j < data.length; j++) data[j] = data[j]! + share * table[frame[j]!]!;
    }
    k++;
  }
  for (const { data } of sums) encode(data, motion.linear);
  const [full, ...parts] = sums as [Light, ...Light[]];
  return { full, parts };
}

async function shaken(x: Pixels, shake: Shake, severities: readonly number[], pause: Pause): Promise<NoiseFree> {
  const table = shake.linear ? POWER : UNIT;
  const light = createLight(x.width, x.height);
  for (let i = 0; i < light.data.length; i++) light.data[i] = table[x.data[i]!]!;
  const frames = shake.course.length;
  const exposed = async (severity: number): Promise<Light> => {
    const result = await correlate(light, pathKernel(shake.course, windowShares(frames, severity)), pause);
    encode(result.data, shake.linear);
    return result;
  };
  const full = await exposed(1);
  const parts: Light[] = [];
  for (const severity of severities) parts.push(severity === 1 ? full : await exposed(severity));
  return { full, parts };
}

async function defocused(x: Pixels, radius: number, severities: readonly number[], pause: Pause): Promise<NoiseFree> {
  const sharp = unitLight(x);
  const through = (r: number): Promise<Light> | Light => {
    const kernel = discKernel(r);
    return kernel ? correlate(sharp, kernel, pause) : sharp;
  };
  const full = await through(radius);
  const parts: Light[] = [];
  for (const severity of severities) parts.push(severity === 1 ? full : await through(radius * severity));
  return { full, parts };
}

/** Light back to sRGB values (the power law of averaged videos), clipped. */
function encode(data: Float32Array | Float64Array, linear: boolean): void {
  for (let i = 0; i < data.length; i++) {
    const value = Math.min(1, Math.max(0, data[i]!));
    data[i] = linear ? value ** (1 / 2.2) : value;
  }
}
