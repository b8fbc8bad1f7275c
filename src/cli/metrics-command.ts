import path from 'node:path';
import { RestorationError, type AlignmentReport, type Measurement, type Metric } from '../protocol';
import { metrics, noReference } from '../api/metrics';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `metrics A B --protocol P`, or `metrics A`. */
export async function metricsCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const [a, b, ...more] = call.words;
  if (a === undefined || more.length > 0) {
    throw new RestorationError(
      'bad-argument',
      `metrics compares two pictures, or looks at one; got ${call.words.length}.`,
      'Name a picture and its reference.',
    );
  }
  if (b === undefined) {
    allowOnly(call, 'metrics of one picture', []);
    await describe(a, terminal);
    return;
  }
  allowOnly(call, 'metrics', ['protocol', 'scale', 'metrics', 'region', 'maps']);
  const protocol = required(call.protocol, '--protocol');
  const { scale, metrics: wanted, region, maps } = call;
  const result = await metrics(a, b, { protocol, scale, metrics: wanted, region, maps, signal });
  terminal.json(result);
  const place = region ? `, region ${region.width}x${region.height} at (${region.x}, ${region.y})` : '';
  terminal.text(
    [
      `protocol  ${protocol}  (${result.width}x${result.height}${place})`,
      ...figures(result, wanted),
      ...(result.alignment ? [alignment(result.alignment)] : []),
      ...Object.entries(result.maps ?? {}).map(
        ([kind, { png, npy, range }]) =>
          `${`${kind} map`.padEnd(10)}${path.join(maps ?? '', png)} (black ${range.low}, bright ${range.high}) and ${npy}`,
      ),
    ].join('\n'),
  );
  if (result.alignment?.warning !== undefined) terminal.note(`Warning: ${result.alignment.warning}`);
}

function figures(result: Measurement, wanted: readonly Metric[] | undefined): string[] {
  const { psnr, ssim, lpips, flip } = result;
  const lines: string[] = [];
  if (psnr !== undefined) {
    const shown = psnr === 'Infinity' ? 'infinite (the pictures are identical)' : `${psnr.toFixed(3)} dB`;
    lines.push(`PSNR      ${shown}`);
  }
  if (ssim !== undefined) lines.push(`SSIM      ${ssim.toFixed(4)}`);
  if (lpips !== undefined) lines.push(`LPIPS     ${lpips.toFixed(4)}`);
  else if (wanted?.includes('lpips') ?? true) lines.push('LPIPS     not defined for so small a picture');
  if (flip !== undefined) lines.push(`FLIP      ${flip.toFixed(4)}`);
  return lines;
}

function alignment({ dx, dy, error }: AlignmentReport): string {
  return `shift     ${dx.toFixed(2)} right, ${dy.toFixed(2)} down, +-${error.toFixed(2)} pixels`;
}

async function describe(file: string, terminal: Terminal): Promise<void> {
  const result = await noReference(file);
  terminal.json(result);
  const { sharpness, exposure } = result;
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  terminal.text(
    [
      `sharpness   Tenengrad ${sharpness.tenengrad.toFixed(1)}, variance of the Laplacian ${sharpness.laplacianVariance.toFixed(1)}`,
      `exposure    mean ${exposure.mean.toFixed(1)}, contrast ${exposure.contrast.toFixed(1)} (of 255)`,
      `clipped     ${percent(exposure.clippedLow)} black, ${percent(exposure.clippedHigh)} white`,
    ].join('\n'),
  );
}
