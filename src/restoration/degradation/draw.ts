import type { Blur, Darkening, Degradation, DegradationWishes, Grid, Layer, Motion, Shake, Task } from '../../protocol';
import { displacement } from './motion';
import type { Draws } from './random';
import { smoothField } from './smooth-field';

/** Where a picture lies in the one it was cut from: a roll or a zoom of the camera turns about that one's middle. */
export interface Frame {
  width: number;
  height: number;
  /** Middle of the whole picture, in pixels of this one; its own middle unless said otherwise. */
  centre?: [number, number];
  /** Focal length in pixels; the longer side unless said otherwise. */
  focal?: number;
}

/** Six digits are more than pixels can show, and they make every reader of the JSON compute with the same number. */
function short(value: number): number {
  // Adding 0 turns -0 into 0, as JSON does.
  return Number(value.toPrecision(6)) + 0;
}

/** Ten-thousandths of a pixel. */
function position(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0;
}

/**
 * Draws everything that decides a degraded picture, with the distributions that the compact model is trained on:
 *
 * - super-resolution: scale 4 (with `scales: 'mixed'`, for data sets, 20 % between 2 and 4);
 * - deblurring: 5 % defocus, 25 % one path for all pixels, otherwise six degrees of freedom with smooth depth, three in ten
 *   with one to three things that move by themselves; streaks log-uniform from 2 to 60 pixels, at most a quarter of the
 *   shorter side; 17 to 33 sub-frames; half in linear light, half of these with highlights beyond white; one in five with
 *   noise of .002 to .015, two in five of these with JPEG of quality 70 to 96;
 * - low light: exposure log-uniform from .001 to .3 with a drift between channels of 10 %, shot noise 3e-5 to 8e-4, read
 *   noise 5e-5 to 8e-4, half smoothed as cameras do.
 *
 * A wish changes only what it names: everything is drawn in any case, and in the same order.
 */
export function drawDegradation(
  task: Task,
  draws: Draws,
  frame: Frame,
  wishes: DegradationWishes = {},
  scales: 'four' | 'mixed' = 'four',
): Degradation {
  switch (task) {
    case 'super-resolution': {
      const mixed = draws.chance(0.2);
      const between = short(draws.uniform(2, 4));
      return { task, scale: wishes.scale ?? (scales === 'mixed' && mixed ? between : 4) };
    }
    case 'deblurring':
      return drawBlur(draws, frame, wishes);
    case 'low-light':
      return { task, light: drawDarkening(draws, wishes) };
  }
}

function drawBlur(draws: Draws, frame: Frame, wishes: DegradationWishes): Blur {
  const longest = Math.max(2, Math.min(60, Math.min(frame.width, frame.height) / 4));
  const length = wishes.length ?? short(draws.logUniform(2, longest));
  const frames = 17 + 2 * draws.whole(0, 8);
  const linear = draws.chance(0.5);
  const bright = draws.chance(0.5);
  const highlights = short(draws.logUniform(1, 8));
  const one = draws.uniform();
  const kind = wishes.blur ?? (one < 0.05 ? 'defocus' : one < 0.3 ? 'shake' : 'motion');
  const noisy = draws.chance(0.2);
  const sigma = short(draws.logUniform(0.002, 0.015));
  const seed = draws.word();
  const compressed = draws.chance(0.4);
  const quality = draws.whole(70, 96);
  const crowded = draws.chance(0.3);
  const crowd = draws.whole(1, 3);
  const inLinear = wishes.linear ?? linear;
  const noise = wishes.noise ?? (noisy ? sigma : 0);
  const jpeg = wishes.jpeg ?? (noisy && compressed ? quality : 0);
  // The rest takes as many draws as it needs: nothing is drawn after it.
  const blur = ((): Blur['blur'] => {
    switch (kind) {
      case 'defocus':
        return { kind, radius: short(length / 2) };
      case 'shake':
        return drawShake(draws, length, frames, inLinear);
      case 'motion':
        return drawMotion(draws, frame, {
          length,
          frames,
          linear: inLinear,
          highlights: inLinear && bright ? highlights : 1,
          layers: wishes.layers ?? (crowded ? crowd : 0),
        });
    }
  })();
  return {
    task: 'deblurring',
    blur,
    ...(noise > 0 ? { noise: { sigma: noise, seed } } : {}),
    ...(jpeg > 0 ? { jpeg } : {}),
  };
}

/** Standard deviations of the six degrees of freedom for each kind of camera motion, and how often it is. */
const MOTIONS: readonly { share: number; strength: readonly number[] }[] = [
  { share: 0.4, strength: [1, 1, 0, 0, 0, 0] },
  { share: 0.25, strength: [0.1, 0.1, 0.3, 0, 1, 1] },
  { share: 0.1, strength: [0.1, 0.1, 2, 0, 0.1, 0.1] },
  { share: 0.05, strength: [0.1, 0.1, 0, 2, 0.1, 0.1] },
  { share: 0.2, strength: [0.5, 0.5, 1, 1, 0.5, 0.5] },
];

function times(frames: number): number[] {
  return Array.from({ length: frames }, (_, k) => k / (frames - 1) - 0.5);
}

/** Position over the exposure, 0 in its middle: nearly steady motion, sometimes a tremor. */
function drawCourse(draws: Draws, frames: number): number[] {
  if (draws.chance(0.8)) {
    const bend = 0.7 * draws.normal();
    const twist = 1.2 * draws.normal();
    return times(frames).map((t) => t + bend * t ** 2 + twist * t ** 3);
  }
  let sum = 0;
  const knots = Array.from({ length: 6 }, () => (sum += draws.normal()));
  const at = quarticFit(knots);
  const middle = at(0);
  return times(frames).map((t) => at(t) - middle);
}

/** Fifth-degree orthogonal polynomial on six equally spaced points: what a fit of degree 4 leaves out. */
const GRAM5 = [-1, 5, -10, 10, -5, 1];

/** Least-squares polynomial of degree 4 through six values at -1/2 ... 1/2. */
function quarticFit(values: readonly number[]): (t: number) => number {
  const share = GRAM5.reduce((sum, g, i) => sum + g * values[i]!, 0) / GRAM5.reduce((sum, g) => sum + g * g, 0);
  const fitted = values.map((value, i) => value - share * GRAM5[i]!);
  const knots = times(6);
  return (t) =>
    fitted.reduce((sum, value, i) => {
      let weight = 1;
      for (const [j, knot] of knots.entries()) if (j !== i) weight *= (t - knot) / (knots[i]! - knot);
      return sum + value * weight;
    }, 0);
}

function drawGrid(draws: Draws, fewest: number, most: number, amount: number): Grid {
  const cells = draws.whole(fewest, most);
  return { cells, values: Array.from({ length: cells ** 2 }, () => short(amount * draws.normal())) };
}

function drawShake(draws: Draws, length: number, frames: number, linear: boolean): Shake {
  const angle = draws.uniform(0, 2 * Math.PI);
  const wobble = draws.uniform(0, 0.5);
  const along = drawCourse(draws, frames);
  const across = drawCourse(draws, frames).map((value) => wobble * value);
  const path = along.map((a, k): [number, number] => [
    a * Math.cos(angle) - across[k]! * Math.sin(angle),
    a * Math.sin(angle) + across[k]! * Math.cos(angle),
  ]);
  let travel = 0;
  for (let k = 1; k < frames; k++) {
    travel += Math.hypot(path[k]![0] - path[k - 1]![0], path[k]![1] - path[k - 1]![1]);
  }
  const factor = length / Math.max(travel, 1e-6);
  return { kind: 'shake', linear, course: path.map((point) => point.map((value) => position(value * factor))) };
}

interface MotionSettings {
  length: number;
  frames: number;
  linear: boolean;
  highlights: number;
  layers: number;
}

function drawMotion(draws: Draws, frame: Frame, settings: MotionSettings): Motion {
  const { length, frames, linear, highlights } = settings;
  let mark = draws.uniform();
  const { strength } = MOTIONS.find(({ share }) => (mark -= share) < 0) ?? MOTIONS[MOTIONS.length - 1]!;
  const amount = strength.map((deviation) => deviation * draws.normal());
  const shared = drawCourse(draws, frames);
  const wobble = draws.uniform(0, 0.5);
  const own = amount.map(() => drawCourse(draws, frames));
  const depth = drawGrid(draws, 2, 5, draws.uniform(0, 0.5));
  const lens = {
    centre: (frame.centre ?? [frame.width / 2, frame.height / 2]).map(position) as [number, number],
    focal: position(frame.focal ?? Math.max(frame.width, frame.height)),
  };
  const raw = shared.map((value, k) => amount.map((a, i) => a * (value + wobble * own[i]![k]!)));
  const factor = length / Math.max(longestStreak(raw, depth, frame, lens), 1e-6);
  const layers = Array.from({ length: settings.layers }, (): Layer => {
    const shape = drawGrid(draws, 3, 5, 1);
    const threshold = short(draws.uniform(0.2, 0.9));
    const softness = short(draws.uniform(0.05, 0.4));
    const angle = draws.uniform(0, 2 * Math.PI);
    const reach = length * draws.uniform(0, 1.6);
    const course = drawCourse(draws, frames).map((value) => [
      position(reach * Math.cos(angle) * value),
      position(reach * Math.sin(angle) * value),
    ]);
    return { shape, threshold, softness, course };
  });
  return {
    kind: 'motion',
    linear,
    highlights,
    ...lens,
    depth,
    course: raw.map((pose) => pose.map((value) => position(value * factor))),
    layers,
  };
}

/** Longest way that a pixel travels, looked up on a grid of about 8x8. */
function longestStreak(
  course: readonly (readonly number[])[],
  depth: Grid,
  { width, height }: Frame,
  lens: Pick<Motion, 'centre' | 'focal'>,
): number {
  // Depth varies slowly: a small picture of it tells enough.
  const across = Math.min(8, width);
  const down = Math.min(8, height);
  const nearness = smoothField(depth, across, down).map(Math.exp);
  let longest = 0;
  for (let j = 0; j < down; j++) {
    for (let i = 0; i < across; i++) {
      const x = ((i + 0.5) * width) / across - 0.5;
      const y = ((j + 0.5) * height) / down - 0.5;
      let travelX = 0;
      let travelY = 0;
      let before: [number, number] | undefined;
      for (const pose of course) {
        const now = displacement(pose, x, y, nearness[j * across + i]!, lens);
        if (before) {
          travelX += Math.abs(now[0] - before[0]);
          travelY += Math.abs(now[1] - before[1]);
        }
        before = now;
      }
      longest = Math.max(longest, Math.hypot(travelX, travelY));
    }
  }
  return longest;
}

function drawDarkening(draws: Draws, wishes: DegradationWishes): Darkening {
  const drawn = draws.logUniform(0.001, 0.3);
  const exposure = wishes.gain ?? drawn;
  const gain = [0, 1, 2].map(() => short(exposure * Math.exp(0.1 * draws.normal()))) as [number, number, number];
  const shot = short(draws.logUniform(3e-5, 8e-4));
  const read = short(draws.logUniform(5e-5, 8e-4));
  const seed = draws.word();
  const smooth = draws.chance(0.5);
  const smoothing = { sigma: short(draws.uniform(0.4, 1.2)), weaker: short(draws.uniform(1, 2)) };
  return {
    kind: 'gain',
    gain,
    shot,
    read,
    sensor: wishes.sensor ?? 'gaussian',
    seed,
    ...(smooth ? { smoothing } : {}),
  };
}
