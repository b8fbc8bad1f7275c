import {
  RestorationError,
  type ConcreteDevice,
  type ConcretePrecision,
  type Precision,
  type Task,
} from '../../protocol';
import { expertOf, type TrajectoryManifest } from '../models/manifest';

/** What decides whether int8 networks may act. */
export interface PrecisionCircumstances {
  task: Task;
  device: ConcreteDevice;
  /** Adapters are merged into fp32 weights. */
  adapted: boolean;
}

/**
 * The precision of a run. Left to itself it is int8 where the task's expert has int8 networks, the CPU computes and no adapter
 * acts: they ship only if they are hardly worse and much faster there (models/compact/README.md). Undefined for a model that has
 * no int8 networks at all, and so no choice.
 *
 * @throws RestorationError `bad-argument` when int8 was asked for and is not possible
 */
export function choosePrecision(
  manifest: TrajectoryManifest,
  wish: Precision,
  { task, device, adapted }: PrecisionCircumstances,
): ConcretePrecision | undefined {
  const obstacle = !expertOf(manifest, task).int8
    ? `model ${manifest.id} has no int8 networks for ${task}`
    : device !== 'cpu'
      ? `int8 networks run on the CPU, not on ${device}`
      : adapted
        ? 'adapters act on fp32 networks only'
        : undefined;
  if (wish === 'int8' && obstacle !== undefined) {
    throw new RestorationError(
      'bad-argument',
      `Precision int8 is not possible: ${obstacle}.`,
      'Leave the precision out, or give fp32.',
    );
  }
  const any = manifest.tasks.some((each) => expertOf(manifest, each).int8);
  return any ? (wish !== 'fp32' && obstacle === undefined ? 'int8' : 'fp32') : undefined;
}
