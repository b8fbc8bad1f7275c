import { RestorationError, type Region, type RunRecord } from '../../protocol';
import { CHANNELS, chooseRegion, type Pixels } from '../../measure';
import { composePng, type PlacedPicture } from '../image/compose';
import { BAND_HEIGHT, drawBand, type Curve } from './curve-band';
import {
  ARROWS,
  METRIC_NAMES,
  TASK_NAMES,
  baseName,
  describeBest,
  describePrompt,
  describeProtocol,
  describeWork,
  formatGain,
  formatMetric,
} from './labels';
import { fitText, letter, widthOf, wrapText } from './lettering';
import { BETTER, JUDGED, gainOf, metricOf, type Judged } from './record';
import { FACTS_GAP, GAP, MARGIN, OVERVIEW_HEIGHT, layColumns, overviewSize, sampleColumns } from './strip-layout';

/** Quiet colours on white: the strip stands in documents and on web pages. */
const COLOURS = {
  ground: '#ffffff',
  ink: '#1f2328',
  quiet: '#656d76',
  line: '#d8dee4',
  guide: '#eff2f5',
  accent: '#0969da',
};
const CURVES: Record<Judged, Pick<Curve, 'colour' | 'dashes' | 'leastSpan'> & { unit: string }> = {
  psnr: { colour: '#0969da', leastSpan: 0.5, unit: 'dB, ' },
  ssim: { colour: '#1a7f37', dashes: '6 3', leastSpan: 0.01, unit: '' },
  lpips: { colour: '#9a6700', dashes: '1.5 3', leastSpan: 0.01, unit: '' },
};
const HEADER_BASELINE = 42;
const OVERVIEW_TOP = 72;
const FACT_LINE = 21;
const FACT_LABEL_WIDTH = 82;
const FACT_STYLE = { size: 12.5, fill: COLOURS.ink } as const;
/** Most lines of a long prompt beside the overview. */
const PROMPT_LINES = 3;
const NO_REFERENCE =
  'No reference was given: the curve shows how much each frame changes from the one before, not how good it is.';

export interface StripDrawing {
  record: RunRecord;
  /** One picture a frame of the record, in the same order, all of one size. */
  frames: readonly Pixels[];
  /** The sharp picture, shown beside the first and the last frame. */
  reference?: Pixels;
}

/**
 * The strip as a picture for pages and documents: first and last frame whole with the region marked, the region of every
 * frame pixel for pixel, and under each its metrics as aligned curves. At most nine frames are shown; more are sampled
 * evenly. The same record and frames give the same picture on every machine.
 *
 * @returns an opaque PNG, about 1080 pixels wide for nine frames
 * @throws RestorationError `bad-argument` when the frames do not belong to the record or the region lies outside of them
 */
export async function drawStrip({ record, frames, reference }: StripDrawing): Promise<Buffer> {
  const first = frames[0];
  const last = frames[frames.length - 1];
  if (!first || !last || frames.length !== record.frames.length) {
    throw new RestorationError(
      'bad-argument',
      `The record names ${record.frames.length} frames, but ${frames.length} pictures came.`,
      'Pass one picture for every frame of the record.',
    );
  }
  const region = record.region ?? chooseRegion(first, last);
  for (const frame of frames) assertInside(region, frame);

  const shown = sampleColumns(frames.length);
  const columns = layColumns(shown.length, region);
  const middles = columns.lefts.map((left) => left + columns.cell / 2);
  const pictures: PlacedPicture[] = [];
  const svg: string[] = [drawHeader(record, columns.width)];

  const overviews = [
    { pixels: first, name: `${record.frames[0]!.index} input` },
    ...(frames.length > 1 ? [{ pixels: last, name: `${record.frames.at(-1)!.index} restored` }] : []),
    ...(reference ? [{ pixels: reference, name: 'reference' }] : []),
  ];
  const size = overviewSize(first, overviews.length, columns.width);
  overviews.forEach(({ pixels, name }, i) => {
    const left = MARGIN + i * (size.width + GAP);
    pictures.push({ pixels, left, top: OVERVIEW_TOP, ...size });
    svg.push(
      outlineRegion(region, first, left, size),
      caption(name, left + size.width / 2, OVERVIEW_TOP + size.height + 17, i === 1),
    );
  });
  const factsLeft = MARGIN + overviews.length * size.width + (overviews.length - 1) * GAP + FACTS_GAP;
  const factsWidth = columns.width - MARGIN - factsLeft;
  const facts = [...promptFacts(record, columns.width, factsWidth), ...factsOf(record)];
  svg.push(drawFacts(facts, factsLeft, factsWidth));

  const cropsTop = OVERVIEW_TOP + Math.max(size.height + 17, facts.length * FACT_LINE, OVERVIEW_HEIGHT / 2) + 27;
  const curves = curvesOf(record, shown);
  const curvesTop = cropsTop + columns.crop.height + 30;
  const curvesBottom = curvesTop + curves.length * BAND_HEIGHT;
  // Guides tie every point to its crop; a rule parts the curves.
  for (const x of middles) {
    svg.push(rule(x, cropsTop + columns.crop.height + 26, x, curvesBottom - 4, COLOURS.guide));
  }
  svg.push(describeRegion(region, columns.crop.zoom, cropsTop));
  shown.forEach((place, column) => {
    const left = Math.round(middles[column]! - columns.crop.width / 2);
    const isLast = place === frames.length - 1;
    pictures.push({
      pixels: crop(frames[place]!, region),
      left,
      top: cropsTop,
      width: columns.crop.width,
      height: columns.crop.height,
    });
    if (isLast) svg.push(box(left, cropsTop, columns.crop.width, columns.crop.height, COLOURS.accent, 2));
    const role = place === 0 ? ' input' : isLast ? ' restored' : '';
    svg.push(
      caption(`${record.frames[place]!.index}${role}`, middles[column]!, cropsTop + columns.crop.height + 17, isLast),
    );
  });
  curves.forEach((curve, i) => {
    const top = curvesTop + i * BAND_HEIGHT;
    svg.push(drawBand(curve, { top, nameX: MARGIN, columns: middles }));
    svg.push(rule(MARGIN, top + 4, columns.width - MARGIN, top + 4, COLOURS.line));
  });

  const noteLines = notesOf(record, shown.length).flatMap((note) =>
    wrapText(note, columns.width - 2 * MARGIN, { size: 11 }),
  );
  noteLines.forEach((line, i) => {
    svg.push(letter(line, MARGIN, curvesBottom + 24 + i * 16, { size: 11, fill: COLOURS.quiet }));
  });
  svg.push(rule(MARGIN, curvesBottom + 4, columns.width - MARGIN, curvesBottom + 4, COLOURS.line));
  const height = curvesBottom + 24 + noteLines.length * 16 + 8;
  return composePng({
    width: columns.width,
    height,
    background: COLOURS.ground,
    pictures,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${columns.width}" height="${height}">${svg.join('')}</svg>`,
  });
}

function assertInside(region: Region, frame: Pixels): void {
  if (region.x + region.width <= frame.width && region.y + region.height <= frame.height) return;
  throw new RestorationError(
    'bad-argument',
    `The region ${region.width}x${region.height} at (${region.x}, ${region.y}) does not lie inside a frame of ${frame.width}x${frame.height}.`,
    'Choose a region inside the picture; all frames must have the same size.',
  );
}

function crop(pixels: Pixels, { x, y, width, height }: Region): Pixels {
  const data = new Uint8Array(width * height * CHANNELS);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * pixels.width + x) * CHANNELS;
    data.set(pixels.data.subarray(start, start + width * CHANNELS), row * width * CHANNELS);
  }
  return { data, width, height };
}

const TASK_STYLE = { size: 16, weight: 'semibold', fill: COLOURS.ink } as const;
const PROMPT_STYLE = { size: 13.5, fill: COLOURS.ink } as const;
const WORK_STYLE = { size: 12.5, fill: COLOURS.quiet, anchor: 'end' } as const;

/** What fits into one line: the task, the prompt, and at the right model, device and seconds. */
function headerOf(record: RunRecord, width: number) {
  const task = TASK_NAMES[record.task];
  const work = fitText(describeWork(record), (width - 2 * MARGIN) / 2, WORK_STYLE);
  const promptLeft = MARGIN + widthOf(task, TASK_STYLE) + 16;
  const room = width - MARGIN - widthOf(work, WORK_STYLE) - 24 - promptLeft;
  return { task, work, promptLeft, prompt: fitText(describePrompt(record.prompt), room, PROMPT_STYLE) };
}

function drawHeader(record: RunRecord, width: number): string {
  const { task, work, promptLeft, prompt } = headerOf(record, width);
  return [
    letter(task, MARGIN, HEADER_BASELINE, TASK_STYLE),
    letter(prompt, promptLeft, HEADER_BASELINE, PROMPT_STYLE),
    letter(work, width - MARGIN, HEADER_BASELINE, WORK_STYLE),
    rule(MARGIN, HEADER_BASELINE + 14, width - MARGIN, HEADER_BASELINE + 14, COLOURS.line),
  ].join('');
}

interface Fact {
  label: string;
  value: string;
  strong?: boolean;
}

/** The whole prompt, or its first lines, when the header had to cut it. */
function promptFacts(record: RunRecord, width: number, factsWidth: number): Fact[] {
  const prompt = describePrompt(record.prompt);
  if (headerOf(record, width).prompt === prompt) return [];
  const lines = wrapText(prompt, factsWidth - FACT_LABEL_WIDTH, FACT_STYLE);
  const kept = lines.slice(0, PROMPT_LINES);
  if (lines.length > kept.length) kept[kept.length - 1] += ' …';
  return kept.map((value, i) => ({ label: i === 0 ? 'prompt' : '', value }));
}

function factsOf(record: RunRecord): Fact[] {
  const { input, reference, protocol, frames, best } = record;
  const facts: Fact[] = [{ label: 'input', value: `${baseName(input.file)} · ${input.width}×${input.height}` }];
  const last = frames.at(-1);
  if (last && (last.width !== input.width || last.height !== input.height)) {
    facts.push({
      label: 'restored',
      value: `${last.width}×${last.height}${record.scale ? ` · scale ${record.scale}` : ''}`,
    });
  }
  if (reference) facts.push({ label: 'reference', value: baseName(reference.file) });
  if (protocol) facts.push({ label: 'protocol', value: describeProtocol(protocol) });
  let label = 'last frame';
  for (const metric of JUDGED) {
    const gain = gainOf(frames, metric);
    if (gain === undefined) continue;
    const unit = metric === 'psnr' ? ' dB' : '';
    facts.push({ label, value: `${formatGain(metric, gain)}${unit} ${METRIC_NAMES[metric]}`, strong: true });
    label = '';
  }
  const bestText = describeBest(best);
  if (bestText) facts.push({ label: 'best frame', value: bestText });
  return facts;
}

function drawFacts(facts: readonly Fact[], left: number, width: number): string {
  return facts
    .map(({ label, value, strong }, i) => {
      const y = OVERVIEW_TOP + 13 + i * FACT_LINE;
      const style = { ...FACT_STYLE, weight: strong ? 'semibold' : 'regular' } as const;
      return (
        letter(label, left, y, { ...FACT_STYLE, fill: COLOURS.quiet }) +
        letter(fitText(value, width - FACT_LABEL_WIDTH, style), left + FACT_LABEL_WIDTH, y, style)
      );
    })
    .join('');
}

/** The metrics that were measured, or how much the frames change where nothing could be measured. */
function curvesOf(record: RunRecord, shown: readonly number[]): Curve[] {
  const curves: Curve[] = JUDGED.map((metric) => ({
    ...CURVES[metric],
    name: `${METRIC_NAMES[metric]} ${ARROWS[metric]}`,
    explanation: `${CURVES[metric].unit}${BETTER[metric]} is better`,
    values: shown.map((place) => metricOf(record.frames[place]!, metric)),
    format: (value: number) => formatMetric(metric, value),
    better: BETTER[metric],
  }));
  const measured = curves.filter(({ values }) => values.some((value) => value !== undefined));
  if (measured.length > 0) return measured;
  const change: Curve = {
    name: 'Change',
    explanation: '8-bit levels',
    values: shown.map((place) => record.frames[place]!.change),
    format: (value) => formatMetric('change', value),
    leastSpan: 1,
    colour: COLOURS.quiet,
  };
  return change.values.some((value) => value !== undefined) ? [change] : [];
}

function notesOf(record: RunRecord, shown: number): string[] {
  const notes: string[] = [];
  if (record.protocol) {
    const lpips = record.frames.some(({ lpips }) => lpips !== undefined);
    notes.push(
      `PSNR and SSIM in the ${record.protocol.name} protocol, of the whole picture.${lpips ? ' LPIPS (AlexNet, v0.1) on uncropped RGB.' : ''} Gains are over frame 1.`,
    );
  }
  if (!record.reference) notes.push(NO_REFERENCE);
  if (shown < record.frames.length) {
    notes.push(`${shown} of ${record.frames.length} frames are shown; the record holds them all.`);
  }
  return [...notes, ...(record.warnings ?? [])];
}

function describeRegion(region: Region, zoom: number, top: number): string {
  const size = zoom >= 1 ? `at ${zoom}:1` : `at ${Math.round(zoom * 100)} %`;
  return [
    letter('Region', MARGIN, top + 13, { size: 13, weight: 'semibold', fill: COLOURS.ink }),
    letter(`${region.width}×${region.height}`, MARGIN, top + 30, { size: 10.5, fill: COLOURS.quiet }),
    letter(size, MARGIN, top + 45, { size: 10.5, fill: COLOURS.quiet }),
  ].join('');
}

function caption(text: string, x: number, y: number, strong: boolean): string {
  const fill = strong ? COLOURS.ink : COLOURS.quiet;
  return letter(text, x, y, { size: 11.5, weight: strong ? 'semibold' : 'regular', fill, anchor: 'middle' });
}

function rule(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  // Half a pixel off, so that a one-pixel line falls on one row of pixels.
  const place = `x1="${Math.floor(x1) + 0.5}" y1="${Math.floor(y1) + 0.5}" x2="${Math.floor(x2) + 0.5}" y2="${Math.floor(y2) + 0.5}"`;
  return `<line ${place} stroke="${colour}" stroke-width="1"/>`;
}

/** A frame of `thickness` around a rectangle. */
function box(left: number, top: number, width: number, height: number, colour: string, thickness: number): string {
  const half = thickness / 2;
  return `<rect x="${left - half}" y="${top - half}" width="${width + thickness}" height="${height + thickness}" fill="none" stroke="${colour}" stroke-width="${thickness}"/>`;
}

/** The region in an overview: a dark and a light line, so that it is seen on any picture. */
function outlineRegion(region: Region, picture: Pixels, left: number, size: { width: number; height: number }): string {
  const x = Math.round(left + (region.x * size.width) / picture.width);
  const y = Math.round(OVERVIEW_TOP + (region.y * size.height) / picture.height);
  const width = Math.max(4, Math.round((region.width * size.width) / picture.width));
  const height = Math.max(4, Math.round((region.height * size.height) / picture.height));
  return box(x - 1, y - 1, width + 2, height + 2, '#1f2328', 1) + box(x, y, width, height, '#ffffff', 1);
}
