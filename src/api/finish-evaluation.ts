import { RestorationError } from '../protocol';

/**
 * Takes a measurement to its end and writes the report beside the rows.
 *
 * @param failed what failed, first things first, and whether anything was measured
 * @throws RestorationError when not one picture could be measured: the reason of the first says why
 */
export async function finishEvaluation<Progress, Report extends object>(
  measurement: AsyncGenerator<Progress, Report, void>,
  store: { finish(report: object): Promise<void> } | undefined,
  onProgress: ((progress: Progress) => void) | undefined,
  failed: (report: Report) => { failures: ReadonlyArray<{ name: string; error: string }>; measured: boolean },
): Promise<Report> {
  for (;;) {
    const next = await measurement.next();
    if (!next.done) {
      onProgress?.(next.value);
      continue;
    }
    await store?.finish(next.value);
    const { failures, measured } = failed(next.value);
    const [first] = failures;
    if (measured || first === undefined) return next.value;
    throw new RestorationError(
      'unreadable-picture',
      `All ${failures.length} pictures failed; the first, ${first.name}: ${first.error}`,
      '',
    );
  }
}
