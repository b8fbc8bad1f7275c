import { listen } from './service';

/** What the parent sends over the inherited channel: the token is on no command line and in no environment. */
interface Configuration {
  type: 'listen';
  path: string;
  token: string;
}

function isConfiguration(value: unknown): value is Configuration {
  const { type, path, token } = (value ?? {}) as Partial<Record<keyof Configuration, unknown>>;
  return type === 'listen' && typeof path === 'string' && typeof token === 'string';
}

// Without its parent nobody can reach this process any more.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal goes to the whole group; the parent decides what it means.
process.on('SIGINT', () => undefined);

process.once('message', (message: unknown) => {
  if (!isConfiguration(message)) process.exit(2);
  listen(message).then(
    () => process.send?.({ type: 'listening' }),
    (error: unknown) => {
      process.send?.({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
      process.exit(1);
    },
  );
});
