import type { FrameRecord, RunRecord } from '../../protocol';
import { TASK_NAMES, describePrompt, describeProtocol, describeWork, formatGain, formatMetric } from './labels';
import { JUDGED, gainOf, metricOf } from './record';

interface Column {
  title: string;
  cell: (frame: FrameRecord) => string | undefined;
  gain?: string;
}

/** Columns that have something to show, in the order of the strip. */
function columnsOf(record: RunRecord): Column[] {
  const columns: Column[] = [
    { title: 'frame', cell: ({ index }) => String(index), gain: 'gain' },
    { title: 'severity', cell: ({ severity }) => severity.toFixed(3) },
    ...JUDGED.map((metric): Column => {
      const gain = gainOf(record.frames, metric);
      return {
        title: metric === 'psnr' ? 'PSNR/dB' : metric.toUpperCase(),
        cell: (frame) => {
          const value = metricOf(frame, metric);
          return value === undefined ? undefined : formatMetric(metric, value);
        },
        // A plain hyphen: terminals and scripts read this.
        gain: gain === undefined ? undefined : formatGain(metric, gain).replace('−', '-'),
      };
    }),
    {
      title: 'change',
      cell: ({ change }) => (change === undefined ? undefined : formatMetric('change', change)),
    },
  ];
  return columns.filter(({ cell }) => record.frames.some((frame) => cell(frame) !== undefined));
}

/**
 * A run as plain text: one line about it, one a frame with its metrics, the gain of the last frame over the first, the
 * protocol, and the warnings. Ends with a line break.
 */
export function frameTable(record: RunRecord): string {
  const columns = columnsOf(record);
  const rows = [
    columns.map(({ title }) => title),
    ...record.frames.map((frame) => columns.map(({ cell }) => cell(frame) ?? '-')),
  ];
  const hasGain = columns.some(({ gain, title }) => gain !== undefined && title !== 'frame');
  if (hasGain) rows.push(columns.map(({ gain }) => gain ?? ''));
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const head = [TASK_NAMES[record.task], describePrompt(record.prompt), describeWork(record)]
    .filter(Boolean)
    .join(' · ');
  const lines = [
    head.replace(/\s+/g, ' '),
    '',
    ...rows.map((row) =>
      row
        .map((cell, i) => cell.padStart(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
    '',
    record.protocol
      ? `Protocol ${describeProtocol(record.protocol)}.`
      : 'No reference was given: change is the mean absolute difference to the frame before in 8-bit levels, not a quality.',
    ...(record.warnings ?? []),
  ];
  return `${lines.join('\n')}\n`;
}

const CSV_FIELDS = ['index', 'severity', 'file', 'width', 'height', 'psnr', 'ssim', 'lpips', 'flip', 'change'] as const;

/** The frames as comma-separated values (RFC 4180 quoting, a header line, full precision); missing values are empty. */
export function frameCsv(record: RunRecord): string {
  const quote = (value: string | number | undefined): string => {
    const text = value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = record.frames.map((frame) => CSV_FIELDS.map((field) => quote(frame[field])).join(','));
  return [CSV_FIELDS.join(','), ...rows].map((row) => `${row}\r\n`).join('');
}
