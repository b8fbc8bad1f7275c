import { TASKS, type DegradationGuess, type Task } from '../../protocol';
import type { Pixels } from '../image/pixels';
import { DETECTOR } from './detector-coefficients';
import { detectorFeatures } from './detector-features';
import { detailLimit, measurePicture, type PictureMeasures } from './picture-measures';

/**
 * Guesses what is wrong with a picture from measured features alone (brightness, size, spectrum, edges): a multinomial
 * logistic regression on them and their products whose coefficients `models/recipes/detection` fitted, its confidence calibrated by temperature
 * (Guo 2017). A picture without any of the three faults gets a low confidence at best: one of them is always named.
 *
 * @returns the likeliest task, its probability as confidence, all probabilities, and what was seen
 */
export function detectDegradation(pixels: Pixels): DegradationGuess {
  return detectByMeasures(measurePicture(pixels));
}

/** The same for measures that are at hand. */
export function detectByMeasures(measures: PictureMeasures): DegradationGuess {
  const terms = detectorTerms(detectorFeatures(measures));
  const scores = DETECTOR.tasks.map(({ weights, bias }) =>
    terms.reduce((sum, value, i) => sum + (weights[i] as number) * value, bias),
  );
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp((score - top) / DETECTOR.temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  const shares = Object.fromEntries(TASKS.map((task, k) => [task, (powers[k] as number) / sum])) as Record<
    Task,
    number
  >;
  const task = TASKS.reduce((a, b) => (shares[b] > shares[a] ? b : a));
  return { task, confidence: shares[task], shares, evidence: evidenceOf(measures) };
}

/** Standardised features and half of their products: what is small *and* sharp is not what is small or sharp. */
function detectorTerms(features: readonly number[]): number[] {
  // A picture unlike all others should not be judged with boundless certainty.
  const scaled = features.map((value, i) =>
    Math.max(-3, Math.min(3, (value - (DETECTOR.mean[i] as number)) / (DETECTOR.deviation[i] as number))),
  );
  const products = scaled.flatMap((a, i) => scaled.slice(i).map((b) => (a * b) / 2));
  return [...scaled, ...products];
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/** What was measured, in words: for a person who wonders about the guess. */
function evidenceOf(measures: PictureMeasures): string[] {
  const { luma, edges, spectrum, width, height } = measures;
  const limit = detailLimit(spectrum);
  return [
    `mean brightness ${percent(luma.mean)}, ${percent(luma.dark)} of the pixels near black`,
    `${width}x${height} pixels`,
    `detail up to ${percent(limit)} of what the pixels could hold`,
    `steepest step at edges ${percent(edges.horizontal)} of their range along rows, ${percent(edges.vertical)} along columns`,
  ];
}
