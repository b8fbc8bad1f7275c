import { RestorationError, metricNumber, type Inspection } from '../../protocol';
import { finiteMean } from '../../measure';
import { describeVariant } from './metric-variants';

/** A figure that somebody published or printed. */
export interface Claim {
  metric: 'psnr' | 'ssim';
  value: number;
  /** Digits after the point: how exactly it was said. */
  digits: number;
}

/** One way of computing the figure, and what it gives for the pictures. */
export interface ClaimVariant {
  /** For programs: metric, channels, border, and how pictures are put together. */
  id: string;
  description: string;
  value: number;
  /** Value minus claim. */
  difference: number;
}

export interface ClaimVerdict {
  claim: Claim;
  /** Variants that give the claimed figure as exactly as it was said, the usual ones first, then the closest. */
  fitting: ClaimVariant[];
  /** The closest variants, whether they fit or not. */
  closest: ClaimVariant[];
  statement: string;
}

/** How many variants a verdict names when none fits. */
const CLOSEST = 3;

/**
 * Reads `psnr=32.1` or `ssim=0.894`.
 *
 * @throws RestorationError `bad-argument` that says what a claim looks like
 */
export function parseClaim(text: string): Claim {
  const match = /^\s*(psnr|ssim)\s*[=:]\s*(\d{1,3}(?:\.(\d{1,8}))?)\s*(?:dB)?\s*$/i.exec(text);
  const value = Number(match?.[2]);
  const metric = match?.[1]?.toLowerCase() as Claim['metric'] | undefined;
  if (!match || metric === undefined || (metric === 'ssim' && value > 1)) {
    throw new RestorationError(
      'bad-argument',
      `A claimed figure reads psnr=32.1 or ssim=0.894 (SSIM at most 1), not ${JSON.stringify(text)}.`,
      'Write the metric, an equals sign and the number.',
    );
  }
  return { metric, value, digits: match[3]?.length ?? 0 };
}

/**
 * Finds the protocol in which a folder has a claimed figure.
 *
 * @param variants one record a picture, all of the same folder: figures by variant id
 */
export function judgeClaim(claim: Claim, variants: ReadonlyArray<NonNullable<Inspection['variants']>>): ClaimVerdict {
  const candidates = variantsOf(claim, variants).sort((a, b) => Math.abs(a.difference) - Math.abs(b.difference));
  // Figures in papers are rounded or cut: one unit of the last digit.
  const tolerance = 10 ** -claim.digits + 1e-9;
  const fitting = candidates
    .filter(({ difference }) => Math.abs(difference) < tolerance)
    .sort((a, b) => rarityOf(a.id) - rarityOf(b.id));
  const closest = candidates.slice(0, CLOSEST);
  return { claim, fitting, closest, statement: statementOf(claim, fitting, closest, variants.length) };
}

function variantsOf(claim: Claim, variants: ReadonlyArray<NonNullable<Inspection['variants']>>): ClaimVariant[] {
  const [first] = variants;
  if (!first) return [];
  const ids = Object.keys(first).filter((id) => id.startsWith(claim.metric));
  return ids.flatMap((id) => {
    // A variant counts when every picture is large enough for it.
    const values = variants.flatMap((record) => metricNumber(record[id]) ?? []);
    if (values.length < variants.length) return [];
    const list: Array<[string, string, number | undefined]> = [
      [`${id} mean`, describeVariant(id), finiteMean(values).mean],
    ];
    if (claim.metric === 'psnr' && variants.length > 1) {
      list.push([
        `${id} pooled`,
        `${describeVariant(id)}, of the mean squared error over all pictures`,
        pooled(values),
      ]);
    }
    return list.flatMap(([name, description, value]) =>
      value === undefined ? [] : [{ id: name, description, value, difference: value - claim.value }],
    );
  });
}

/** How unusual a variant is: of several that fit, the usual one is the likely one. */
function rarityOf(id: string): number {
  const unusual = [' pooled', 'rgb-mean', 'rgb-gt-mean', 'y-rounded', 'grey', 'ssim-uniform'];
  return unusual.filter((part) => id.includes(part)).length;
}

/** PSNR of the mean of the pictures' squared errors, instead of the mean of their PSNR. */
function pooled(values: readonly number[]): number | undefined {
  const errors = values.map((value) => 10 ** (-value / 10));
  const error = errors.reduce((sum, value) => sum + value, 0) / errors.length;
  return error > 0 ? -10 * Math.log10(error) : undefined;
}

function statementOf(
  claim: Claim,
  fitting: readonly ClaimVariant[],
  closest: readonly ClaimVariant[],
  pictures: number,
): string {
  const said = `${claim.metric.toUpperCase()} ${claim.value.toFixed(claim.digits)}`;
  const words = ({ description, value }: ClaimVariant): string =>
    `${description} (${value.toFixed(Math.max(claim.digits, claim.metric === 'psnr' ? 2 : 4) + 1)})`;
  const [first, ...more] = fitting;
  if (first && more.length === 0) return `${said} is ${words(first)}, over ${pictures} pictures.`;
  if (first) {
    return `${said} fits ${fitting.length} ways of measuring, best ${words(first)}; also ${more.slice(0, CLOSEST).map(words).join('; ')}. Give more digits to tell them apart.`;
  }
  if (closest.length === 0) return `${said} cannot be checked: no picture could be measured.`;
  return `${said} fits no known way of measuring these pictures; closest are ${closest.map(words).join('; ')}.`;
}
