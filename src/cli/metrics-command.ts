import { RestorationError } from '../protocol';
import { metrics } from '../api/metrics';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `metrics A B --protocol P`. */
export async function metricsCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'metrics', ['protocol', 'scale']);
  const [a, b, ...more] = call.words;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new RestorationError(
      'bad-argument',
      `metrics compares two pictures; got ${call.words.length}.`,
      'Name a picture and its reference.',
    );
  }
  const protocol = required(call.protocol, '--protocol');
  const result = await metrics(a, b, { protocol, scale: call.scale, signal });
  terminal.json(result);
  const lpips = result.lpips === undefined ? 'not defined for so small a picture' : result.lpips.toFixed(4);
  const psnr = result.psnr === 'Infinity' ? 'infinite (the pictures are identical)' : `${result.psnr.toFixed(3)} dB`;
  terminal.text(
    [
      `protocol  ${protocol}  (${result.width}x${result.height})`,
      `PSNR      ${psnr}`,
      `SSIM      ${result.ssim.toFixed(4)}`,
      `LPIPS     ${lpips}`,
    ].join('\n'),
  );
}
