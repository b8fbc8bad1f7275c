import { RestorationError, adapterNames, metricNumber } from '../protocol';
import { detective, warningsOf } from '../api/detective';
import { evaluate } from '../api/evaluate';
import { allowOnly, required, type Call } from './arguments';
import { printFindings } from './detective-command';
import { resultsCommand } from './results-command';
import type { Terminal } from './terminal';
import { checkTables, writeTables } from './write-tables';

/** Pictures that are looked at for warnings when no thorough check was asked for. */
const QUICK_LOOK = 4;

function cell(value: number | undefined, digits: number): string {
  return (value === undefined ? '-' : Number.isFinite(value) ? value.toFixed(digits) : 'inf').padStart(9);
}

/** `evaluate DIR --task T --protocol P`. */
export async function evaluateCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (call.given.has('results')) return resultsCommand(call, terminal, signal);
  allowOnly(call, 'evaluate', [
    ...([
      'task',
      'protocol',
      'metrics',
      'limit',
      'prompt',
      'frames',
      'scale',
      'model',
      'adapter',
      'device',
      'precision',
    ] as const),
    ...(['out', 'resume', 'table', 'check'] as const),
  ]);
  checkTables(call.tables);
  const [folder, ...more] = call.words;
  if (folder === undefined || more.length > 0) {
    throw new RestorationError('bad-argument', `evaluate takes one folder; got ${call.words.length}.`, '');
  }
  const task = required(call.task, '--task');
  const looked = await detective({
    testSet: folder,
    scale: call.scale,
    ...(call.check ? {} : { limit: QUICK_LOOK }),
    signal,
    onProgress: ({ name, done, total }) => terminal.progress(`${done}/${total} looking at ${name}`, done, total),
  });
  const warnings = warningsOf(looked);
  const report = await evaluate(folder, {
    task,
    protocol: call.protocol,
    metrics: call.metrics,
    limit: call.limit,
    prompt: call.prompt,
    frames: call.frames,
    scale: call.scale,
    model: call.model,
    ...(call.adapters.length > 0 ? { adapter: call.adapters } : {}),
    device: call.device,
    precision: call.precision,
    out: call.out,
    resume: call.resume,
    signal,
    onProgress: ({ name, done, total, secondsLeft, error }) => {
      if (error !== undefined) terminal.note(`${name}: ${error}`);
      terminal.progress(`${done}/${total} ${name}`, done, total, secondsLeft);
    },
  });
  terminal.json({
    ...report,
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(call.check ? { check: looked } : {}),
  });
  const rows = report.frames.map(
    (frame) =>
      `${String(frame.index).padStart(5)}${cell(metricNumber(frame.psnr), 3)}${cell(frame.ssim, 4)}${cell(frame.lpips, 4)}${cell(frame.flip, 4)}`,
  );
  terminal.text(
    [
      `${report.count} pictures, ${report.task}, protocol ${report.protocol}, ${[report.model.id, ...adapterNames(report.model.adapter)].join(' + ')} on ${report.device.used ?? report.device.requested}`,
      '',
      'frame     PSNR     SSIM    LPIPS     FLIP',
      ...rows,
      '',
      `monotone curves: ${Object.entries(report.monotone)
        .map(([metric, share]) => `${metric} ${(share * 100).toFixed(0)} %`)
        .join(', ')}`,
      `${report.secondsPerPicture?.toFixed(2) ?? '-'} s a picture`,
      ...report.failures.map(({ name, error }) => `failed: ${name}: ${error}`),
    ].join('\n'),
  );
  if (call.check) printFindings(looked, terminal);
  else for (const warning of warnings) terminal.note(`Warning: ${warning}`);
  await writeTables(report, call.tables, terminal);
  if (report.failures.length > 0) {
    throw new RestorationError(
      'unreadable-picture',
      `${report.failures.length} of ${report.count + report.failures.length} pictures could not be evaluated.`,
      'They are listed above; the means are those of the others.',
    );
  }
}
