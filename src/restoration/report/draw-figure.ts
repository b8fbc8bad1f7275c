import path from 'node:path';
import { RestorationError, metricValue, type FigureDrawing, type FigureRequest, type Region } from '../../protocol';
import { measurePair, type PairMetrics } from '../../measure';
import { resizeBicubic } from '../image/bicubic';
import { composePng, type PlacedPicture } from '../image/compose';
import { decodePicture } from '../image/decode';
import { cropPixels, type Pixels } from '../image/pixels';
import { chooseFigureRegion } from './figure-region';
import { MARGIN, figureColumns, layFigure, type Box } from './figure-layout';
import { describeProtocol, formatMetric } from './labels';
import { fitText, letter, widthOf, type Lettering } from './lettering';

const COLOURS = { ground: '#ffffff', ink: '#1f2328', quiet: '#57606a', hairline: '#c9ced4', box: '#e5251f' };
const NAME_STYLE = { size: 23, fill: COLOURS.ink, weight: 'semibold' } as const;
const VALUE_STYLE = { size: 21, fill: COLOURS.ink } as const;
const NOTE_STYLE = { size: 15, fill: COLOURS.quiet } as const;
const NAME_BASELINE = 27;
const VALUE_BASELINE = 53;

interface Entry {
  label: string;
  pixels: Pixels;
  /** Undefined for the reference itself. */
  metrics?: PairMetrics;
  /** Methods compete for the best value; the input does not. */
  competes: boolean;
}

/**
 * A figure as papers have it: the whole reference with a box, and beside it that region of the input, of every method and
 * of the reference, each with PSNR and SSIM of the whole picture. The best value of the methods is bold, the second
 * underlined. Text is drawn as outlines, so that the figure looks the same on every machine.
 *
 * @throws RestorationError `size-mismatch` when a method's picture has not the reference's size; `bad-argument` when the
 *   region lies outside of it
 */
export async function drawFigure(request: FigureRequest): Promise<FigureDrawing> {
  const { protocol, note } = request;
  const measured = { protocol, scale: Math.round(request.scale) };
  const reference = (await decodePicture(request.reference)).pixels;
  const entries: Entry[] = [];
  if (request.input !== undefined) {
    const { pixels, label } = inputAt((await decodePicture(request.input)).pixels, reference);
    entries.push({ label, pixels, metrics: measurePair(pixels, reference, measured), competes: false });
  }
  for (const { file, label } of request.methods) {
    const pixels = (await decodePicture(file)).pixels;
    assertSize(file, pixels, reference);
    entries.push({ label, pixels, metrics: measurePair(pixels, reference, measured), competes: true });
  }
  const region = request.region ?? automaticRegion(entries, reference);
  assertInside(region, reference);

  const shown: Entry[] = [...entries, { label: 'Reference', pixels: reference, competes: false }];
  const columns = Math.min(shown.length, request.columns ?? figureColumns(shown.length));
  const layout = layFigure(reference, region, shown.length, columns, note);
  const pictures: PlacedPicture[] = [
    { pixels: reference, ...layout.overview },
    ...shown.map(({ pixels }, i) => ({
      pixels: cropPixels(pixels, region.x, region.y, region.width, region.height),
      ...layout.crops[i]!,
    })),
  ];
  const ranks = { psnr: ranksOf(entries, 'psnr'), ssim: ranksOf(entries, 'ssim') };
  const drawing = [
    ...pictures.map((place) => hairline(place)),
    boxOf(region, reference, layout.overview),
    caption(layout.overview, path.parse(request.reference).name, `${reference.width} × ${reference.height}`),
    ...shown.map((entry, i) =>
      entry.metrics
        ? methodCaption(layout.crops[i]!, entry, i, ranks)
        : caption(layout.crops[i]!, entry.label, 'PSNR / SSIM'),
    ),
    ...(note ? [noteOf(region, layout.zoom, request, layout.width, layout.height)] : []),
  ].join('');
  const { width, height } = layout;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`;
  const png = await composePng({
    width,
    height,
    background: COLOURS.ground,
    pictures,
    svg: `${open}${drawing}</svg>`,
  });
  const images = await Promise.all(pictures.map(embed));
  return {
    png: png.toString('base64'),
    svg: `${open}<rect width="${width}" height="${height}" fill="${COLOURS.ground}"/>${images.join('')}${drawing}</svg>\n`,
    width,
    height,
    region,
    entries: entries.map(({ label, metrics }) => ({
      label,
      psnr: metricValue(metrics!.psnr),
      ssim: metrics!.ssim,
    })),
  };
}

/** The input at the reference's size, and what it is called. */
function inputAt(input: Pixels, reference: Pixels): { pixels: Pixels; label: string } {
  const { width, height } = reference;
  if (input.width === width && input.height === height) return { pixels: input, label: 'Input' };
  const x = width / input.width;
  const y = height / input.height;
  if (x < 1 || y < 1 || Math.abs(x - y) > 0.15 * x) {
    throw new RestorationError(
      'size-mismatch',
      `The input has ${input.width}x${input.height} pixels, which is no smaller version of the reference (${width}x${height}).`,
      'Name the low-resolution picture of this reference, or leave the input out.',
    );
  }
  return { pixels: resizeBicubic(input, width, height), label: `Input (bicubic ×${Math.round(x * 10) / 10})` };
}

function assertSize(file: string, { width, height }: Pixels, reference: Pixels): void {
  if (width === reference.width && height === reference.height) return;
  throw new RestorationError(
    'size-mismatch',
    `${file} has ${width}x${height} pixels; the reference has ${reference.width}x${reference.height}.`,
    'Give results of the size of the reference; `detective` says how they may correspond.',
  );
}

function assertInside({ x, y, width, height }: Region, reference: Pixels): void {
  if (x + width <= reference.width && y + height <= reference.height) return;
  throw new RestorationError(
    'bad-argument',
    `The region ${width}x${height} at (${x}, ${y}) does not lie inside the reference (${reference.width}x${reference.height}).`,
    'Choose a region inside the picture.',
  );
}

/** Where the worst and the best method differ most; with one method, where it differs from the reference. */
function automaticRegion(entries: readonly Entry[], reference: Pixels): Region {
  const methods = entries.filter(({ competes }) => competes).sort((a, b) => a.metrics!.psnr - b.metrics!.psnr);
  const [worst] = methods;
  const best = methods.at(-1);
  return chooseFigureRegion(worst && best && worst !== best ? [worst.pixels, best.pixels] : [best!.pixels, reference]);
}

/**
 * Rank of each entry among the methods, by what is printed (0 = best): equal prints share a rank. Undefined for entries that
 * do not compete, and where there is one method only.
 */
function ranksOf(entries: readonly Entry[], metric: 'psnr' | 'ssim'): Array<number | undefined> {
  const printed = entries.map(({ metrics, competes }) =>
    competes ? Number(formatMetric(metric, metrics![metric])) : undefined,
  );
  const distinct = [...new Set(printed.filter((value): value is number => value !== undefined))].sort((a, b) => b - a);
  const methods = entries.filter(({ competes }) => competes).length;
  return printed.map((value) => (value === undefined || methods < 2 ? undefined : distinct.indexOf(value)));
}

function methodCaption(
  place: Box,
  { label, metrics }: Entry,
  index: number,
  ranks: Record<'psnr' | 'ssim', Array<number | undefined>>,
): string {
  const methods = ranks.psnr.filter((rank) => rank !== undefined).length;
  const middle = place.left + place.width / 2;
  const baseline = place.top + place.height + VALUE_BASELINE;
  const parts = (['psnr', 'ssim'] as const).map((metric) => {
    const rank = ranks[metric][index];
    const text = formatMetric(metric, metrics![metric]).replace('Infinity', '∞');
    const style: Lettering = { ...VALUE_STYLE, weight: rank === 0 ? 'semibold' : 'regular' };
    // With two methods the second is the worse one: nothing to point out.
    return { text, style, underlined: rank === 1 && methods > 2, width: widthOf(text, style) };
  });
  const slash = ' / ';
  const slashWidth = widthOf(slash, VALUE_STYLE);
  const total = parts[0]!.width + slashWidth + parts[1]!.width;
  let pen = middle - total / 2;
  const drawn: string[] = [
    letter(fitText(label, place.width, NAME_STYLE), middle, place.top + place.height + NAME_BASELINE, {
      ...NAME_STYLE,
      anchor: 'middle',
    }),
  ];
  parts.forEach(({ text, style, underlined, width }, i) => {
    drawn.push(letter(text, pen, baseline, style));
    if (underlined) {
      drawn.push(
        `<rect x="${pen.toFixed(2)}" y="${baseline + 4}" width="${width.toFixed(2)}" height="1.5" fill="${COLOURS.ink}"/>`,
      );
    }
    pen += width;
    if (i === 0) {
      drawn.push(letter(slash, pen, baseline, VALUE_STYLE));
      pen += slashWidth;
    }
  });
  return drawn.join('');
}

function caption(place: Box, name: string, below: string): string {
  const middle = place.left + place.width / 2;
  const bottom = place.top + place.height;
  return (
    letter(fitText(name, place.width, NAME_STYLE), middle, bottom + NAME_BASELINE, {
      ...NAME_STYLE,
      anchor: 'middle',
    }) +
    letter(fitText(below, place.width, VALUE_STYLE), middle, bottom + VALUE_BASELINE, {
      ...VALUE_STYLE,
      fill: COLOURS.quiet,
      anchor: 'middle',
    })
  );
}

function noteOf(region: Region, zoom: number, request: FigureRequest, width: number, height: number): string {
  const size = zoom >= 1 ? `enlarged ${zoom} times` : `at ${Math.round(zoom * 100)} %`;
  const protocol = describeProtocol({ name: request.protocol, scale: Math.round(request.scale) });
  const text = `PSNR in dB and SSIM of the whole pictures, protocol ${protocol}. Region ${region.width} × ${region.height} at (${region.x}, ${region.y}), ${size}.`;
  return letter(fitText(text, width - 2 * MARGIN, NOTE_STYLE), MARGIN, height - 12, NOTE_STYLE);
}

/** A thin line around a picture, so that white skies do not run into the page. */
function hairline({ left, top, width, height }: Box): string {
  return `<rect x="${left - 0.5}" y="${top - 0.5}" width="${width + 1}" height="${height + 1}" fill="none" stroke="${COLOURS.hairline}" stroke-width="1"/>`;
}

/** The region in the whole picture: a red box on a white one, so that it is seen on any ground. */
function boxOf(region: Region, picture: Pixels, place: Box): string {
  const scale = place.width / picture.width;
  const x = place.left + region.x * scale;
  const y = place.top + region.y * scale;
  const rect = (colour: string, thickness: number): string =>
    `<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${(region.width * scale).toFixed(2)}" height="${(region.height * scale).toFixed(2)}" fill="none" stroke="${colour}" stroke-width="${thickness}"/>`;
  return rect('#ffffff', 5) + rect(COLOURS.box, 3);
}

/** A picture inside the SVG at the size at which it is shown: enlarged pixels stay squares in every viewer. */
async function embed({ pixels, left, top, width, height }: PlacedPicture): Promise<string> {
  const png = await composePng({
    width,
    height,
    background: COLOURS.ground,
    pictures: [{ pixels, left: 0, top: 0, width, height }],
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"></svg>`,
  });
  return `<image x="${left}" y="${top}" width="${width}" height="${height}" href="data:image/png;base64,${png.toString('base64')}"/>`;
}
