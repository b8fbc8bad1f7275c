/** What a host imports: no compiler comes with it, since cells run in a process of their own (`kernel-entry.ts`). */
export * from './kernel-client';
export * from './language/language-client';
export * from './nbformat';
export * from './run-notebook';
export { CellOutputs } from './cell-outputs';
export { finished, isUnfinished } from './unfinished';
