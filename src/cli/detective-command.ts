import { RestorationError } from '../protocol';
import { detective, type DetectiveReport } from '../api/detective';
import { allowOnly, required, type Call } from './arguments';
import type { Terminal } from './terminal';

const MARKS = { ok: 'ok      ', note: 'note    ', warning: 'WARNING ' } as const;

/** What was found, folder by folder, for people. */
export function printFindings(report: DetectiveReport, terminal: Terminal): void {
  for (const { name, examined, count, findings, claims } of report.folders) {
    const how = examined === count ? `${count} pictures` : `${examined} of ${count} pictures`;
    const lines = [
      ...findings.map(({ level, statement }) => `  ${MARKS[level]}${statement}`),
      ...claims.map(({ statement, fitting }) => `  ${fitting.length > 0 ? MARKS.ok : MARKS.warning}${statement}`),
    ];
    if (lines.length === 0) lines.push(`  ${MARKS.ok}Sizes and places agree with the references.`);
    terminal.text([`${name} (${how})`, ...lines].join('\n'));
  }
}

/** `detective DIR`, or `detective --results A/ --input LR/ --reference GT/ --claimed psnr=32.1`. */
export async function detectiveCommand(call: Call, terminal: Terminal, signal: AbortSignal): Promise<void> {
  allowOnly(call, 'detective', ['results', 'input', 'reference', 'scale', 'claimed', 'limit']);
  const report = await detective({
    ...foldersOf(call),
    scale: call.scale,
    claimed: call.claimed,
    limit: call.limit,
    signal,
    onProgress: ({ name, done, total }) => terminal.progress(`${done}/${total} ${name}`, done, total),
  });
  terminal.json(report);
  printFindings(report, terminal);
}

function foldersOf(call: Call): { testSet: string } | { results: string[]; input?: string; reference: string } {
  if (call.results.length > 0 || call.input !== undefined) {
    const results = call.results.length > 0 ? [...call.results, ...call.words] : [];
    if (call.results.length === 0 && call.words.length > 0) {
      throw new RestorationError('bad-argument', `detective --input takes no further word ${call.words[0]}.`, '');
    }
    return {
      results,
      ...(call.input === undefined ? {} : { input: call.input }),
      reference: required(call.reference, '--reference'),
    };
  }
  const [folder, ...more] = call.words;
  if (folder === undefined || more.length > 0 || call.reference !== undefined) {
    throw new RestorationError(
      'bad-argument',
      `detective takes one test set, or --results or --input with --reference; got ${call.words.length} folders.`,
      '',
    );
  }
  return { testSet: folder };
}
