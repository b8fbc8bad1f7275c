import type { AdapterWish, Device } from '../../protocol';
import { FeatureCache } from '../compact/feature-cache';
import { Lpips } from '../metrics/lpips';
import { Devices, type DeviceChoice } from '../models/devices';
import { findModel } from '../models/manifest';
import { loadAdapters, type ModelAdapter } from './load-adapters';
import { loadRestorationModel, type RestorationModel } from './restoration-model';

/** Loaded networks are kept this long after their last use. */
const IDLE_MILLISECONDS = 5 * 60_000;

/**
 * Loaded networks, shared by the runs of a process. They are verified when loaded; a model whose manifest names other
 * weights is another model. One run at a time uses the pool (the queue sees to it), so nothing is released in use.
 */
export class ModelPool {
  readonly devices = new Devices();
  private readonly models = new Map<string, Promise<RestorationModel>>();
  /** Of the models, the one with adapters: a scale that is tried out step by step must not leave a model a step. */
  private adapted: string | undefined;
  /** Of the most recent picture, whichever model saw it. */
  private readonly features = new FeatureCache();
  private lpips: Promise<Lpips> | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param wishes adapters that act; they are read again each time, so that a file that was replaced is noticed */
  async restoration(
    idOrFolder: string,
    requested: Device,
    wishes: readonly AdapterWish[] = [],
  ): Promise<{ model: RestorationModel; choice: DeviceChoice; adapters: ModelAdapter[] }> {
    const installed = await findModel(idOrFolder);
    const adapters = await loadAdapters(installed, wishes);
    const choice = await this.devices.choose(requested);
    // The whole manifest: a network behaves as its settings say.
    const records = adapters.map(({ record }) => record);
    const key = `${installed.folder}\n${JSON.stringify(installed.manifest)}\n${choice.used}\n${JSON.stringify(records)}`;
    if (adapters.length > 0) await this.replaceAdapted(key);
    const model = await this.keep(this.models, key, () =>
      loadRestorationModel(installed, choice.used, this.features, adapters),
    );
    return { model, choice, adapters };
  }

  /** LPIPS always runs on the CPU: GPU providers may compute convolutions in reduced precision. */
  async perceptual(): Promise<Lpips> {
    this.lpips ??= Lpips.load('cpu');
    try {
      return await this.lpips;
    } catch (error) {
      this.lpips = undefined;
      throw error;
    }
  }

  /** Tells the pool that a run has ended; networks unload when nothing follows for a while. */
  rest(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.release(), IDLE_MILLISECONDS);
    this.timer.unref();
  }

  /** Tells the pool that a run begins: what the last runs did not need is unloaded. */
  async wake(): Promise<void> {
    clearTimeout(this.timer);
    for (const model of this.models.values()) await (await model).releaseIdle(IDLE_MILLISECONDS);
  }

  async release(): Promise<void> {
    const models = [...this.models.values()];
    const lpips = this.lpips;
    this.models.clear();
    this.adapted = undefined;
    this.features.clear();
    this.lpips = undefined;
    for (const model of models) await (await model).release();
    await (await lpips)?.release();
  }

  private async replaceAdapted(key: string): Promise<void> {
    const before = this.adapted;
    this.adapted = key;
    if (before === undefined || before === key) return;
    const model = this.models.get(before);
    this.models.delete(before);
    await (await model)?.release();
  }

  /** A failed load is not remembered: the next call tries again. */
  private async keep<T>(map: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
    let value = map.get(key);
    if (!value) {
      value = load();
      map.set(key, value);
    }
    try {
      return await value;
    } catch (error) {
      map.delete(key);
      throw error;
    }
  }
}
