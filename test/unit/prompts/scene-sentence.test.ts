import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import { composePrompt } from '../../../src/restoration/prompts/compose';
import { normalisePrompt, promptFeatures } from '../../../src/restoration/prompts/features';
import { MAXIMUM_SCENE, sceneSentence } from '../../../src/restoration/prompts/scene-sentence';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc.string({ unit: 'grapheme', maxLength: 600 }),
  fc
    .array(fc.constantFrom('A dog', '. ', '\u0000', '\u202e', '<think>', '</think>', '**', '"', '\n\n', 'é', '🐕', ' '))
    .map((parts) => parts.join('')),
);

describe('sentences of language models', () => {
  const cases: [string, string][] = [
    ['A dog on a beach.', 'A dog on a beach.'],
    ['  "A dog on a beach."\n', 'A dog on a beach.'],
    ['Sure! A dog on a beach.', 'A dog on a beach.'],
    ['Here is a description of the image: A dog on a beach. It is sunny.', 'A dog on a beach.'],
    ['<think>Let me see. It is a cat.</think>\n\nA **dog** on a beach.', 'A dog on a beach.'],
    ['A dog\u0000 on\u001b[31m a\u202e beach.', 'A dog on 31m a beach.'],
    ['- A dog on a beach\n- A ball', '- A dog on a beach - A ball'],
    ['Ein Hund am Strand', 'Ein Hund am Strand'],
  ];
  for (const [answer, sentence] of cases) {
    it(`${JSON.stringify(answer.slice(0, 40))} -> ${JSON.stringify(sentence)}`, () => {
      assert.equal(sceneSentence(answer), sentence);
    });
  }

  for (const answer of ['', '...', '\u202e\u200b', '<think>A dog that never ends', '12 + 12', '👍']) {
    it(`refuses ${JSON.stringify(answer)}`, () => {
      assert.throws(
        () => sceneSentence(answer),
        (error: unknown) => error instanceof RestorationError && error.code === 'endpoint-failed',
      );
    });
  }

  it('are short, on one line and of visible characters, whatever came', () => {
    fc.assert(
      fc.property(anyText, (answer) => {
        let text: string;
        try {
          text = sceneSentence(answer);
        } catch (error) {
          assert.ok(error instanceof RestorationError && error.code === 'endpoint-failed');
          return;
        }
        assert.ok([...text].length <= MAXIMUM_SCENE);
        assert.match(text, /\p{L}{2}/u);
        assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}<>]/u);
        assert.equal(text, text.trim());
      }),
      { numRuns: 500 },
    );
  });

  it('are cut between words', () => {
    const text = sceneSentence(`A ${'very '.repeat(100)}long street`);
    assert.ok(text.length <= MAXIMUM_SCENE && text.endsWith('very'), text);
  });
});

describe('prompt normaliser', () => {
  it('gives lower-case words, and the same for its own result', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = normalisePrompt(text);
        assert.match(once, /^(?:[a-z0-9']+(?: [a-z0-9']+)*)?$/);
        assert.ok(once.length <= 512);
        assert.equal(normalisePrompt(once), once);
      }),
      { numRuns: 500 },
    );
  });

  it('gives ids inside the table, never more than allowed', () => {
    const settings = { buckets: 97, maximumIds: 64 };
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = promptFeatures(text, settings);
        assert.ok(ids.length >= 1 && ids.length <= 64);
        if (normalisePrompt(text) === '') assert.deepEqual(ids, [0]);
        else assert.ok(ids.every((id) => Number.isInteger(id) && id >= 1 && id < 97));
      }),
      { numRuns: 300 },
    );
  });
});

describe('composed prompts', () => {
  const uniform = 'Remove the blur.';
  const cases: [string | undefined, Parameters<typeof composePrompt>[2], ReturnType<typeof composePrompt>][] = [
    [undefined, undefined, { text: uniform, source: 'uniform' }],
    ['  ', 'described', { text: uniform, source: 'uniform' }],
    [uniform, undefined, { text: uniform, source: 'uniform' }],
    ['A dog.', undefined, { text: `${uniform} A dog.`, source: 'user' }],
    ['A dog.', 'endpoint', { text: `${uniform} A dog.`, source: 'endpoint' }],
    [`${uniform} A dog.`, 'described', { text: `${uniform} A dog.`, source: 'described' }],
  ];
  for (const [prompt, source, expected] of cases) {
    it(`${JSON.stringify(prompt)} by ${source ?? 'the user'}`, () => {
      assert.deepEqual(composePrompt(uniform, prompt, source), expected);
    });
  }
});
