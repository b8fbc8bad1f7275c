import type { ConcreteDevice, DiffusionWish } from '../../protocol';
import type { ExpertAdapter } from '../adapters/lora';
import type { VideoAdapter } from '../adapters/video-adapter';
import { CogVideoXModel, type CogVideoXFrame, type CogVideoXWork } from '../cogvideox/cogvideox-model';
import {
  CompactModel,
  type PromptTask,
  type TrajectoryFrame,
  type TrajectoryRequest,
  type TrajectoryWork,
} from '../compact/compact-model';
import type { FeatureCache } from '../compact/feature-cache';
import type { AnyPixels } from '../image/pixels';
import type { InstalledModel, RestorationManifest } from '../models/manifest';
import { NetworkModel } from '../network/network-model';
import type { ModelAdapter } from './load-adapters';

/** What a run asks of any model. */
export interface RestorationRequest extends TrajectoryRequest {
  /** The picture before it was enlarged for super-resolution; the same as `picture` for other tasks. */
  source: AnyPixels;
  /** Heard by diffusion models only. */
  diffusion?: DiffusionWish;
}

/** What a run needs to know of a model; how it computes its frames is its own affair. */
export interface RestorationModel {
  readonly installed: InstalledModel<RestorationManifest>;
  readonly device: ConcreteDevice;
  /**
   * Frames that the model gives when so many were asked for, evenly from degraded to restored; absent when any number will do.
   *
   * @throws RestorationError `bad-argument` when it cannot give them
   */
  frameCountFor?(wanted: number): number;
  /** The task that a prompt asks for; @throws RestorationError `bad-argument` when the model cannot tell */
  taskOf(prompt: string): Promise<PromptTask>;
  /**
   * One frame for each severity, and before it estimates of it where the model makes some; `note` is a sentence for the run's
   * record.
   */
  trajectory(
    request: RestorationRequest,
  ): AsyncGenerator<
    TrajectoryFrame & { note?: string } & Pick<CogVideoXFrame, 'preview'>,
    TrajectoryWork | CogVideoXWork | void,
    void
  >;
  /** Unloads what has not been used for so long. */
  releaseIdle(milliseconds: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Loads a model by the kind of its manifest; `features` is where the most recent picture's features are kept. The adapters
 * were made for it (`loadAdapters`).
 */
export function loadRestorationModel(
  { folder, manifest, sha256 }: InstalledModel<RestorationManifest>,
  device: ConcreteDevice,
  features: FeatureCache,
  adapters: readonly ModelAdapter[],
): Promise<RestorationModel> {
  switch (manifest.kind) {
    case 'trajectory':
      return CompactModel.load(
        { folder, manifest, sha256 },
        device,
        features,
        adapters.filter((adapter): adapter is ExpertAdapter => adapter.kind === 'expert'),
      );
    case 'network':
      return NetworkModel.load({ folder, manifest, sha256 }, device);
    case 'cogvideox':
      return CogVideoXModel.load(
        { folder, manifest, sha256 },
        device,
        adapters.filter((adapter): adapter is VideoAdapter => adapter.kind === 'video'),
      );
  }
}
