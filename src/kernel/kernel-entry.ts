import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import {
  DISPLAY_HOST,
  isKernelRequest,
  type DisplayHost,
  type KernelEvent,
  type KernelRequest,
  type RunDefaults,
} from '../protocol';
import { CellCompiler, type OwnPackage } from './cells/cell-compiler';
import { CellOutput } from './cells/output';
import { ServiceLocator } from './cells/service-locator';
import { Session } from './cells/session';
import { endGroup, endWithParent } from './cells/watchdog';

/** The package as its bundles lie on disk, beside this one; the same in a checkout, an installation and an extension. */
const OWN: OwnPackage = {
  name: 'progressive-restoration',
  main: path.join(__dirname, 'index.js'),
  types: path.join(__dirname, 'index.d.ts'),
};

function send(event: KernelEvent): void {
  if (process.connected) process.send?.(event);
}

const output = new CellOutput(send);
const locator = new ServiceLocator((sequence) => send({ type: 'service-wanted', sequence }));
let session: Session | undefined;
let defaults: RunDefaults | undefined;

function start(request: Extract<KernelRequest, { type: 'start' }>): void {
  process.chdir(nearestFolder(path.dirname(request.notebook)));
  output.capture();
  const compiler = new CellCompiler(OWN);
  const started = new Session(request.notebook, compiler, output, OWN);
  session = started;
  const host: DisplayHost = {
    get framesFolder() {
      mkdirSync(request.framesFolder, { recursive: true });
      return request.framesFolder;
    },
    get defaults() {
      return defaults;
    },
    get signal() {
      return started.signal;
    },
    show: (displayId, bundle) => output.display(displayId, bundle),
    ...(request.offersService && { service: () => locator.find() }),
  };
  Object.defineProperty(globalThis, DISPLAY_HOST, { value: host, enumerable: false });
  process.on('uncaughtException', (error) => started.reportBackgroundFailure(error));
  process.on('unhandledRejection', (reason) => started.reportBackgroundFailure(reason));
  send({ type: 'ready', versions: compiler.versions });
}

async function handle(request: KernelRequest): Promise<void> {
  switch (request.type) {
    case 'start':
      start(request);
      break;
    case 'execute': {
      defaults = request.defaults;
      const result = session
        ? await session.execute(request.id, request.code)
        : {
            outcome: 'error' as const,
            error: { name: 'KernelError', message: 'The kernel was not started.', stack: '' },
          };
      send({ type: 'done', id: request.id, ...result });
      break;
    }
    case 'interrupt':
      send({ type: 'interrupting' });
      session?.interrupt();
      break;
    case 'service':
      locator.answer(request);
      break;
    case 'shutdown':
      end();
  }
}

/** Ends the process after whatever the cells have registered for its end, and with it what they have started. */
function end(): never {
  // Registered now, so that it comes last.
  process.once('exit', endGroup);
  process.exit(0);
}

/** A new notebook's folder may not exist yet: the nearest one above it is the working directory then. */
function nearestFolder(folder: string): string {
  return existsSync(folder) || folder === path.dirname(folder) ? folder : nearestFolder(path.dirname(folder));
}

// Loops are broken where they run (see Session); at any other moment the signal alone must not end the process.
process.on('SIGINT', () => undefined);
endWithParent();
process.once('disconnect', end);
process.on('message', (message) => {
  if (isKernelRequest(message)) void handle(message);
});
