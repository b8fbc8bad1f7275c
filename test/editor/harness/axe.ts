import { readFile } from 'node:fs/promises';
import type { AxeResults } from 'axe-core';
import type { Frame } from 'playwright-core';

export interface Finding {
  id: string;
  impact: string;
  where: string[];
}

/** Serious and critical findings of axe inside `selector` of a document. */
export async function seriousFindings(document: Frame, selector: string): Promise<Finding[]> {
  await document.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await document.evaluate(async (include) => {
    const { axe } = window as unknown as { axe: { run(context: object, options: object): Promise<AxeResults> } };
    // What lies around it is the notebook's.
    return axe.run({ include: [[include]] }, { resultTypes: ['violations'] });
  }, selector);
  return violations.flatMap(({ id, impact, nodes }) =>
    impact === 'serious' || impact === 'critical'
      ? [
          {
            id,
            impact,
            where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary ?? ''}`),
          },
        ]
      : [],
  );
}
