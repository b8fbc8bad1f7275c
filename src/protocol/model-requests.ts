import type { Task } from './tasks';

/**
 * What the channels of a network's tensor hold. `grey` is BT.601 luma in [0, 1]; a network that gives it makes the
 * picture grey. `Y` is the same luma, `Y-studio` is MATLAB's `rgb2ycbcr` (16 to 235 of 255); with both, the colours (Cb
 * and Cr) of the picture are kept, enlarged by bicubic interpolation where the network enlarges.
 */
export const CHANNEL_KINDS = ['RGB', 'BGR', 'grey', 'Y', 'Y-studio'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** What cannot be read out of a network's file, or is to be otherwise than it would be guessed. */
export interface NetworkHints {
  /** Id of the model; made of the file's name unless said otherwise. */
  id?: string;
  /** What the network is for; super-resolution when it enlarges, otherwise all tasks, unless said otherwise. */
  tasks?: Task[];
  license?: string;
  /** RGB for three channels and Y for one unless said otherwise. */
  channels?: ChannelKind;
  /** Values of black and white; found by running the network unless said otherwise. */
  range?: [number, number];
}

/** Look at a network in a file, run it on a small picture and write its manifest. */
export interface DescribeRequest {
  file: string;
  hints: NetworkHints;
}

/** A manifest that an inspection wrote. */
export interface ManifestDraft {
  manifest: Record<string, unknown>;
  /** What could only be guessed, a sentence each. */
  notes: string[];
}
