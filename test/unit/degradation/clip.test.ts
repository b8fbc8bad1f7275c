import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { encodeClip, toYuv420 } from '../../../src/restoration/degradation/clip';
import { decodePicture } from '../../../src/restoration/image/decode';
import { createPixels, type Pixels } from '../../../src/restoration/image/pixels';

/** Frames and the clip made of them; test/recipes/degradation/test_clip.py reads the clip with OpenCV. */
const folder = path.resolve(__dirname, '../../fixtures/degradation/clip');

async function fixtureFrames(): Promise<Pixels[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.png')).sort();
  const frames: Pixels[] = [];
  for (const name of names) frames.push((await decodePicture(path.join(folder, name))).pixels);
  return frames;
}

describe('clips', () => {
  it('are the same bytes whenever they are made', async () => {
    const frames = await fixtureFrames();
    assert.equal(frames.length, 9);
    const clip = await encodeClip(frames, 96, 96);
    assert.deepEqual(Buffer.from(clip), await readFile(path.join(folder, 'clip.mp4')));
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual(await encodeClip(frames, 96, 96), clip, 'no time of day in them');
  });

  it('are MP4 with H.264', async () => {
    const bytes = Buffer.from(await encodeClip([createPixels(32, 16)], 32, 16));
    assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
    for (const box of ['moov', 'mdat', 'avc1', 'avcC']) assert.ok(bytes.includes(box), box);
  });

  it('leave the errors of the process to the process', async () => {
    const count = (): number[] =>
      ['uncaughtException', 'unhandledRejection'].map((name) => process.listenerCount(name));
    const before = count();
    await encodeClip([createPixels(16, 16)], 16, 16);
    assert.deepEqual(count(), before);
  });

  it('are coded in the range of BT.601', () => {
    const colours: [number[], number[]][] = [
      [
        [0, 0, 0],
        [16, 128, 128],
      ],
      [
        [255, 255, 255],
        [235, 128, 128],
      ],
      [
        [255, 0, 0],
        [81, 90, 240],
      ],
      [
        [0, 0, 255],
        [41, 240, 110],
      ],
    ];
    for (const [rgb, yuv] of colours) {
      const picture = createPixels(2, 2);
      for (let i = 0; i < 12; i++) picture.data[i] = rgb[i % 3]!;
      const planes = toYuv420(picture);
      assert.deepEqual([planes[0], planes[4], planes[5]], yuv);
    }
  });
});
