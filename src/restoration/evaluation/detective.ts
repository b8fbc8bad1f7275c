import type { Inspection } from '../../protocol';
import { RESIZERS, SAME_FILTER } from './resizers';
import { relateSizes, type SizeRelation } from './sizes';

/** What was found in a folder: `ok` confirms, `note` is worth knowing, `warning` makes figures incomparable. */
export interface Finding {
  kind: 'resizer' | 'size' | 'shift' | 'identical' | 'unreadable';
  level: 'ok' | 'note' | 'warning';
  /** One or two sentences. */
  statement: string;
  /** Names of the pictures that it is about. */
  pictures: string[];
}

/** A picture that was looked at. */
export interface Examined {
  name: string;
  inspection: Inspection;
}

/** Whether a folder holds degraded inputs, which may be smaller, or results, which may not. */
export type FolderRole = 'input' | 'result';

/** Error (root mean square, 8-bit levels) up to which a way of shrinking explains a picture: what rounding alone makes. */
const EXPLAINED = 0.75;
/** Error up to which it still is the most likely one, with something added (compression, another version). */
const LIKELY = 3;
/** Ways of shrinking whose errors differ by less cannot be told apart. */
const ALIKE = 0.02;
/** Shift in pixels that is told when nearly all of so many pictures have it, and how much they may differ in it. */
const LEAST_SHIFT = 0.1;
const LEAST_SYSTEMATIC = 4;
const SYSTEMATIC_SHARE = 0.9;
const ALIKE_SHIFT = 0.06;
/** How many pictures a sentence names. */
const NAMED = 3;

/** Everything that can be said about a folder from its pictures. */
export function concludeFolder(role: FolderRole, examined: readonly Examined[]): Finding[] {
  return [
    ...sizeFindings(role, examined),
    ...(role === 'input' ? resizerFindings(examined) : []),
    // Where a way of shrinking explains a picture to the last level, nothing is left to be a shift.
    ...shiftFindings(
      examined.filter(({ inspection }) => !((inspection.resizers?.[0]?.error ?? Infinity) <= EXPLAINED)),
    ),
    ...identicalFindings(role, examined),
  ];
}

function named(pictures: readonly string[]): string {
  const more = pictures.length - NAMED;
  return `${pictures.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function share(count: number, total: number): string {
  return count === total ? (total === 1 ? 'The picture' : `All ${total} pictures`) : `${count} of ${total} pictures`;
}

// ---- sizes

function sizeFindings(role: FolderRole, examined: readonly Examined[]): Finding[] {
  const groups = new Map<string, Examined[]>();
  for (const picture of examined) {
    const key = groupOf(relateSizes(picture.inspection));
    groups.set(key, [...(groups.get(key) ?? []), picture]);
  }
  const findings = [...groups.values()].flatMap((group) => sizeFinding(role, group, examined.length) ?? []);
  if (groups.size > 1) {
    const parts = [...groups].map(([key, group]) => `${group.length} ${key}`);
    findings.push({
      kind: 'size',
      level: 'warning',
      statement: `The folder mixes sizes: ${parts.join(', ')}, each against its reference.`,
      pictures: [...groups.values()].sort((a, b) => a.length - b.length)[0]!.map(({ name }) => name),
    });
  }
  return findings;
}

function groupOf(relation: SizeRelation): string {
  switch (relation.kind) {
    case 'same':
      return 'of the same size';
    case 'turned':
      return 'turned by 90 degrees';
    case 'scaled':
      return relation.factor > 1
        ? `${factorWords(relation.factor)} times smaller`
        : `${factorWords(1 / relation.factor)} times larger`;
    case 'cut':
      return 'cut to a multiple';
    case 'padded':
      return 'filled up to a multiple';
    case 'border':
      return `without a border of ${relation.pixels} pixels`;
    case 'other':
      return 'of another size';
  }
}

function factorWords(factor: number): string {
  const whole = Math.round(factor);
  return Math.abs(factor - whole) < 0.02 ? String(whole) : factor.toFixed(2);
}

function sizeFinding(role: FolderRole, group: readonly Examined[], total: number): Finding | undefined {
  const relation = relateSizes(group[0]!.inspection);
  const pictures = group.map(({ name }) => name);
  const { width, height, referenceWidth, referenceHeight } = group[0]!.inspection;
  const who = share(group.length, total);
  const [is, has, its] = group.length === 1 ? ['is', 'has', 'its reference'] : ['are', 'have', 'their references'];
  const example = `${pictures[0]}: ${width}x${height} against ${referenceWidth}x${referenceHeight}`;
  const warning = (statement: string): Finding => ({ kind: 'size', level: 'warning', statement, pictures });
  switch (relation.kind) {
    case 'same':
      return undefined;
    case 'turned':
      return warning(`${who} ${is} turned by 90 degrees against ${its} (${example}): an orientation was lost.`);
    case 'scaled':
      if (relation.factor <= 1) {
        return warning(
          `${who} ${is} ${factorWords(1 / relation.factor)} times larger than ${its} (${example}): perhaps made at another scale.`,
        );
      }
      return role === 'input'
        ? undefined
        : warning(
            `${who} ${is} ${factorWords(relation.factor)} times smaller than ${its} (${example}): low-resolution inputs, or a result at another scale.`,
          );
    case 'cut': {
      const multiple = commonMultiple(group, 'cut');
      const what = multiple === undefined ? 'a multiple of some number' : `a multiple of ${multiple}`;
      return warning(
        `${who} ${is} cut to ${what} (${example}); ${correspondenceWords(group)}. Cut the references alike before measuring.`,
      );
    }
    case 'padded': {
      const multiple = commonMultiple(group, 'padded');
      const what = multiple === undefined ? 'a multiple of some number' : `a multiple of ${multiple}`;
      return warning(
        `${who} ${is} filled up to ${what} (${example}); ${correspondenceWords(group)}. Remove the filling before measuring.`,
      );
    }
    case 'border':
      return warning(
        `${who} ${has} lost a border of ${relation.pixels} pixels (${example}); ${correspondenceWords(group)}.`,
      );
    case 'other':
      return warning(`${who} ${has} another size than ${its} (${example}); ${correspondenceWords(group)}.`);
  }
}

/** The smallest number that explains every picture of the group. */
function commonMultiple(group: readonly Examined[], kind: 'cut' | 'padded'): number | undefined {
  const lists = group.map(({ inspection }) => {
    const relation = relateSizes(inspection);
    return relation.kind === kind ? relation.multiples : [];
  });
  return lists[0]?.find((multiple) => lists.every((list) => list.includes(multiple)));
}

function correspondenceWords(group: readonly Examined[]): string {
  const found = group.flatMap(({ inspection }) => inspection.correspondence ?? []);
  if (found.length === 0) return 'the sizes differ too much to say how they correspond';
  const corner = found.filter(({ at }) => at === 'corner').length;
  return corner * 2 >= found.length ? 'their upper left corners correspond' : 'their middles correspond';
}

// ---- resizers

function nameOf(id: string): string {
  return RESIZERS.find((resizer) => resizer.id === id)?.name ?? id;
}

function resizerFindings(examined: readonly Examined[]): Finding[] {
  const fitted = examined.filter(({ inspection }) => inspection.resizers && inspection.resizers.length > 0);
  if (fitted.length === 0) return [];
  const fits = rankResizers(fitted);
  const best = fits[0]!;
  const alike = fits.slice(1).filter(({ error }) => error - best.error < ALIKE && best.error <= EXPLAINED);
  // What cannot be told apart from MATLAB's is not held against the folder.
  const matlab = [best, ...alike].find(({ id }) => id === 'matlab-bicubic');
  const verdict = matlab ?? best;
  const others = fitted.filter(({ inspection }) => {
    const own = inspection.resizers![0]!;
    const here = inspection.resizers!.find(({ id }) => id === verdict.id)!;
    return own.error <= EXPLAINED && here.error - own.error > EXPLAINED;
  });
  const findings = [resizerFinding(verdict, alike, fits, fitted)];
  if (others.length > 0) {
    const ids = [...new Set(others.map(({ inspection }) => nameOf(inspection.resizers![0]!.id)))];
    findings.push({
      kind: 'resizer',
      level: 'warning',
      statement: `The folder mixes resizers: ${others.length} of ${fitted.length} pictures (${named(others.map(({ name }) => name))}) were made by ${ids.join(' or ')}.`,
      pictures: others.map(({ name }) => name),
    });
  }
  return findings;
}

interface Ranked {
  id: string;
  error: number;
  equal: number;
}

/** Ways of shrinking by their error over all pictures. */
function rankResizers(fitted: readonly Examined[]): Ranked[] {
  return RESIZERS.map(({ id }) => {
    const fits = fitted.map(({ inspection }) => inspection.resizers!.find((fit) => fit.id === id)!);
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      id,
      error: Math.sqrt(mean(fits.map(({ error }) => error * error))),
      equal: mean(fits.map(({ equal }) => equal)),
    };
  }).sort((a, b) => a.error - b.error);
}

function resizerFinding(best: Ranked, alike: Ranked[], fits: Ranked[], fitted: readonly Examined[]): Finding {
  const pictures = fitted.map(({ name }) => name);
  const figures = `error ${best.error.toFixed(2)} levels, ${(best.equal * 100).toFixed(best.equal > 0.995 ? 1 : 0)} % of the samples equal`;
  const matlab = fits.find(({ id }) => id === 'matlab-bicubic')!;
  const against = `MATLAB's antialiased bicubic: error ${matlab.error.toFixed(2)}`;
  const finding = (level: Finding['level'], statement: string): Finding => ({
    kind: 'resizer',
    level,
    statement,
    pictures,
  });
  if (best.error > LIKELY) {
    return finding(
      'warning',
      `No known way of shrinking explains the low-resolution pictures; closest is ${nameOf(best.id)} (${figures}). They may be compressed, noisy, blurred or shifted as well, so figures are not those of the standard protocol.`,
    );
  }
  if (best.error > EXPLAINED) {
    return finding(
      'warning',
      `The low-resolution pictures are most like ${nameOf(best.id)} (${figures}; ${against}), but not exactly: compressed or changed afterwards, perhaps.`,
    );
  }
  if (best.id === 'matlab-bicubic') {
    return finding(
      'ok',
      `The low-resolution pictures are MATLAB's antialiased bicubic of their references (${figures}), as the sr protocol wants them.`,
    );
  }
  if (SAME_FILTER.includes(best.id)) {
    return finding(
      'note',
      `The low-resolution pictures were made by ${nameOf(best.id)} (${figures}): the filter of the sr protocol with other rounding (${against}). Figures hardly differ from those of the protocol.`,
    );
  }
  const or = alike.filter(({ id }) => id !== best.id).map(({ id }) => nameOf(id));
  return finding(
    'warning',
    `The low-resolution pictures were made by ${[nameOf(best.id), ...or].join(' or ')} (${figures}), not by ${against}. Figures are not comparable with those of the standard protocol.`,
  );
}

// ---- shift and identity

function shiftFindings(examined: readonly Examined[]): Finding[] {
  const known = examined.flatMap(({ name, inspection: { shift } }) => (shift ? [{ name, ...shift }] : []));
  const x = median(known.map(({ dx }) => dx));
  const y = median(known.map(({ dy }) => dy));
  const near = known.filter(({ dx, dy }) => Math.hypot(dx - x, dy - y) <= ALIKE_SHIFT);
  // The same small shift in nearly every picture is no accident, and more telling than one picture's.
  const systematic =
    known.length >= LEAST_SYSTEMATIC &&
    near.length >= SYSTEMATIC_SHARE * known.length &&
    Math.hypot(x, y) >= LEAST_SHIFT;
  const shifted = systematic ? near : known.filter(({ warning }) => warning !== undefined);
  if (shifted.length === 0) return [];
  const amounts = shifted.map(({ dx, dy }) => `${pixels(dx)} to the right and ${pixels(dy)} down`);
  const by = systematic
    ? `by the same ${pixels(x)} to the right and ${pixels(y)} down`
    : shifted.length === 1
      ? `by ${amounts[0]}`
      : `by different amounts, ${shifted[0]!.name} by ${amounts[0]}`;
  return [
    {
      kind: 'shift',
      level: 'warning',
      statement:
        `${share(shifted.length, known.length)} ${shifted.length === 1 ? 'is' : 'are'} shifted against the reference ${by} ` +
        `(${named(shifted.map(({ name }) => name))}). Full-reference metrics suffer; nothing was corrected.`,
      pictures: shifted.map(({ name }) => name),
    },
  ];
}

function pixels(value: number): string {
  return `${value.toFixed(2).replace(/^-0\.00$/, '0.00')} pixels`;
}

function median(values: number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function identicalFindings(role: FolderRole, examined: readonly Examined[]): Finding[] {
  const identical = examined.filter(({ inspection }) => inspection.identical).map(({ name }) => name);
  if (identical.length === 0) return [];
  const what = role === 'input' ? 'There is nothing to restore in them' : 'They may be copies of the references';
  return [
    {
      kind: 'identical',
      level: 'warning',
      statement: `${share(identical.length, examined.length)} ${identical.length === 1 ? 'equals its reference' : 'equal their references'} in every pixel (${named(identical)}). ${what}.`,
      pictures: identical,
    },
  ];
}
