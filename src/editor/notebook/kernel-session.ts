/** What running cells takes; loaded by the first cell that runs. */
export { KernelClient } from '../../kernel/kernel-client';
export { NotebookSession } from './notebook-session';
