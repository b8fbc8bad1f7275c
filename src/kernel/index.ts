/** What a host imports: no compiler comes with it, since cells run in a process of their own (`kernel-entry.ts`). */
export * from './kernel-client';
export { describeExit, type LaunchOptions, type ProcessExit } from './kernel-process';
