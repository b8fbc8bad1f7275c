import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RestorationError } from '../protocol';
import { shutdown } from '../api/session';
import { packageRoot } from '../restoration/models/locations';
import { parseCall, type Call } from './arguments';
import { datasetCommand } from './dataset-command';
import { degradeCommand } from './degrade-command';
import { detectCommand } from './detect-command';
import { detectiveCommand } from './detective-command';
import { devicesCommand } from './devices-command';
import { evaluateCommand } from './evaluate-command';
import { figureCommand } from './figure-command';
import { metricsCommand } from './metrics-command';
import { modelsCommand } from './models-command';
import { notebookCommand } from './notebook-command';
import { restoreCommand } from './restore-command';
import { Terminal } from './terminal';
import { USAGE } from './usage';

type Command = (call: Call, terminal: Terminal, signal: AbortSignal) => Promise<void>;

const COMMANDS: Record<string, Command> = {
  restore: restoreCommand,
  evaluate: evaluateCommand,
  detect: detectCommand,
  detective: detectiveCommand,
  figure: figureCommand,
  metrics: metricsCommand,
  degrade: degradeCommand,
  dataset: datasetCommand,
  models: modelsCommand,
  notebook: notebookCommand,
  devices: devicesCommand,
};

const EXIT_FAILED = 1;
const EXIT_WRONG_CALL = 2;
/** What a shell reports for a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

function version(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

async function main(words: string[]): Promise<number> {
  const controller = new AbortController();
  let interrupts = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      controller.abort();
      // The first asks the work to stop and clean up; whoever presses twice does not want to wait.
      if (++interrupts > 1) process.exit(EXIT_INTERRUPTED);
    });
  }
  let terminal = new Terminal(false);
  try {
    const call = parseCall(words);
    terminal = new Terminal(call.json);
    if (call.version) {
      process.stdout.write(`${version()}\n`);
      return 0;
    }
    const [name, ...rest] = call.words;
    if (call.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const command = name === undefined ? undefined : Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) {
      throw new RestorationError(
        'bad-argument',
        name === undefined ? 'A command is missing.' : `There is no command ${JSON.stringify(name)}.`,
        `Commands: ${Object.keys(COMMANDS).join(', ')}.`,
      );
    }
    await command({ ...call, words: rest }, terminal, controller.signal);
    return 0;
  } catch (error) {
    const failure = RestorationError.from(error);
    terminal.note(`Error: ${failure.message.trim()}`);
    if (failure.code === 'cancelled') return EXIT_INTERRUPTED;
    if (failure.code !== 'bad-argument') return EXIT_FAILED;
    process.stderr.write(`\n${USAGE}`);
    return EXIT_WRONG_CALL;
  } finally {
    terminal.clear();
    await shutdown();
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
