/**
 * Which result file belongs to which reference, by name: methods decorate the names of the pictures they write
 * (`baby_x4.png`, `baby_EDSR.png`, `img_001_SRF_4_SR.png`, `out_baby.png`), and data sets decorate references (`baby_HR.png`).
 */

/** What the names of pictures are decorated with, as whole words; in any order, any number of them. */
const WORDS = [
  ...['x\\d(?:\\.\\d+)?', '\\dx', 'srf_\\d', 'sf\\d', 'scale_?\\d', 'bicubic', 'bic', 'nearest', 'lanczos'],
  ...['out', 'output', 'outputs', 'result', 'results', 'res', 'rlt', 'pred', 'prediction', 'fake', 'final', 'test'],
  ...['restored', 'restoration', 'rec', 'recon', 'deblurred', 'deblur', 'denoised', 'enhanced', 'enhance', 'ours'],
  ...['input', 'lq', 'lr', 'low', 'blur', 'blurred', 'blur_gamma', 'noisy', 'degraded'],
  ...[
    'reference',
    'ref',
    'gt',
    'hq',
    'hr',
    'sr',
    'high',
    'sharp',
    'clean',
    'target',
    'label',
    'normal',
    'original',
    'orig',
  ],
];
const SEPARATORS = '[-_. /]';
const WORD = `(?:${WORDS.join('|')})`;
const TRAILING = new RegExp(`^(.+?)${SEPARATORS}+${WORD}$`, 'i');
const LEADING = new RegExp(`^${WORD}${SEPARATORS}+(.+)$`, 'i');
/** The enlargement without a separator before it, as DIV2K writes it: `0801x4`. */
const GLUED = /^(.*\d)x\d$/i;
/** LOL v2 numbers its pairs `low00690` and `normal00690`. */
const GLUED_KIND = /^(?:low|normal|high)(\d+)$/i;
/** A part in the middle of a path that only names the kind of picture: `CLIP/blur/000001`. */
const MIDDLE = new RegExp(`/${WORD}(?=/)`, 'i');
/** A form that differs from the name in upper and lower case or in separators only costs less than a word taken away. */
const SPELLING_COST = 0.5;

/** A name that stands for more than one file, or one file that fits several references. */
export interface AmbiguousMatch {
  /** The name that is unclear. */
  name: string;
  /** What it may stand for. */
  candidates: string[];
}

export interface NameMatches {
  /** Place of the result for each reference; undefined where there is none. */
  resultOf: Array<number | undefined>;
  /** Names of references without a result. */
  missing: string[];
  /** Names of results without a reference. */
  unmatched: string[];
  ambiguous: AmbiguousMatch[];
}

/** What is known about all names of one side. */
interface Side {
  /** Words that count as decorations there, in lower case. */
  words: readonly string[];
  /** Length of the path that all names begin with. */
  folders: number;
}

/** Length of the folders, with their last slash, that all names lie in. */
function commonFolders(names: readonly string[]): number {
  const [first] = names;
  if (first === undefined) return 0;
  let length = first.lastIndexOf('/') + 1;
  while (length > 0 && !names.every((name) => name.startsWith(first.slice(0, length)))) {
    length = first.lastIndexOf('/', length - 2) + 1;
  }
  return length;
}

/** A name and what is left of it when decorations are taken away, with the number of steps to each form. */
function formsOf(name: string, { words, folders }: Side): Map<string, number> {
  const forms = new Map<string, number>();
  const waiting: Array<{ form: string; steps: number }> = [{ form: name, steps: 0 }];
  if (folders > 0) waiting.push({ form: name.slice(folders), steps: 1 });
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { form, steps } = next;
    if (forms.has(form)) continue;
    forms.set(form, steps);
    for (const shorter of shortened(form, words)) waiting.push({ form: shorter, steps: steps + 1 });
  }
  return forms;
}

function shortened(form: string, extraWords: readonly string[]): string[] {
  const shorter = [TRAILING.exec(form)?.[1], LEADING.exec(form)?.[1], GLUED.exec(form)?.[1]];
  shorter.push(GLUED_KIND.exec(form)?.[1]);
  if (MIDDLE.test(form)) shorter.push(form.replace(MIDDLE, ''));
  const folded = form.toLowerCase();
  for (const word of extraWords) {
    if (folded.length > word.length + 1 && folded.endsWith(word) && isSeparator(form[form.length - word.length - 1])) {
      shorter.push(form.slice(0, -word.length - 1));
    }
    if (folded.length > word.length + 1 && folded.startsWith(word) && isSeparator(form[word.length])) {
      shorter.push(form.slice(word.length + 1));
    }
  }
  return shorter.filter((text): text is string => text !== undefined && /[^-_. /]/.test(text));
}

function isSeparator(character: string | undefined): boolean {
  return character !== undefined && /[-_. /]/.test(character);
}

/** One spelling for names that differ in separators and case only. */
function folded(form: string): string {
  return form.toLowerCase().replace(/[-_. /]+/g, '_');
}

/** Spellings of a name with what each costs. */
function spellingsOf(name: string, side: Side): Map<string, number> {
  const costs = new Map<string, number>();
  const offer = (spelling: string, cost: number): void => {
    if (cost < (costs.get(spelling) ?? Infinity)) costs.set(spelling, cost);
  };
  for (const [form, steps] of formsOf(name, side)) {
    offer(`=${form}`, steps);
    offer(`~${folded(form)}`, steps + SPELLING_COST);
  }
  return costs;
}

/**
 * Finds the result of every reference. The same name is best; else a name that is the same after common decorations are
 * taken away from either side (a scale, "out", "HR", the method's own name), the fewest first, where upper and lower case
 * and the kind of separator do not matter; else a name that is a reference's name and an addition that most of the other
 * files have as well. Nothing is guessed: two results that fit one reference, or a result that fits two references alike, are
 * ambiguous.
 *
 * @param results names without their endings, as `listPictures` gives them
 * @param references the same
 * @param method name of the method, which often stands in the files' names
 */
export function matchNames(results: readonly string[], references: readonly string[], method = ''): NameMatches {
  const words = [method.toLowerCase()].filter((word) => word !== '');
  const resultSide = { words, folders: commonFolders(results) };
  const referenceSide = { words: [], folders: commonFolders(references) };
  const bySpelling = new Map<string, Array<{ reference: number; cost: number }>>();
  references.forEach((name, reference) => {
    for (const [spelling, cost] of spellingsOf(name, referenceSide)) {
      const list = bySpelling.get(spelling) ?? [];
      list.push({ reference, cost });
      bySpelling.set(spelling, list);
    }
  });

  const ambiguous: AmbiguousMatch[] = [];
  const found = new Map<number, number[]>();
  const take = (result: number, reference: number): void => {
    found.set(reference, [...(found.get(reference) ?? []), result]);
  };
  const open: number[] = [];
  results.forEach((name, result) => {
    const best = bestReferences(name, resultSide, bySpelling);
    if (best.length === 1) take(result, best[0]!);
    else if (best.length > 1) ambiguous.push({ name, candidates: best.map((reference) => references[reference]!) });
    else open.push(result);
  });
  const stillOpen = takeBySharedAddition(open, results, references, take);

  const resultOf: NameMatches['resultOf'] = references.map(() => undefined);
  for (const [reference, list] of found) {
    if (list.length === 1) resultOf[reference] = list[0];
    else ambiguous.push({ name: references[reference]!, candidates: list.map((result) => results[result]!) });
  }
  const doubtful = new Set(ambiguous.flatMap(({ name, candidates }) => [name, ...candidates]));
  return {
    resultOf,
    missing: references.filter((name, reference) => resultOf[reference] === undefined && !doubtful.has(name)),
    unmatched: stillOpen.map((result) => results[result]!),
    ambiguous: ambiguous.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function bestReferences(
  name: string,
  side: Side,
  bySpelling: ReadonlyMap<string, ReadonlyArray<{ reference: number; cost: number }>>,
): number[] {
  let least = Infinity;
  let best = new Set<number>();
  for (const [spelling, cost] of spellingsOf(name, side)) {
    for (const candidate of bySpelling.get(spelling) ?? []) {
      // The folded spelling carries its cost on both sides: it counts once.
      const total = cost + candidate.cost - (spelling.startsWith('~') ? SPELLING_COST : 0);
      if (total < least) {
        least = total;
        best = new Set();
      }
      if (total === least) best.add(candidate.reference);
    }
  }
  return [...best].sort((a, b) => a - b);
}

/**
 * Names such as `baby_NAME-OF-AN-EXPERIMENT`: reference and an addition after a separator. An addition counts when at
 * least half of the files that are still open have it, and at least two, so that `img_1_2` is never taken for `img_1`.
 *
 * @returns the results that stay without a reference
 */
function takeBySharedAddition(
  open: readonly number[],
  results: readonly string[],
  references: readonly string[],
  take: (result: number, reference: number) => void,
): number[] {
  const places = new Map(references.map((name, place) => [name, place]));
  const splits = open.map((result) => {
    const name = results[result]!;
    const list: Array<{ reference: number; addition: string }> = [];
    for (let end = 1; end < name.length; end++) {
      const reference = isSeparator(name[end]) ? places.get(name.slice(0, end)) : undefined;
      if (reference !== undefined) list.push({ reference, addition: name.slice(end) });
    }
    return { result, list };
  });
  const counts = new Map<string, number>();
  for (const { list } of splits) for (const { addition } of list) counts.set(addition, (counts.get(addition) ?? 0) + 1);
  const stillOpen: number[] = [];
  for (const { result, list } of splits) {
    const shared = list.filter(({ addition }) => {
      const count = counts.get(addition)!;
      return count >= 2 && count * 2 >= open.length;
    });
    // The longest reference name: the shortest addition.
    const chosen = shared.at(-1);
    if (chosen) take(result, chosen.reference);
    else stillOpen.push(result);
  }
  return stillOpen;
}
