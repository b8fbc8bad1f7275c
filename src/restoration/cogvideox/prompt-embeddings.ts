import { RestorationError, type Task } from '../../protocol';
import { readSafetensors, type FloatTensor } from '../adapters/safetensors';
import { readVerified, type CogVideoXManifest, type InstalledModel } from '../models/manifest';
import type { Runner } from './autoencoder';
import { PromptTokenizer } from './tokens';

/** What the transformer reads of a prompt: [length, width] numbers. */
export interface PromptEmbedding {
  data: Float32Array;
  source: 'cached' | 'encoded';
  /** Said in the record: the prompt was longer than the model reads. */
  note?: string;
}

/** Name of the empty prompt's embedding, which guidance leads away from. */
const EMPTY = 'empty';

/**
 * Embeddings of prompts. Those of the model's own sentences and of the empty prompt lie beside it, because the text encoder
 * has 9 GB and is needed for nothing else.
 */
export class PromptEmbeddings {
  private cached: Promise<Map<string, FloatTensor>> | undefined;
  private tokenizer: Promise<PromptTokenizer> | undefined;
  private readonly encoded = new Map<string, PromptEmbedding>();

  constructor(private readonly installed: InstalledModel<CogVideoXManifest>) {}

  get hasEncoder(): boolean {
    return Object.hasOwn(this.installed.manifest.files, 'text_encoder');
  }

  /**
   * The embedding of a task's prompt. Its own sentence is not encoded again.
   *
   * @param encoder runs the text encoder, loading it first
   * @throws RestorationError `bad-argument` for a prompt of the caller's when the model came without a text encoder
   */
  async ofPrompt(prompt: string, task: Task, encoder: () => Promise<Runner>): Promise<PromptEmbedding> {
    const { uniformPrompts, id } = this.installed.manifest;
    const cached = prompt === uniformPrompts[task] ? await this.fromCache(task) : undefined;
    if (cached) return cached;
    if (!this.hasEncoder) {
      throw new RestorationError(
        'bad-argument',
        `Model ${id} came without its text encoder, so it knows only the sentence that it was trained with ("${uniformPrompts[task]}").`,
        'Leave the prompt out, or export the model with its text encoder (9 GB).',
      );
    }
    return this.encode(prompt, encoder);
  }

  /** The embedding of the empty prompt. @throws RestorationError `bad-model` when it is neither kept nor can be made */
  async ofNothing(encoder: () => Promise<Runner>): Promise<PromptEmbedding> {
    const cached = await this.fromCache(EMPTY);
    if (cached) return cached;
    if (this.hasEncoder) return this.encode('', encoder);
    throw this.bad(`has no embedding "${EMPTY}"`);
  }

  private async fromCache(name: string): Promise<PromptEmbedding | undefined> {
    if (!Object.hasOwn(this.installed.manifest.files, 'embeddings')) return undefined;
    this.cached ??= this.read();
    const tensor = (await this.cached).get(name);
    if (!tensor) return undefined;
    const { length, width } = this.installed.manifest.text;
    const shape = tensor.shape.join(', ');
    if (shape !== `${length}, ${width}` && shape !== `1, ${length}, ${width}`) {
      throw this.bad(`has an embedding "${name}" of [${shape}] instead of [${length}, ${width}]`);
    }
    if (!tensor.data.every(Number.isFinite)) throw this.bad(`has values in "${name}" that are not finite numbers`);
    return { data: tensor.data, source: 'cached' };
  }

  private async read(): Promise<Map<string, FloatTensor>> {
    const bytes = await readVerified(this.installed, 'embeddings');
    try {
      return readSafetensors(bytes, 'embeddings');
    } catch (error) {
      throw this.bad(`is damaged (${RestorationError.from(error).problem})`);
    }
  }

  private async encode(prompt: string, encoder: () => Promise<Runner>): Promise<PromptEmbedding> {
    const known = this.encoded.get(prompt);
    if (known) return known;
    const { text, id } = this.installed.manifest;
    this.tokenizer ??= this.readTokenizer();
    const { ids, cut } = (await this.tokenizer).encode(prompt);
    const run = await encoder();
    const { prompt_embeds: output } = await run({
      input_ids: { type: 'int64', data: BigInt64Array.from(ids, BigInt), dims: [1, ids.length] },
    });
    if (output?.data.length !== text.length * text.width || !output.data.every(Number.isFinite)) {
      throw new RestorationError(
        'bad-output',
        `The text encoder of ${id} gave [${output?.dims.join(', ') ?? ''}] or values that are not finite; finite [1, ${text.length}, ${text.width}] was expected.`,
        'Export the model again.',
      );
    }
    const embedding: PromptEmbedding = {
      data: output.data,
      source: 'encoded',
      ...(cut
        ? { note: `The prompt is longer than the ${text.length} tokens that ${id} reads; its end was left out.` }
        : {}),
    };
    // One prompt and the empty one are what a run needs.
    if (this.encoded.size >= 4) this.encoded.clear();
    this.encoded.set(prompt, embedding);
    return embedding;
  }

  private async readTokenizer(): Promise<PromptTokenizer> {
    const { id, text, files } = this.installed.manifest;
    const read = async (key: string): Promise<string> =>
      new TextDecoder().decode(await readVerified(this.installed, key));
    const config = Object.hasOwn(files, 'tokenizer_config') ? await read('tokenizer_config') : undefined;
    return PromptTokenizer.parse(await read('tokenizer'), config, text.length, id);
  }

  private bad(problem: string): RestorationError {
    const { id } = this.installed.manifest;
    return new RestorationError(
      'bad-model',
      `The embeddings file of model ${id} ${problem}.`,
      'Export the model again.',
    );
  }
}
