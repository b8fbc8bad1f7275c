import { RestorationError, type NetworkHints } from '../protocol';
import { models, type ModelCheck, type ModelEntry, type ModelPreview } from '../api/models';
import { allowOnly, type Call } from './arguments';
import type { Terminal } from './terminal';

/** `models list|add|remove|verify`: the models that restore pictures on this machine. */
export async function modelsCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const [action, ...words] = call.words;
  switch (action) {
    case 'list':
      allowOnly(call, 'models list', []);
      expect(words, 0, 0, 'models list takes no names.');
      return list(terminal);
    case 'add':
      allowOnly(call, 'models add', ['yes', 'task', 'id', 'channels', 'license']);
      expect(words, 1, 1, 'models add takes one model: a folder, a manifest, an .onnx file or an https address.');
      return add(words[0] as string, call, terminal, signal);
    case 'remove':
      allowOnly(call, 'models remove', []);
      expect(words, 1, 1, 'models remove takes the id of one model.');
      return remove(words[0] as string, terminal);
    case 'verify':
      allowOnly(call, 'models verify', []);
      expect(words, 0, 1, 'models verify takes the id of one model, or none for all.');
      return verify(words[0], terminal);
    default:
      throw new RestorationError(
        'bad-argument',
        action === undefined ? 'models needs an action.' : `models cannot ${JSON.stringify(action)}.`,
        'Choose one of list, add, remove, verify.',
      );
  }
}

function expect(words: readonly string[], least: number, most: number, problem: string): void {
  if (words.length >= least && words.length <= most) return;
  throw new RestorationError('bad-argument', problem, 'Call progressive-restoration --help for the usage.');
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

async function list(terminal: Terminal): Promise<void> {
  const entries = await models.list();
  terminal.json(entries);
  const width = Math.max(...entries.map(({ id }) => id.length));
  for (const entry of entries) {
    terminal.text(
      entry.problem === undefined
        ? `${entry.id.padEnd(width)}  ${entry.origin.padEnd(7)}  ${megabytes(entry.bytes).padStart(9)}  ${entry.license}  ${tasksOf(entry)}`
        : `${entry.id.padEnd(width)}  ${entry.origin.padEnd(7)}  cannot be used: ${entry.problem}`,
    );
  }
}

function tasksOf({ tasks, scale }: ModelEntry): string {
  return `${tasks.join(', ')}${scale === undefined ? '' : ` (${scale} times)`}`;
}

async function add(source: string, call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const hints: NetworkHints = {
    ...(call.task === undefined ? {} : { tasks: [call.task] }),
    ...(call.id === undefined ? {} : { id: call.id }),
    ...(call.channels === undefined ? {} : { channels: call.channels }),
    ...(call.license === undefined ? {} : { license: call.license }),
  };
  const entry = await models.add(source, {
    hints,
    signal,
    consent: (preview) => {
      describe(preview, terminal);
      return call.yes;
    },
    onProgress: ({ stage, done, total, file }) => {
      if (stage === 'fetch') terminal.progress(`fetching ${file ?? ''}`, done, total);
      else terminal.progress('trying the model', 0, 1);
    },
  });
  terminal.json(entry);
  terminal.text(`${entry.id} was added. Use it with --model ${entry.id}.`);
}

/** What one agrees to with --yes; to standard error, so that it is seen with --json too. */
function describe({ offer, notes }: ModelPreview, terminal: Terminal): void {
  terminal.note(`${offer.id} ${offer.version}: ${offer.name}`);
  terminal.note(`  licence   ${offer.license}`);
  terminal.note(`  tasks     ${offer.tasks.join(', ')}`);
  terminal.note(
    `  size      ${megabytes(offer.bytes)} in ${offer.files.length} file${offer.files.length === 1 ? '' : 's'}`,
  );
  if (offer.hosts.length > 0) {
    terminal.note(`  download  ${megabytes(offer.downloadBytes)} from ${offer.hosts.join(', ')}`);
  }
  terminal.note(`  source    ${offer.source}`);
  for (const note of notes) terminal.note(`  note      ${note}`);
}

async function remove(id: string, terminal: Terminal): Promise<void> {
  const entry = await models.remove(id);
  terminal.json(entry);
  terminal.text(`${id} was removed; ${megabytes(entry.bytes)} are free again.`);
}

async function verify(id: string | undefined, terminal: Terminal): Promise<void> {
  const checks = await models.verify(id);
  terminal.json(checks);
  for (const check of checks) {
    terminal.text(`${check.id}: ${check.ok ? 'intact' : 'damaged'}`);
    for (const { problem } of check.files) if (problem !== undefined) terminal.text(`  ${problem}`);
  }
  const damaged = checks.filter(({ ok }) => !ok);
  if (damaged.length > 0) throw damage(damaged);
}

function damage(checks: readonly ModelCheck[]): RestorationError {
  return new RestorationError(
    'bad-model',
    `${checks.map(({ id }) => id).join(', ')} ${checks.length === 1 ? 'is' : 'are'} damaged.`,
    'Add the model again, or install progressive-restoration again if it ships inside.',
  );
}
