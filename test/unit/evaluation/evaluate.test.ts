import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import {
  composeReport,
  evaluate,
  type EvaluationOptions,
  type EvaluationProgress,
  type EvaluationReport,
  type ItemResult,
  type Pair,
} from '../../../src/restoration/evaluation';

const MODEL = { id: 'compact', sha256: 'ab'.repeat(32) };
const DEVICE = { requested: 'auto', used: 'cpu' } as const;
const SUBJECT = { task: 'deblurring', protocol: 'rgb', prompts: 'uniform', model: 'compact', device: 'auto' } as const;

const pairsOf = (...names: string[]): Pair[] =>
  names.map((name) => ({ name, input: `input/${name}.png`, reference: `reference/${name}.png` }));

function resultOf(frames: ItemResult['frames'], changes: Partial<ItemResult> = {}): ItemResult {
  return { frames, seconds: 2, model: MODEL, device: DEVICE, ...changes };
}

/** Runs an evaluation to its end. */
async function runThrough(
  pairs: Pair[],
  options: Partial<EvaluationOptions> & Pick<EvaluationOptions, 'restoreAndMeasure'>,
): Promise<{ steps: EvaluationProgress[]; report: EvaluationReport }> {
  const generator = evaluate(pairs, { ...SUBJECT, signal: new AbortController().signal, ...options });
  const steps: EvaluationProgress[] = [];
  for (;;) {
    const step = await generator.next();
    if (step.done) return { steps, report: step.value };
    steps.push(step.value);
  }
}

const RESULTS: Record<string, ItemResult> = {
  a: resultOf(
    [
      { index: 1, psnr: 20, ssim: 0.7, lpips: 0.3 },
      { index: 2, psnr: 24, ssim: 0.8, lpips: 0.2 },
      { index: 3, psnr: 23.995, ssim: 0.7996, lpips: 0.2004 },
    ],
    { peakMemoryMiB: 300, seconds: 1 },
  ),
  b: resultOf(
    [
      { index: 1, psnr: 30, ssim: 0.9, lpips: 0.1 },
      { index: 2, psnr: 28, ssim: 0.92, lpips: 0.12 },
      { index: 3, psnr: 'Infinity', ssim: 1, lpips: 0 },
    ],
    { peakMemoryMiB: 280, seconds: 3 },
  ),
};

const fromTable = async ({ name }: Pair): Promise<ItemResult> => {
  const result = RESULTS[name];
  if (!result) throw new RestorationError('unreadable-picture', `${name}.png is empty.`, 'Copy it again.');
  return result;
};

describe('evaluation', () => {
  it('reports means, monotony, best frames and every picture', async () => {
    const { report } = await runThrough(pairsOf('a', 'b'), { restoreAndMeasure: fromTable });
    assert.deepEqual(Object.keys(report), [
      'task',
      'protocol',
      'prompts',
      'model',
      'device',
      'count',
      'frames',
      'monotone',
      'best',
      'secondsPerPicture',
      'peakMemoryMiB',
      'items',
      'failures',
    ]);
    assert.deepEqual([report.task, report.protocol, report.prompts], ['deblurring', 'rgb', 'uniform']);
    assert.deepEqual(report.model, MODEL);
    assert.deepEqual(report.device, DEVICE);
    assert.equal(report.count, 2);
    assert.deepEqual(report.frames[0], { index: 1, psnr: 25, ssim: 0.8, lpips: 0.2 });
    // The infinite PSNR of b is counted, not averaged.
    assert.equal(report.frames[2]!.psnr, 23.995);
    assert.equal(report.frames[2]!.infinite, 1);
    // a steps back by less than the tolerances; b falls by 2 dB and then is perfect.
    assert.deepEqual(report.monotone, { psnr: 0.5, ssim: 1, lpips: 0.5 });
    assert.deepEqual(report.best, { psnr: 2, ssim: 3, lpips: 3 });
    assert.equal(report.secondsPerPicture, 2);
    assert.equal(report.peakMemoryMiB, 300);
    assert.deepEqual(report.items, [
      { name: 'a', frames: RESULTS.a!.frames },
      { name: 'b', frames: RESULTS.b!.frames },
    ]);
    assert.deepEqual(report.failures, []);
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });

  it('goes on after a failing picture and lists it', async () => {
    const { steps, report } = await runThrough(pairsOf('a', 'broken', 'b'), { restoreAndMeasure: fromTable });
    assert.equal(report.count, 2);
    assert.deepEqual(report.failures, [{ name: 'broken', error: 'broken.png is empty. Copy it again.' }]);
    assert.deepEqual(
      steps.map(({ name, error }) => [name, error]),
      [
        ['a', undefined],
        ['broken', 'broken.png is empty. Copy it again.'],
        ['b', undefined],
      ],
    );
  });

  it('reports failures that are not ours as well', async () => {
    const { report } = await runThrough(pairsOf('a'), {
      restoreAndMeasure: async () => {
        throw new TypeError('x is undefined');
      },
    });
    assert.equal(report.count, 0);
    assert.match(report.failures[0]!.error, /x is undefined/);
    assert.deepEqual([report.frames, report.monotone, report.best], [[], {}, {}]);
    assert.deepEqual([report.model, report.device], [{ id: 'compact' }, { requested: 'auto' }]);
  });

  it('tells how far it is, how long it takes, and what it has so far', async () => {
    let clock = 100;
    const { steps } = await runThrough(pairsOf('a', 'b', 'a', 'b'), {
      now: () => clock,
      restoreAndMeasure: async (pair) => {
        clock += 3;
        return fromTable(pair);
      },
    });
    assert.deepEqual(
      steps.map(({ done, total, secondsLeft }) => [done, total, secondsLeft]),
      [
        [1, 4, 9],
        [2, 4, 6],
        [3, 4, 3],
        [4, 4, 0],
      ],
    );
    assert.equal(steps[3]!.report().count, 4);
  });

  it('takes the first pictures up to the limit', async () => {
    const { report } = await runThrough(pairsOf('a', 'b', 'broken'), { restoreAndMeasure: fromTable, limit: 2 });
    assert.deepEqual(
      report.items.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.deepEqual(report.failures, []);
    for (const limit of [0, -1, 2.5, Number.NaN]) {
      await assert.rejects(runThrough(pairsOf('a'), { restoreAndMeasure: fromTable, limit }), /limit/);
    }
  });

  it('stops when cancelled: before a picture and in the middle of one', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const restoreAndMeasure = async (pair: Pair, signal: AbortSignal): Promise<ItemResult> => {
      seen.push(pair.name);
      if (pair.name === 'b') {
        controller.abort();
        assert.ok(signal.aborted);
        throw new Error('socket closed');
      }
      return fromTable(pair);
    };
    const isCancelled = (error: unknown): boolean => error instanceof RestorationError && error.code === 'cancelled';
    const options = { restoreAndMeasure, signal: controller.signal };
    await assert.rejects(runThrough(pairsOf('a', 'b', 'a'), options), isCancelled);
    assert.deepEqual(seen, ['a', 'b']);
    await assert.rejects(runThrough(pairsOf('a'), options), isCancelled);
    assert.deepEqual(seen, ['a', 'b']);
  });

  it('ends at once when no picture could succeed', async () => {
    for (const code of ['unknown-model', 'bad-model', 'device-unavailable'] as const) {
      let calls = 0;
      const restoreAndMeasure = async (): Promise<ItemResult> => {
        calls++;
        throw new RestorationError(code, 'No.', 'Choose another.');
      };
      await assert.rejects(runThrough(pairsOf('a', 'b'), { restoreAndMeasure }), /No\. Choose another\./);
      assert.equal(calls, 1);
    }
  });

  it('says infinity where all pictures are perfect, and leaves out what was not measured', () => {
    const perfect = resultOf([{ index: 1, psnr: 'Infinity', ssim: 1 }]);
    const report = composeReport(
      SUBJECT,
      [
        { name: 'a', result: perfect },
        { name: 'b', result: perfect },
      ],
      [],
    );
    assert.deepEqual(report.frames, [{ index: 1, psnr: 'Infinity', ssim: 1, infinite: 2 }]);
    assert.deepEqual(report.monotone, { psnr: 1, ssim: 1 });
    assert.deepEqual(report.best, { psnr: 1, ssim: 1 });
    assert.ok(!('peakMemoryMiB' in report));
  });

  it('means do not depend on the order of the pictures', () => {
    const item = fc.array(fc.double({ min: 5, max: 60, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 12 }), (curves) => {
        const items = curves.map((curve, i) => ({
          name: String(i),
          result: resultOf(curve.map((psnr, frame) => ({ index: frame + 1, psnr, ssim: psnr / 60 }))),
        }));
        const forth = composeReport(SUBJECT, items, []);
        const back = composeReport(SUBJECT, [...items].reverse(), []);
        assert.deepEqual(forth.monotone, back.monotone);
        forth.frames.forEach((frame, i) => {
          const expected = curves.reduce((sum, curve) => sum + curve[i]!, 0) / curves.length;
          assert.ok(Math.abs((frame.psnr as number) - expected) < 1e-9);
          assert.ok(Math.abs((back.frames[i]!.psnr as number) - expected) < 1e-9);
        });
      }),
    );
  });
});
