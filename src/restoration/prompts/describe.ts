import { detailLimit, type PictureMeasures } from './picture-measures';

/** Names of the twelve hue sectors of 30 degrees, from red on; neighbours that people call alike share a name. */
const HUES = ['red', 'orange', 'yellow', 'green', 'green', 'green', 'cyan', 'blue', 'blue', 'purple', 'pink', 'red'];

/**
 * The built-in describer: a sentence of what can be measured in the degraded picture (brightness, contrast, colours,
 * texture, kind of degradation). It recognises nothing: no subjects, no places.
 */
export function describeMeasures(measures: PictureMeasures): string {
  const colours = colourWords(measures);
  const parts = [`A ${tone(measures)} picture`, colours, `with ${texture(measures)}`].filter((part) => part !== '');
  const fault = faultOf(measures);
  return `${parts.join(' ')}${fault === '' ? '' : `; ${fault}`}.`;
}

function tone({ luma }: PictureMeasures): string {
  const light =
    luma.mean < 0.06
      ? 'very dark'
      : luma.mean < 0.2
        ? 'dark'
        : luma.mean < 0.36
          ? 'dim'
          : luma.mean < 0.6
            ? 'mid-toned'
            : 'bright';
  const contrast = luma.p95 - luma.p5;
  if (contrast < 0.25 && luma.mean >= 0.2) return `${light}, low-contrast`;
  if (contrast > 0.8) return `${light}, high-contrast`;
  return light;
}

function colourWords({ saturation, hues, luma }: PictureMeasures): string {
  // In a nearly black picture the ratios of the channels are mostly noise.
  if (luma.p99 < 0.05) return '';
  if (saturation < 0.08) return 'in grey';
  const shares = new Map<string, number>();
  for (const [i, share] of hues.entries()) {
    const name = HUES[i] as string;
    shares.set(name, (shares.get(name) ?? 0) + share);
  }
  const named = [...shares]
    .filter(([, share]) => share > 0.2)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([name]) => name);
  const strength = saturation < 0.25 ? 'muted ' : '';
  return named.length === 0 ? `in ${strength}colours of many hues` : `in ${strength}${named.join(' and ')}`;
}

function texture({ spectrum }: PictureMeasures): string {
  const fine = spectrum.bands.slice(4, 8).reduce((a, b) => a + b, 0) / Math.max(spectrum.bands[0] as number, 1e-12);
  if (fine > 0.05) return 'fine texture';
  if (fine > 0.008) return 'moderate texture';
  return 'smooth areas';
}

function faultOf(measures: PictureMeasures): string {
  const { luma, edges, spectrum, width, height, blockiness } = measures;
  const faults: string[] = [];
  if (luma.mean < 0.12 || luma.dark > 0.6) faults.push('most of it is near black');
  const [best, worst] = [Math.max(edges.horizontal, edges.vertical), Math.min(edges.horizontal, edges.vertical)];
  if (best > 0 && best < 0.38) faults.push('edges are soft in all directions');
  else if (worst > 0 && worst < 0.6 * best) {
    faults.push(`edges are smeared ${edges.horizontal < edges.vertical ? 'sideways' : 'up and down'}`);
  }
  if (detailLimit(spectrum) <= 0.5) faults.push('fine detail is missing');
  if (width * height < 160 * 160) faults.push('it is small');
  if (blockiness > 0.15) faults.push('blocks of compression show');
  return faults.slice(0, 2).join(' and ');
}
