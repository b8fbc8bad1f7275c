import { movedName, type MovedRegion, type Region, type RunView } from '../../src/protocol';
import { sameRegion } from '../strip/region';
import type { Strip } from '../strip/strip';

/** A region that is dragged is kept when it has stood still for so long, in milliseconds. */
const STILL = 250;

/**
 * Where the regions of the notebook's runs have been moved to, and where the strips look. The extension keeps them; what it says is
 * followed, unless the reader is moving that very region.
 */
export class RegionsOfRuns {
  private readonly moved = new Map<string, Region>();
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>();

  /** @param keep hands a region over to be kept; undefined = the run's own */
  constructor(private readonly keep: (frame: string, region: Region | undefined) => void) {}

  /** What the extension keeps, as a whole. */
  take(regions: readonly MovedRegion[]): void {
    const own = new Map([...this.waiting.keys()].map((frame) => [frame, this.moved.get(frame)]));
    this.moved.clear();
    for (const { frame, region } of regions) this.moved.set(frame, region);
    for (const [frame, region] of own) this.set(frame, region);
  }

  /** Has a strip look where the region of its run has been moved to. */
  show(view: RunView, strip: Strip): void {
    const region = this.moved.get(movedName(view) ?? '');
    if (region !== undefined) strip.lookAt(region);
  }

  /** The same, and back to the run's own region where it is no longer moved. */
  follow(view: RunView, strip: Strip): void {
    const frame = movedName(view);
    if (frame !== undefined) strip.lookAt(this.moved.get(frame));
  }

  /** The reader has moved the region of `view`. */
  move(view: RunView, region: Region | undefined): void {
    const frame = movedName(view);
    if (frame === undefined) return;
    const away = sameRegion(region, view.record.region) ? undefined : region;
    this.set(frame, away);
    clearTimeout(this.waiting.get(frame));
    this.waiting.set(
      frame,
      setTimeout(() => {
        this.waiting.delete(frame);
        this.keep(frame, away);
      }, STILL),
    );
  }

  private set(frame: string, region: Region | undefined): void {
    if (region === undefined) this.moved.delete(frame);
    else this.moved.set(frame, region);
  }
}
