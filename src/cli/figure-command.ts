import { RestorationError } from '../protocol';
import { figure } from '../api/figure';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `figure [NAME=]PICTURE... --reference FILE --protocol P --out NAME`. */
export async function figureCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'figure', [
    ...(['results', 'reference', 'input', 'picture', 'region', 'protocol', 'scale', 'columns', 'no-note'] as const),
    'out',
  ]);
  const methods = [...call.results, ...call.words];
  if (methods.length === 0) {
    throw new RestorationError(
      'bad-argument',
      'figure needs the pictures of at least one method.',
      'Name them in order.',
    );
  }
  const reference = required(call.reference, '--reference');
  const protocol = required(call.protocol, '--protocol');
  const out = required(call.out, '--out');
  const drawing = await figure({
    methods,
    reference,
    input: call.input,
    picture: call.picture,
    region: call.region,
    protocol,
    scale: call.scale,
    columns: call.columns,
    note: call.note,
    signal,
  });
  const files = await drawing.save(out);
  terminal.json({ files, region: drawing.region, entries: drawing.entries });
  terminal.text(files.join('\n'));
}
