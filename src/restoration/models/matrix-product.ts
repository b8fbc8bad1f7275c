import * as ort from 'onnxruntime-node';
import { writeOnnxModel } from './onnx-writer';
import { sessionOptions } from './sessions';

/** Multiplies matrices through the runtime, on all cores: a loop here would take minutes for the weights of a large model. */
export class MatrixProduct {
  private session: Promise<ort.InferenceSession> | undefined;

  /** a [rows, inner] times b [inner, columns], in single precision. */
  async multiply(
    a: { data: Float32Array; shape: readonly [number, number] },
    b: { data: Float32Array; shape: readonly [number, number] },
  ): Promise<Float32Array> {
    this.session ??= ort.InferenceSession.create(
      writeOnnxModel({
        inputs: [
          { name: 'a', dims: ['rows', 'inner'] },
          { name: 'b', dims: ['inner', 'columns'] },
        ],
        outputs: [{ name: 'product', dims: ['rows', 'columns'] }],
        nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['product'] }],
      }),
      sessionOptions('cpu'),
    );
    const session = await this.session;
    const { product } = await session.run({
      a: new ort.Tensor('float32', a.data, a.shape),
      b: new ort.Tensor('float32', b.data, b.shape),
    });
    return product?.data as Float32Array;
  }

  async release(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    await (await session)?.release();
  }
}
