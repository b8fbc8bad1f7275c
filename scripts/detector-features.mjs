/**
 * Features of the degradation detector for every line of FOLDER/samples.jsonl: `node scripts/detector-features.mjs FOLDER`.
 *
 * Prints one JSON object a line, the sample's own fields and `features`. `models/recipes/detection/fit.py` reads it: the
 * detector is fitted on the numbers that the library itself computes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
require('tsx/cjs');
const { decodePicture } = require('../src/restoration/image/decode.ts');
const { detectorFeatures } = require('../src/restoration/prompts/detector-features.ts');
const { measurePicture } = require('../src/restoration/prompts/picture-measures.ts');

const folder = process.argv[2];
if (!folder) {
  console.error('Name the folder of a samples.jsonl.');
  process.exit(2);
}
for (const line of readFileSync(path.join(folder, 'samples.jsonl'), 'utf8').split('\n').filter(Boolean)) {
  const sample = JSON.parse(line);
  const { pixels } = await decodePicture(path.resolve(folder, sample.file));
  const features = detectorFeatures(measurePicture(pixels)).map((value) => Number(value.toFixed(5)));
  console.log(JSON.stringify({ ...sample, features }));
}
