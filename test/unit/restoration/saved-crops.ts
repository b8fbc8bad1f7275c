import assert from 'node:assert/strict';
import { fromDifferences, unstacked, type Pixels } from '../../../src/measure';
import type { RunView } from '../../../src/protocol';
import { embeddedPixels } from '../../../src/restoration/image/encode';

/** The crops of a saved run, frame by frame and the reference's last, with nothing but what the format says. */
export async function savedCrops({ cropSheet, record }: RunView): Promise<Pixels[]> {
  assert.ok(cropSheet !== undefined && record.region !== undefined);
  const { frames } = cropSheet;
  const pieces = unstacked(await embeddedPixels(cropSheet.picture), record.region.height);
  assert.equal(pieces.length, frames.length + (cropSheet.reference === true ? 1 : 0));
  return [...fromDifferences(pieces.slice(0, frames.length)), ...pieces.slice(frames.length)];
}
