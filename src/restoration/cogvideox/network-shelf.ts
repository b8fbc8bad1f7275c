import type { ConcreteDevice } from '../../protocol';
import { mergeVideoAdapters, type VideoAdapter } from '../adapters/video-adapter';
import { readVerified, type CogVideoXManifest, type InstalledModel } from '../models/manifest';
import { readOnnxGraph } from '../models/onnx-graph';
import { Network } from '../models/sessions';
import type { Runner } from './autoencoder';
import { PARTS, type Part } from './memory-plan';

/** The networks of one model, loaded when they are first needed; one at a time where memory is short. */
export class NetworkShelf {
  private readonly loaded = new Map<Part, { network: Promise<Network>; lastUsed: number }>();

  constructor(
    private readonly installed: InstalledModel<CogVideoXManifest>,
    private readonly device: ConcreteDevice,
    private readonly adapters: readonly VideoAdapter[],
  ) {}

  has(part: Part): boolean {
    return Object.hasOwn(this.installed.manifest.files, part);
  }

  /** Bytes of each network's files: its graph and the weights beside it. The graphs are read, the weights are not. */
  async weights(): Promise<Map<Part, number>> {
    const { id, files } = this.installed.manifest;
    const weights = new Map<Part, number>();
    for (const part of PARTS) {
      const file = files[part];
      if (!file) continue;
      const { externalData } = readOnnxGraph(await readVerified(this.installed, part), `${id}/${part}`);
      const beside = Object.values(files).filter(({ path }) => externalData.includes(path));
      weights.set(
        part,
        beside.reduce((sum, { bytes }) => sum + bytes, file.bytes),
      );
    }
    return weights;
  }

  /**
   * What runs a network, loading it where necessary.
   *
   * @param alone the others are unloaded first
   */
  async runner(part: Part, alone: boolean): Promise<Runner> {
    if (alone) await this.unload((other) => other !== part);
    let entry = this.loaded.get(part);
    if (!entry) {
      entry = { network: this.load(part), lastUsed: 0 };
      this.loaded.set(part, entry);
    }
    entry.lastUsed = performance.now();
    try {
      const network = await entry.network;
      return (inputs) => network.run(inputs);
    } catch (error) {
      // A failed load is not remembered: the next call tries again.
      this.loaded.delete(part);
      throw error;
    }
  }

  private load(part: Part): Promise<Network> {
    return Network.load(this.installed, part, this.device, (bytes, label, beside) =>
      part === 'transformer' ? mergeVideoAdapters(bytes, beside, this.adapters, label) : bytes,
    );
  }

  /** Networks in memory. */
  get parts(): Part[] {
    return [...this.loaded.keys()];
  }

  async releaseIdle(milliseconds: number): Promise<void> {
    const now = performance.now();
    await this.unload((_, lastUsed) => now - lastUsed >= milliseconds);
  }

  release(): Promise<void> {
    return this.unload(() => true);
  }

  private async unload(which: (part: Part, lastUsed: number) => boolean): Promise<void> {
    for (const [part, { network, lastUsed }] of [...this.loaded]) {
      if (!which(part, lastUsed)) continue;
      this.loaded.delete(part);
      await (await network).release();
    }
  }
}
