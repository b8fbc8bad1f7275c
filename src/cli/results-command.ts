import { RestorationError, metricNumber } from '../protocol';
import { detective, warningsOf } from '../api/detective';
import { evaluateResults } from '../api/evaluate-results';
import { allowOnly, required, type Call } from './arguments';
import { printFindings } from './detective-command';
import { checkTables, writeTables } from './write-tables';
import type { Terminal } from './terminal';

/** Pictures that are looked at for warnings when no thorough check was asked for. */
const QUICK_LOOK = 6;

function cell(value: number | undefined, digits: number): string {
  return (value === undefined ? '-' : Number.isFinite(value) ? value.toFixed(digits) : 'inf').padStart(9);
}

/** `evaluate --results A/ B/ --reference GT/ --protocol P`. */
export async function resultsCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'evaluate --results', [
    ...([
      'results',
      'reference',
      'protocol',
      'metrics',
      'scale',
      'clips',
      'seed',
      'limit',
      'out',
      'resume',
      'table',
    ] as const),
    ...(['check', 'claimed'] as const),
  ]);
  const folders = [...call.results, ...call.words];
  const reference = required(call.reference, '--reference');
  const protocol = required(call.protocol, '--protocol');
  checkTables(call.tables);
  const progress = (label: string, done: number, total: number, secondsLeft?: number): void =>
    terminal.progress(`${done}/${total} ${label}`, done, total, secondsLeft);

  const looked = await detective({
    results: folders,
    reference,
    scale: call.scale,
    claimed: call.claimed,
    ...(call.check ? {} : { limit: QUICK_LOOK }),
    signal,
    onProgress: ({ name, done, total }) => progress(`looking at ${name}`, done, total),
  });
  const report = await evaluateResults(folders, {
    reference,
    protocol,
    metrics: call.metrics,
    scale: call.scale,
    clips: call.clips,
    seed: call.seed,
    limit: call.limit,
    out: call.out,
    resume: call.resume,
    warnings: warningsOf(looked),
    signal,
    onProgress: ({ name, done, total, secondsLeft, error }) => {
      if (error !== undefined) terminal.note(`${name}: ${error}`);
      progress(name, done, total, secondsLeft);
    },
  });
  const thorough = call.check || call.claimed.length > 0;
  terminal.json(thorough ? { ...report, check: looked } : report);
  const width = Math.max(6, ...report.results.map(({ name }) => name.length));
  const crop = protocol === 'sr' ? `, scale ${report.scale}` : '';
  terminal.text(
    [
      `${report.count} pictures in every folder, protocol ${protocol}${crop}, reference ${report.reference}`,
      '',
      `${'method'.padEnd(width)}     PSNR     SSIM    LPIPS     FLIP`,
      ...report.results.map(
        ({ name, psnr, ssim, lpips, flip }) =>
          `${name.padEnd(width)}${cell(metricNumber(psnr), 3)}${cell(ssim, 4)}${cell(lpips, 4)}${cell(flip, 4)}`,
      ),
      ...(report.differences.length > 0 ? ['', ...report.differences.map(({ statement }) => statement)] : []),
      ...report.results.flatMap(({ name, missing, unmatched }) => [
        ...(missing.length > 0 ? [`missing in ${name}: ${missing.join(', ')}`] : []),
        ...(unmatched.length > 0 ? [`without a reference in ${name}: ${unmatched.join(', ')}`] : []),
      ]),
      ...report.results.flatMap(({ name, failures }) =>
        failures.map((failure) => `failed: ${name}: ${failure.name}: ${failure.error}`),
      ),
    ].join('\n'),
  );
  if (thorough) printFindings(looked, terminal);
  else for (const warning of report.warnings) terminal.note(`Warning: ${warning}`);
  await writeTables(report, call.tables, terminal);
  const failed = report.results.reduce((sum, { failures }) => sum + failures.length, 0);
  if (failed > 0) {
    throw new RestorationError(
      'unreadable-picture',
      `${failed} pictures could not be measured.`,
      'They are listed above; the means are those of the pictures that all folders have.',
    );
  }
}
