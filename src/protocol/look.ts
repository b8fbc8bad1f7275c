import type { Priority } from './messages';
import type { Task } from './tasks';

/** What seems to be wrong with a picture, judged by measured features alone. */
export interface DegradationGuess {
  /** The likeliest degradation; one is always named. */
  task: Task;
  /** Its probability, in (1/3, 1]: how often such a guess is right on pictures that have one of the three faults. */
  confidence: number;
  /** Probabilities of all three, the sum 1. */
  shares: Record<Task, number>;
  /** What was measured, in words. */
  evidence: string[];
}

/** Look at a degraded picture. The path is absolute. */
export interface LookRequest {
  picture: string;
  /** Also make a small JPEG of it, this long at most; for somebody who is to describe it. */
  jpegSide?: number;
  priority: Priority;
}

export interface Look {
  width: number;
  height: number;
  guess: DegradationGuess;
  /** A sentence of the built-in describer. */
  description: string;
  /** `data:image/jpeg;base64,...` */
  jpeg?: string;
}
