import type { CogVideoXSettings } from '../../../src/restoration/models/cogvideox-manifest';

/** 5B-I2V as it is published. */
export const settings: CogVideoXSettings = {
  frames: 9,
  canvas: { width: 720, height: 480, fixed: true },
  resize: 'pad',
  text: { length: 226, width: 4096 },
  transformer: {
    variant: '5b-i2v',
    layers: 42,
    heads: 48,
    headDim: 64,
    inChannels: 32,
    outChannels: 16,
    patch: 2,
    patchT: 1,
    positions: 'rope+learned',
    ropeGrid: 'resize-crop',
    ropeBase: { height: 30, width: 45 },
    ofs: false,
  },
  vae: {
    channels: 16,
    scale: 0.7,
    invertImageScale: false,
    tile: { height: 240, width: 360, overlapHeight: 1 / 6, overlapWidth: 1 / 5 },
    fullChannels: 128,
  },
  scheduler: { kind: 'ddim', snrShift: 1, steps: 50 },
  guidance: { kind: 'fixed', scale: 6 },
  precision: 'fp16',
};
