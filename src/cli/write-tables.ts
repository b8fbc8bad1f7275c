import path from 'node:path';
import type { ComparisonReport, EvaluationReport } from '../api';
import { renderTable, tableFormat } from '../restoration/evaluation';
import { writeFileAtomically } from '../restoration/image/files';
import type { Terminal } from './terminal';

/** Refuses files whose ending stands for no kind of table, before any work is done. */
export function checkTables(files: readonly string[]): void {
  for (const file of files) tableFormat(file);
}

/** Writes a report's table into each file, in the format of its ending. */
export async function writeTables(
  report: EvaluationReport | ComparisonReport,
  files: readonly string[],
  terminal: Terminal,
): Promise<void> {
  for (const file of files) {
    await writeFileAtomically(path.resolve(file), renderTable(report, tableFormat(file)));
    terminal.text(file);
  }
}
