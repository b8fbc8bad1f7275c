import {
  FITS,
  GUIDANCE_KINDS,
  MAXIMUM_GUIDANCE,
  MAXIMUM_STEPS,
  RestorationError,
  SCHEDULERS,
  type Fit,
  type GuidanceKind,
  type SchedulerKind,
} from '../../protocol';
import type { Fields } from './manifest-fields';

/** Which of the published configurations a model is: they differ in positions, padding and scales. */
export const COGVIDEOX_VARIANTS = ['2b', '5b', '5b-i2v', '1.5-5b-i2v'] as const;
export type CogVideoXVariant = (typeof COGVIDEOX_VARIANTS)[number];

/** How a token knows its place: added sines (in the graph), rotary embeddings (fed), or rotary and learned ones (in the graph). */
export const POSITIONS = ['sincos', 'rope', 'rope+learned'] as const;
/** Where tokens lie for rotary embeddings: as inference has it in 1.0 and 1.5, or as zai-org's trainer has it. */
export const ROPE_GRIDS = ['resize-crop', 'slice', 'arange'] as const;
export type RopeGrid = (typeof ROPE_GRIDS)[number];

/**
 * A colour in [-1, 1] for a latent: a weight for each of its channels, then a constant. For estimates on the way where memory
 * does not hold the decoder beside the transformer.
 */
export interface LatentColours {
  red: number[];
  green: number[];
  blue: number[];
}

/** What stands in the manifest of a CogVideoX model beside the fields of every manifest. */
export interface CogVideoXSettings {
  /** Of a clip: 8N + 1, as the decoder was exported. */
  frames: number;
  canvas: { width: number; height: number; fixed: boolean };
  resize: Fit;
  /** Tokens of a prompt, and numbers of each in its embedding. */
  text: { length: number; width: number };
  transformer: {
    variant: CogVideoXVariant;
    layers: number;
    heads: number;
    headDim: number;
    inChannels: number;
    outChannels: number;
    /** Latents that make a token, in each direction and in time. */
    patch: number;
    patchT: 1 | 2;
    positions: (typeof POSITIONS)[number];
    ropeGrid: RopeGrid;
    ropeBase: { height: number; width: number };
    /** The constant that 1.5 is told, or false. */
    ofs: number | false;
  };
  vae: {
    channels: number;
    scale: number;
    /** 1.5 divides the latents of the picture by the scale instead of multiplying them. */
    invertImageScale: boolean;
    tile: { height: number; width: number; overlapHeight: number; overlapWidth: number };
    /** Channels at full size, for the memory plan. */
    fullChannels: number;
    preview?: LatentColours;
  };
  scheduler: { kind: SchedulerKind; snrShift: number; steps: number };
  guidance: { kind: GuidanceKind; scale: number };
  /** Of the transformer's weights. */
  precision: 'fp16' | 'fp32';
}

/** Samples of a picture for one latent, in each direction. */
const SPATIAL = 8;

function number(fields: Fields, name: string, minimum: number, maximum: number): number {
  const value = fields.raw(name);
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  throw fields.fail(name, `has to be a number from ${minimum} to ${maximum}`);
}

function yes(fields: Fields, name: string, otherwise: boolean): boolean {
  if (!fields.has(name)) return otherwise;
  const value = fields.raw(name);
  if (typeof value === 'boolean') return value;
  throw fields.fail(name, 'has to be true or false');
}

function size(fields: Fields, most: number): { width: number; height: number } {
  return { width: fields.integer('width', 1, most), height: fields.integer('height', 1, most) };
}

/** Weights of a map from latents to colours are about 1. */
const LARGEST_WEIGHT = 1e4;

function parsePreview(fields: Fields, channels: number): LatentColours {
  const weights = (name: keyof LatentColours): number[] => {
    const value = fields.raw(name);
    const numbers = Array.isArray(value) ? (value as unknown[]) : [];
    if (
      numbers.length < 2 ||
      numbers.length > 513 ||
      !numbers.every((v) => typeof v === 'number' && Math.abs(v) <= LARGEST_WEIGHT)
    ) {
      throw fields.fail(name, `has to be a list of 2 to 513 numbers from -${LARGEST_WEIGHT} to ${LARGEST_WEIGHT}`);
    }
    if (numbers.length !== channels + 1) {
      throw fields.fail(name, `has to have a number for each of "vae.channels" and one more (${channels + 1})`);
    }
    return numbers as number[];
  };
  return { red: weights('red'), green: weights('green'), blue: weights('blue') };
}

function parseTransformer(fields: Fields, channels: number): CogVideoXSettings['transformer'] {
  const headDim = fields.integer('headDim', 16, 512);
  if (headDim % 16 !== 0) throw fields.fail('headDim', 'has to be a multiple of 16');
  const inChannels = fields.integer('inChannels', 1, 1024);
  const variant = fields.oneOf('variant', COGVIDEOX_VARIANTS);
  if (inChannels !== channels * 2) {
    throw new RestorationError(
      'bad-model',
      `A CogVideoX ${variant} that takes ${inChannels} channels cannot restore a picture: it has no place for the picture's ${channels} latent channels beside the noise. Plain text-to-video weights are like that.`,
      'Take an image-to-video model, or widen the first layer to twice the channels and train it with a LoRA.',
    );
  }
  const outChannels = fields.integer('outChannels', 1, 1024);
  if (outChannels !== channels) throw fields.fail('outChannels', `has to be "vae.channels" (${channels})`);
  const patchT = fields.integer('patchT', 1, 2) as 1 | 2;
  const ofs = fields.raw('ofs');
  if (ofs !== undefined && ofs !== false && !(typeof ofs === 'number' && Math.abs(ofs) <= 1e6)) {
    throw fields.fail('ofs', 'has to be false or a number');
  }
  return {
    variant,
    layers: fields.integer('layers', 1, 1000),
    heads: fields.integer('heads', 1, 1000),
    headDim,
    inChannels,
    outChannels,
    patch: fields.integer('patch', 1, 8),
    patchT,
    positions: fields.oneOf('positions', POSITIONS),
    ropeGrid: fields.has('ropeGrid') ? fields.oneOf('ropeGrid', ROPE_GRIDS) : 'resize-crop',
    ropeBase: size(fields.object('ropeBase'), 1000),
    ofs: typeof ofs === 'number' ? ofs : false,
  };
}

function parseVae(fields: Fields): CogVideoXSettings['vae'] {
  const tile = fields.object('tile');
  const sides = size(tile, 8192);
  for (const side of ['width', 'height'] as const) {
    if (sides[side] % SPATIAL !== 0) throw tile.fail(side, `has to be a multiple of ${SPATIAL}`);
  }
  const overlap = {
    overlapHeight: number(tile, 'overlapHeight', 0, 0.5),
    overlapWidth: number(tile, 'overlapWidth', 0, 0.5),
  };
  for (const [side, share, name] of [
    [sides.height, overlap.overlapHeight, 'overlapHeight'],
    [sides.width, overlap.overlapWidth, 'overlapWidth'],
  ] as const) {
    // What is kept of a tile has to end where the next one begins, in latents as in pixels.
    const step = Math.floor((side / SPATIAL) * (1 - share));
    if (step < 1 || side - Math.floor(side * share) !== step * SPATIAL) {
      throw tile.fail(name, `does not divide a tile of ${side} pixels into whole latents`);
    }
  }
  const channels = fields.integer('channels', 1, 512);
  return {
    channels,
    scale: number(fields, 'scale', 1e-3, 1e3),
    invertImageScale: yes(fields, 'invertImageScale', false),
    tile: { ...sides, ...overlap },
    fullChannels: fields.has('fullChannels') ? fields.integer('fullChannels', 1, 4096) : 128,
    ...(fields.has('preview') ? { preview: parsePreview(fields.object('preview'), channels) } : {}),
  };
}

/** Checks the fields that only a CogVideoX model has. */
export function parseCogVideoXSettings(fields: Fields): CogVideoXSettings {
  const frames = fields.integer('frames', 9, 257);
  if (frames % 8 !== 1) throw fields.fail('frames', 'has to be 8N + 1, such as 9 or 17');
  const vae = parseVae(fields.object('vae'));
  const transformer = parseTransformer(fields.object('transformer'), vae.channels);
  const canvas = fields.object('canvas');
  const sides = size(canvas, 8192);
  const multiple = SPATIAL * transformer.patch;
  for (const side of ['width', 'height'] as const) {
    if (sides[side] % multiple !== 0) throw canvas.fail(side, `has to be a multiple of 8 x "patch" (${multiple})`);
  }
  const fixed = yes(canvas, 'fixed', true);
  if (!fixed && transformer.positions === 'rope+learned') {
    throw canvas.fail('fixed', 'has to be true where positions are learned');
  }
  const text = fields.object('text');
  const scheduler = fields.object('scheduler');
  const guidance = fields.object('guidance');
  return {
    frames,
    canvas: { ...sides, fixed },
    resize: fields.has('resize') ? fields.oneOf('resize', FITS) : 'pad',
    text: { length: text.integer('length', 1, 4096), width: text.integer('width', 1, 65_536) },
    transformer,
    vae,
    scheduler: {
      kind: scheduler.oneOf('kind', SCHEDULERS),
      snrShift: number(scheduler, 'snrShift', 0.01, 100),
      steps: scheduler.integer('steps', 1, MAXIMUM_STEPS),
    },
    guidance: {
      kind: guidance.oneOf('kind', GUIDANCE_KINDS),
      scale: number(guidance, 'scale', 0, MAXIMUM_GUIDANCE),
    },
    precision: fields.has('precision') ? fields.oneOf('precision', ['fp16', 'fp32'] as const) : 'fp32',
  };
}
