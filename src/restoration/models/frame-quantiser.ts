import * as ort from 'onnxruntime-node';
import { ELEMENT_TYPES, writeOnnxModel } from './onnx-writer';
import { sessionOptions } from './sessions';

/**
 * Turns a network's frame into an 8-bit picture: floor(clamp(255 x, 0, 255) + 0.5), planes to interleaved pixels. It is a
 * small network itself, because the runtime does this on all cores and several samples at once, three times as fast as a
 * loop here. The sum tells whether every value was finite.
 */
function quantiserNetwork(): Uint8Array {
  const scalar = (name: string, value: number) => ({ name, dims: [], data: Float32Array.of(value) });
  return writeOnnxModel({
    inputs: [{ name: 'frame', dims: [1, 3, 'h', 'w'] }],
    outputs: [
      { name: 'pixels', dims: [1, 'h', 'w', 3], type: 'uint8' },
      { name: 'sum', dims: [] },
    ],
    nodes: [
      { op: 'Mul', inputs: ['frame', 'maximum'], outputs: ['scaled'] },
      { op: 'Clip', inputs: ['scaled', 'zero', 'maximum'], outputs: ['clamped'] },
      { op: 'Add', inputs: ['clamped', 'half'], outputs: ['shifted'] },
      { op: 'Cast', inputs: ['shifted'], outputs: ['samples'], attributes: { to: ELEMENT_TYPES.uint8 } },
      { op: 'Transpose', inputs: ['samples'], outputs: ['pixels'], attributes: { perm: [0, 2, 3, 1] } },
      { op: 'ReduceSum', inputs: ['frame'], outputs: ['sum'], attributes: { keepdims: 0 } },
    ],
    initialisers: [scalar('maximum', 255), scalar('zero', 0), scalar('half', 0.5)],
  });
}

/** Runs on the CPU, where the result is needed, whatever device the frame came from. */
export class FrameQuantiser {
  private session: Promise<ort.InferenceSession> | undefined;

  /**
   * @param frame planar RGB, [1, 3, height, width]
   * @returns interleaved RGB, height lines of width pixels; undefined when a value is not a finite number
   */
  async quantise(frame: Float32Array, width: number, height: number): Promise<Uint8Array | undefined> {
    this.session ??= ort.InferenceSession.create(quantiserNetwork(), sessionOptions('cpu'));
    const session = await this.session;
    const { pixels, sum } = await session.run({ frame: new ort.Tensor('float32', frame, [1, 3, height, width]) });
    return Number.isFinite(sum?.data[0]) ? (pixels?.data as Uint8Array) : undefined;
  }

  async release(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    await (await session)?.release();
  }
}
