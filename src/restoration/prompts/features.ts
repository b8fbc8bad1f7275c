/** Sizes of the text encoder's input, from the model's manifest. */
export interface PromptFeatureSettings {
  /** Rows of the embedding table; row 0 is the empty text. */
  buckets: number;
  maximumIds: number;
}

/** Longest text looked at, in characters after normalisation. */
const MAXIMUM_CHARACTERS = 512;

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash;
}

/** NFKC, lower case, everything but letters a-z, digits and apostrophes becomes one space. */
export function normalisePrompt(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^a-z0-9']+/g, ' ')
    .trim()
    .slice(0, MAXIMUM_CHARACTERS)
    .trim();
}

/**
 * Feature hashing of a prompt (Weinberger 2009): words, pairs and triples of neighbours (so that "no need to brighten" is
 * not "brighten") and character trigrams (so that typos stay near). The order and the hash are those of the recipe in
 * `models/recipes/compact`; `test/fixtures/text-encoder.json` holds both to the same numbers.
 *
 * @returns ids in [1, buckets - 1]; [0] for an empty text
 */
export function promptFeatures(text: string, settings: PromptFeatureSettings): number[] {
  const normalised = normalisePrompt(text);
  if (normalised === '') return [0];
  const words = normalised.split(' ');
  const features: string[] = [];
  for (const word of words) features.push(`w:${word}`);
  for (let i = 0; i + 1 < words.length; i++) features.push(`b:${words[i]} ${words[i + 1]}`);
  for (let i = 0; i + 2 < words.length; i++) features.push(`t:${words[i]} ${words[i + 1]} ${words[i + 2]}`);
  for (const word of words) {
    const padded = `^${word}$`;
    for (let i = 0; i + 3 <= padded.length; i++) features.push(`c:${padded.slice(i, i + 3)}`);
  }
  return features.slice(0, settings.maximumIds).map((feature) => 1 + (fnv1a(feature) % (settings.buckets - 1)));
}
