import { Tokenizer } from '@huggingface/tokenizers';
import { RestorationError } from '../../protocol';
import { isObject } from '../models/manifest-fields';

/** T5's own numbers, where a tokenizer file does not name the tokens. */
const PAD = 0;
const END = 1;

/** Turns a prompt into the numbers that a T5 text encoder takes. */
export class PromptTokenizer {
  private constructor(
    private readonly tokenizer: Tokenizer,
    private readonly length: number,
  ) {}

  /**
   * @param json contents of `tokenizer.json`, as Hugging Face's tokenizers library writes it
   * @param config contents of `tokenizer_config.json`
   * @param length tokens of a prompt: shorter ones are filled up, longer ones cut
   * @throws RestorationError `bad-model` when it is no tokenizer
   */
  static parse(json: string, config: string | undefined, length: number, model: string): PromptTokenizer {
    try {
      const [tokenizer, settings] = [json, config ?? '{}'].map((text): unknown => JSON.parse(text));
      if (!isObject(tokenizer) || !isObject(settings)) throw new Error('it is not a JSON object');
      return new PromptTokenizer(new Tokenizer(tokenizer, settings), length);
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 200) : 'unreadable';
      throw new RestorationError(
        'bad-model',
        `The tokenizer of model ${model} could not be read (${reason}).`,
        'Export the model again.',
        { cause: error },
      );
    }
  }

  /**
   * The prompt's tokens with the end token last, filled up with padding; as the reference does, padding is attended to.
   *
   * @returns `length` numbers, and whether the prompt was cut
   */
  encode(prompt: string): { ids: number[]; cut: boolean } {
    const end = this.tokenizer.token_to_id('</s>') ?? END;
    const pad = this.tokenizer.token_to_id('<pad>') ?? PAD;
    const tokens = prompt === '' ? [] : this.tokenizer.encode(prompt, { add_special_tokens: false }).ids;
    const kept = tokens.slice(0, this.length - 1);
    const ids = [...kept, end, ...Array.from({ length: this.length - 1 - kept.length }, () => pad)];
    return { ids, cut: kept.length < tokens.length };
  }
}
