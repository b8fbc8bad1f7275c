import { RUN_SCHEMA, type RunState } from '../../src/protocol';

/** What the library shows of a run in this state. */
export function shownRun(state: RunState): unknown {
  const seconds = { decode: 0, network: 0, metrics: 0, encode: 0, total: 0 };
  return {
    record: {
      schema: RUN_SCHEMA,
      task: 'deblurring',
      taskSource: 'user',
      prompt: { text: '', source: 'uniform' },
      model: { id: 'compact', sha256: '' },
      device: { requested: 'auto', used: 'cpu' },
      input: { file: 'a.png', sha256: '', width: 8, height: 8 },
      frames: [{ index: 1, severity: 1, file: `${'0'.repeat(64)}.png`, width: 8, height: 8 }],
      seconds,
      versions: {},
    },
    state,
    pictures: [],
  };
}
