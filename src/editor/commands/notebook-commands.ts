/** What the commands around notebooks do; loaded by the first of them. */
export { newNotebook } from './new-notebook';
export { openQuickstart } from './open-quickstart';
export { removeUnusedFrames } from './remove-unused-frames';
export { restartAndRunAll, restartKernel } from './restart-kernel';
