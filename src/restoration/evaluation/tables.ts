import path from 'node:path';
import { RestorationError, adapterNames, metricNumber, type MetricProtocol } from '../../protocol';
import { bestPlace } from '../report/record';
import {
  COMPARED,
  COMPARED_BETTER,
  COMPARED_DIGITS,
  COMPARED_NAMES,
  CONFIDENCE,
  signed,
  type Compared,
  type ComparisonReport,
} from './compare';
import type { EvaluationReport } from './report';

/** Tables of a report for documents and programs; the ending of a file chooses. */
export const TABLE_FORMATS = ['md', 'tex', 'csv'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** The format that a file's ending stands for. @throws RestorationError `bad-argument` for another ending */
export function tableFormat(file: string): TableFormat {
  const ending = path.extname(file).slice(1).toLowerCase();
  const format = TABLE_FORMATS.find((known) => known === ending);
  if (format !== undefined) return format;
  throw new RestorationError(
    'bad-argument',
    `A table is written as Markdown, LaTeX or CSV, but ${JSON.stringify(file)} ends in none of .md, .tex and .csv.`,
    'Give the file one of these endings.',
  );
}

interface Row {
  name: string;
  values: Partial<Record<Compared, number | undefined>>;
}

interface Table {
  /** Heading of the first column. */
  head: string;
  caption: string;
  /** Name for references in LaTeX. */
  label: string;
  rows: Row[];
  /** Metrics that at least one row has. */
  metrics: Compared[];
}

type Report = EvaluationReport | ComparisonReport;

function isComparison(report: Report): report is ComparisonReport {
  return 'results' in report;
}

function protocolWords(protocol: MetricProtocol, scale: number | undefined): string {
  switch (protocol) {
    case 'sr':
      return scale === undefined
        ? 'PSNR and SSIM on the Y channel, border of the scale cropped'
        : `PSNR and SSIM on the Y channel, border of ${scale} pixels cropped`;
    case 'rgb':
      return 'PSNR and SSIM on RGB, nothing cropped';
  }
}

function tableOf(report: Report): Table {
  const rows: Row[] = isComparison(report)
    ? report.results.map((result) => ({ name: result.name, values: valuesOf(result) }))
    : report.frames.map((frame) => ({ name: String(frame.index), values: valuesOf(frame) }));
  const metrics = COMPARED.filter((metric) => rows.some(({ values }) => values[metric] !== undefined));
  const notes = [
    `${report.count} ${report.count === 1 ? 'picture' : 'pictures'}`,
    protocolWords(report.protocol, isComparison(report) ? report.scale : undefined),
    ...(metrics.includes('lpips') ? ['LPIPS v0.1 (AlexNet) on uncropped RGB'] : []),
    ...(metrics.includes('flip') ? ['FLIP (LDR, 67 pixels per degree) on RGB'] : []),
  ];
  const infinite = isComparison(report) ? report.results : report.frames;
  if (infinite.some((entry) => (entry.infinite ?? 0) > 0))
    notes.push('pictures identical to their reference left out of PSNR');
  if (!isComparison(report)) {
    const model = [report.model.id, ...adapterNames(report.model.adapter)].join(' + ');
    notes.unshift(`frames of ${model}, ${report.task}`);
  }
  return {
    head: isComparison(report) ? 'Method' : 'Frame',
    caption: `${sentence(notes.join('; '))}.${marksOf(rows.length)}`,
    label: isComparison(report) ? 'tab:results' : 'tab:frames',
    rows,
    metrics,
  };
}

/** What the marks mean, as far as there are any. */
function marksOf(rows: number): string {
  return rows > 2 ? ' Best bold, second underlined.' : rows === 2 ? ' Best bold.' : '';
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function valuesOf(entry: { psnr?: number | 'Infinity'; ssim?: number; lpips?: number; flip?: number }): Row['values'] {
  return { psnr: metricNumber(entry.psnr), ssim: entry.ssim, lpips: entry.lpips, flip: entry.flip };
}

function printed(value: number, metric: Compared): string {
  return value === Infinity ? '∞' : value.toFixed(COMPARED_DIGITS[metric]);
}

/** Place in the ranking by what is printed, 0 = best; equal prints share a place. One row alone has none. */
function ranksOf(rows: readonly Row[], metric: Compared): Array<number | undefined> {
  const values = rows.map(({ values: row }) => {
    const value = row[metric];
    return value === undefined ? undefined : Number(value.toFixed(COMPARED_DIGITS[metric]));
  });
  const present = values.filter((value) => value !== undefined);
  if (present.length < 2) return values.map(() => undefined);
  const best = values[bestPlace(values, COMPARED_BETTER[metric])!];
  const others = values.map((value) => (value === best ? undefined : value));
  const secondPlace = present.length > 2 ? bestPlace(others, COMPARED_BETTER[metric]) : undefined;
  const second = secondPlace === undefined ? undefined : others[secondPlace];
  return values.map((value) => (value === undefined ? undefined : value === best ? 0 : value === second ? 1 : 2));
}

interface Marks {
  escape: (text: string) => string;
  best: (text: string) => string;
  second: (text: string) => string;
  infinity: string;
}

/** The table's cells as text: names, then each metric with its marks. */
function cellsOf({ rows, metrics }: Table, { escape, best, second, infinity }: Marks): string[][] {
  const ranks = new Map(metrics.map((metric) => [metric, ranksOf(rows, metric)]));
  return rows.map(({ name, values }, i) => [
    escape(name),
    ...metrics.map((metric) => {
      const value = values[metric];
      if (value === undefined) return '–';
      const text = printed(value, metric).replace('∞', infinity);
      const rank = ranks.get(metric)![i];
      return rank === 0 ? best(text) : rank === 1 ? second(text) : text;
    }),
  ]);
}

const ARROW: Record<'higher' | 'lower', string> = { higher: '↑', lower: '↓' };

/** Differences of folders, one row a pair and metric. */
function differencesOf(report: Report): string[][] {
  if (!isComparison(report)) return [];
  return report.differences.map(({ a, b, metric, mean, low, high, adjusted, better }) => [
    `${a} − ${b}`,
    COMPARED_NAMES[metric],
    signed(mean, metric),
    interval(low, high, metric),
    ...(report.statistics.comparisons > 1 ? [interval(adjusted?.low, adjusted?.high, metric)] : []),
    better ?? 'not decided',
  ]);
}

function interval(low: number | undefined, high: number | undefined, metric: Compared): string {
  return low === undefined || high === undefined ? '–' : `[${signed(low, metric)}, ${signed(high, metric)}]`;
}

function differenceHead(report: ComparisonReport): string[] {
  const percent = `${CONFIDENCE * 100} %`;
  const adjusted = report.statistics.comparisons > 1 ? [`adjusted for ${report.statistics.comparisons} pairs`] : [];
  return ['Pair', 'Metric', 'Mean difference', `${percent} interval`, ...adjusted, 'Better'];
}

function differenceCaption(report: ComparisonReport): string {
  const { resamples, seed } = report.statistics;
  const units =
    report.clips.count === report.count
      ? `${report.count} pictures`
      : `${report.clips.count} clips (${report.count} pictures)`;
  return `Paired differences over the same pictures; percentile bootstrap over ${units}, ${resamples} resamples, seed ${seed}.`;
}

const minus = (text: string): string => text.replace(/(^|[[ ])-(?=\d)/g, '$1−');

function markdown(report: Report): string {
  const table = tableOf(report);
  const escape = (text: string): string => text.replace(/[\\`*_{}[\]<>|#]/g, '\\$&').replace(/\s+/g, ' ');
  const cells = cellsOf(table, {
    escape,
    best: (text) => `**${text}**`,
    second: (text) => `<u>${text}</u>`,
    infinity: '∞',
  });
  const head = [
    table.head,
    ...table.metrics.map((metric) => `${COMPARED_NAMES[metric]} ${ARROW[COMPARED_BETTER[metric]]}`),
  ];
  const parts = [table.caption, '', ...grid([head, ...cells], [false, ...table.metrics.map(() => true)])];
  if (isComparison(report) && report.differences.length > 0) {
    const rows = differencesOf(report).map((row) =>
      row.map((cell, i) => (i > 1 && i < row.length - 1 ? minus(cell) : escape(cell))),
    );
    const right = differenceHead(report).map((_, i, all) => i > 1 && i < all.length - 1);
    parts.push('', differenceCaption(report), '', ...grid([differenceHead(report), ...rows], right));
  }
  return `${parts.join('\n')}\n`;
}

function grid(rows: readonly string[][], right: readonly boolean[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => [...row[column]!].length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => pad(cell, widths[i]!, right[i]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (right[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)];
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - [...text].length));
  return right ? space + text : text + space;
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '↑': '$\\uparrow$',
  '↓': '$\\downarrow$',
  '−': '$-$',
  '–': '--',
  '×': '$\\times$',
  '∞': '$\\infty$',
};

/** Text as LaTeX shows it; control characters become spaces. */
export function latexText(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[\\~^↑↓−–×∞]|[&%$#_{}]/gu, (character) => LATEX[character] ?? `\\${character}`);
}

function latex(report: Report): string {
  const table = tableOf(report);
  const cells = cellsOf(table, {
    escape: latexText,
    best: (text) => `\\textbf{${text}}`,
    second: (text) => `\\underline{${text}}`,
    infinity: '$\\infty$',
  }).map((row) => row.map((cell) => (cell === '–' ? '--' : cell)));
  const head = [
    table.head,
    ...table.metrics.map((metric) => `${COMPARED_NAMES[metric]} ${ARROW[COMPARED_BETTER[metric]]}`),
  ];
  const parts = [
    '% Needs \\usepackage{booktabs}.',
    ...latexTable(table.caption, table.label, `l${'c'.repeat(table.metrics.length)}`, head.map(latexText), cells),
  ];
  if (isComparison(report) && report.differences.length > 0) {
    const columns = differenceHead(report);
    const rows = differencesOf(report).map((row) => row.map((cell) => latexText(minus(cell))));
    parts.push(
      '',
      ...latexTable(
        differenceCaption(report),
        'tab:differences',
        `ll${'r'.repeat(columns.length - 3)}l`,
        columns.map(latexText),
        rows,
      ),
    );
  }
  return `${parts.join('\n')}\n`;
}

function latexTable(caption: string, label: string, columns: string, head: string[], rows: string[][]): string[] {
  const line = (row: readonly string[]): string => `    ${row.join(' & ')} \\\\`;
  return [
    '\\begin{table}[t]',
    '  \\centering',
    `  \\caption{${latexText(caption)}}`,
    `  \\label{${label}}`,
    `  \\begin{tabular}{${columns}}`,
    '    \\toprule',
    line(head),
    '    \\midrule',
    ...rows.map(line),
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
  ];
}

/** RFC 4180, full precision; the protocol and the number of pictures stand in every row. */
function csv(report: Report): string {
  const quote = (value: string | number | undefined): string => {
    const text = value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const { rows, head } = tableOf(report);
  const scale = isComparison(report) ? report.scale : undefined;
  const table = [
    [head.toLowerCase(), 'protocol', 'scale', 'pictures', ...COMPARED],
    ...rows.map(({ name, values }) => [
      name,
      report.protocol,
      scale,
      report.count,
      ...COMPARED.map((metric) => values[metric]),
    ]),
  ];
  return table.map((row) => `${row.map(quote).join(',')}\r\n`).join('');
}

/**
 * A report as a table: Markdown, LaTeX with booktabs, or CSV. Best values are bold and second ones underlined (by what is
 * printed, so that equal numbers are marked alike); the caption names protocol and number of pictures. Markdown and LaTeX
 * also list the paired differences of a comparison.
 */
export function renderTable(report: EvaluationReport | ComparisonReport, format: TableFormat): string {
  switch (format) {
    case 'md':
      return markdown(report);
    case 'tex':
      return latex(report);
    case 'csv':
      return csv(report);
  }
}
