import { RestorationError, metricNumber } from '../protocol';
import { evaluate } from '../api/evaluate';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

function cell(value: number | undefined, digits: number): string {
  return (value === undefined ? '-' : Number.isFinite(value) ? value.toFixed(digits) : 'inf').padStart(9);
}

/** `evaluate DIR --task T --protocol P`. */
export async function evaluateCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'evaluate', ['task', 'protocol', 'limit', 'prompt', 'frames', 'scale', 'model', 'device']);
  const [folder, ...more] = call.words;
  if (folder === undefined || more.length > 0) {
    throw new RestorationError('bad-argument', `evaluate takes one folder; got ${call.words.length}.`, '');
  }
  const report = await evaluate(folder, {
    task: required(call.task, '--task'),
    protocol: call.protocol,
    limit: call.limit,
    prompt: call.prompt,
    frames: call.frames,
    scale: call.scale,
    model: call.model,
    device: call.device,
    signal,
    onProgress: ({ name, done, total, secondsLeft, error }) => {
      if (error !== undefined) terminal.note(`${name}: ${error}`);
      terminal.progress(`${done}/${total} ${name}`, done, total, secondsLeft);
    },
  });
  terminal.json(report);
  const rows = report.frames.map(
    (frame) =>
      `${String(frame.index).padStart(5)}${cell(metricNumber(frame.psnr), 3)}${cell(frame.ssim, 4)}${cell(frame.lpips, 4)}`,
  );
  terminal.text(
    [
      `${report.count} pictures, ${report.task}, protocol ${report.protocol}, ${report.model.id} on ${report.device.used ?? report.device.requested}`,
      '',
      'frame     PSNR     SSIM    LPIPS',
      ...rows,
      '',
      `monotone curves: ${Object.entries(report.monotone)
        .map(([metric, share]) => `${metric} ${(share * 100).toFixed(0)} %`)
        .join(', ')}`,
      `${report.secondsPerPicture?.toFixed(2) ?? '-'} s a picture`,
      ...report.failures.map(({ name, error }) => `failed: ${name}: ${error}`),
    ].join('\n'),
  );
  if (report.failures.length > 0) {
    throw new RestorationError(
      'unreadable-picture',
      `${report.failures.length} of ${report.count + report.failures.length} pictures could not be evaluated.`,
      'They are listed above; the means are those of the others.',
    );
  }
}
