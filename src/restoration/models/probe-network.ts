import { writeOnnxModel } from './onnx-writer';

/** Channels in and out. */
export const PROBE_CHANNELS = 16;

/** y = conv3x3(x), 16 channels to 16, all weights 1/64. Input `x` float32 [1,16,H,W], output `y` of the same shape. */
export function probeNetwork(): Uint8Array {
  const dims = [1, PROBE_CHANNELS, 'h', 'w'];
  return writeOnnxModel({
    inputs: [{ name: 'x', dims }],
    outputs: [{ name: 'y', dims }],
    nodes: [
      {
        op: 'Conv',
        inputs: ['x', 'w'],
        outputs: ['y'],
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      },
    ],
    initialisers: [
      {
        name: 'w',
        dims: [PROBE_CHANNELS, PROBE_CHANNELS, 3, 3],
        data: new Float32Array(PROBE_CHANNELS * PROBE_CHANNELS * 9).fill(1 / 64),
      },
    ],
  });
}
