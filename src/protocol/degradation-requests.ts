import type { Degradation, DegradationWishes } from './degradation';
import type { Priority } from './messages';
import type { Task } from './tasks';

/** Degrade one picture; paths are absolute. */
export interface DegradeRequest {
  input: string;
  /** The degraded photograph of a real low-light pair. */
  partner?: string;
  task: Task;
  /** Each from 0 (clean) to 1 (degraded). */
  severities: number[];
  seed: number;
  wishes: DegradationWishes;
  /** Everything that was drawn for another picture: with it, seed and wishes are not looked at. */
  degradation?: Degradation;
  /** `small` leaves super-resolution's picture at its low resolution, as input of a restoration. */
  form: 'full' | 'small';
  framesFolder: string;
  priority: Priority;
}

export interface DegradedFrame {
  severity: number;
  /** `<sha256>.png` in the frames folder. */
  file: string;
  width: number;
  height: number;
}

export interface DegradeResult {
  degradation: Degradation;
  input: { file: string; sha256: string; width: number; height: number };
  frames: DegradedFrame[];
  notes: string[];
}

/** One sample of a progression data set, written into a folder of its own. */
export interface SampleRequest {
  input: string;
  partner?: string;
  task: Task;
  frames: number;
  seed: number;
  /** Number of the sample: its sequence of random numbers. */
  stream: number;
  size: { width: number; height: number };
  wishes: DegradationWishes;
  folder: string;
  clip: boolean;
  priority: Priority;
}

/** Which part of a picture a sample shows. */
export interface SampleCrop {
  /** The picture was first made this many times smaller with MATLAB's bicubic. */
  shrink: number;
  /** Left upper corner in the smaller picture. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Sides of the smaller picture, before it was continued by mirroring to the sample's size. */
  whole: { width: number; height: number };
}

export interface SampleResult {
  source: { sha256: string; width: number; height: number };
  crop: SampleCrop;
  degradation: Degradation;
  /** File names in the sample's folder, degraded first. */
  frames: { severity: number; file: string }[];
  clip?: string;
}
