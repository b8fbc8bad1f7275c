import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import type { Pixels } from '../../../src/measure';
import { RestorationError, type FrameRecord, type RunRecord } from '../../../src/protocol';
import { chooseRegion } from '../../../src/measure';
import { heightsOf } from '../../../src/restoration/report/curve-band';
import { drawStrip } from '../../../src/restoration/report/draw-strip';
import { fitText, letter, widthOf, wrapText } from '../../../src/restoration/report/lettering';
import { layColumns, overviewSize, sampleColumns } from '../../../src/restoration/report/strip-layout';
import { paint } from '../measure/pictures';
import { recordOf } from './runs';

/** Nine frames of a pattern, each different everywhere. */
function framesOf(count: number, width = 240, height = 160): Pixels[] {
  return Array.from({ length: count }, (_, k) =>
    paint(width, height, (x, y, channel) => (x * 7 + y * 13 + channel * 40 + k * 29) % 256),
  );
}

function measuredRecord(frames: Pixels[], changes: Partial<RunRecord> = {}): RunRecord {
  const { width, height } = frames[0]!;
  const metrics = frames.map((_, i): Partial<FrameRecord> => ({
    psnr: 20 + i,
    ssim: 0.7 + i * 0.02,
    lpips: 0.3 - i * 0.02,
    width,
    height,
  }));
  return recordOf(metrics, { region: { x: 20, y: 10, width: 112, height: 112 }, ...changes });
}

async function pixelsOf(png: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.channels, 3, 'the strip is opaque');
  return { data, width: info.width, height: info.height };
}

/** Where `part` of `frame` stands in `picture`, pixel for pixel. */
function find(
  picture: Pixels,
  frame: Pixels,
  part: { x: number; y: number; width: number; height: number },
): Array<[number, number]> {
  const rowOf = (y: number): Buffer => {
    const start = ((part.y + y) * frame.width + part.x) * 3;
    return Buffer.from(frame.data.subarray(start, start + part.width * 3));
  };
  const all = Buffer.from(picture.data);
  const places: Array<[number, number]> = [];
  for (let at = all.indexOf(rowOf(0)); at >= 0; at = all.indexOf(rowOf(0), at + 1)) {
    const left = (at / 3) % picture.width;
    const top = Math.floor(at / 3 / picture.width);
    const same = (y: number): boolean => {
      const start = ((top + y) * picture.width + left) * 3;
      return all.subarray(start, start + part.width * 3).equals(rowOf(y));
    };
    if (Number.isInteger(left) && Array.from({ length: part.height }, (_, y) => y).every(same))
      places.push([left, top]);
  }
  return places;
}

describe('the drawn strip', () => {
  it('shows the region of all nine frames pixel for pixel, side by side', async () => {
    const frames = framesOf(9);
    const record = measuredRecord(frames);
    const strip = await pixelsOf(await drawStrip({ record, frames, reference: frames[8] }));
    assert.ok(strip.width >= 1180 && strip.width <= 1260, `${strip.width}`);
    const places = frames.map((frame) => {
      const found = find(strip, frame, record.region!);
      assert.equal(found.length, 1);
      return found[0]!;
    });
    assert.equal(new Set(places.map(([, top]) => top)).size, 1);
    const lefts = places.map(([left]) => left);
    assert.deepEqual(lefts, layColumns(9, record.region!).lefts);
  });

  it('is the same picture every time, and another where a number changes', async () => {
    const frames = framesOf(2);
    const record = measuredRecord(frames);
    const before = await drawStrip({ record, frames });
    assert.ok(before.equals(await drawStrip({ record, frames })));
    record.frames[1]!.psnr = 20.9;
    const after = await drawStrip({ record, frames });
    const [first, second] = [await pixelsOf(before), await pixelsOf(after)];
    assert.deepEqual([second.width, second.height], [first.width, first.height]);
    assert.ok(!Buffer.from(first.data).equals(Buffer.from(second.data)));
  });

  it('needs no reference, chooses the region, and is lower with one curve', async () => {
    const frames = framesOf(2);
    const { width, height } = frames[0]!;
    const record = recordOf(frames.map((_, i) => ({ change: i * 2, width, height })));
    const strip = await pixelsOf(await drawStrip({ record, frames }));
    assert.ok(strip.height < 560, `${strip.height}`);
    assert.equal(find(strip, frames[0]!, chooseRegion(frames[0]!, frames[1]!)).length, 1);
  });

  it('samples long clips and draws short ones', async () => {
    for (const count of [1, 33]) {
      const frames = framesOf(count, 64, 48);
      const record = measuredRecord(frames, { region: { x: 5, y: 6, width: 40, height: 40 } });
      const strip = await pixelsOf(await drawStrip({ record, frames }));
      assert.ok(strip.width >= 900 && strip.width < 1300);
    }
  });

  it('draws hostile and missing text, absurd numbers and tiny pictures', async () => {
    const frames = framesOf(2, 1, 1);
    const record = recordOf(
      [
        { psnr: -1e300, ssim: 0, width: 1, height: 1 },
        { psnr: 'Infinity', ssim: 1e300, width: 1, height: 1 },
      ],
      {
        prompt: { text: `</svg><text>&amp;"'\u0000\u202e${'wide '.repeat(400)}`, source: 'user' },
        input: { file: '../../\n<b>.png', sha256: '', width: 1, height: 1 },
        model: { id: '', sha256: '', adapter: '微笑/🙂' },
        warnings: ['', 'x'.repeat(3000)],
      },
    );
    const strip = await pixelsOf(await drawStrip({ record, frames }));
    assert.ok(strip.height < 1500);
  });

  it('refuses frames that do not belong to the record', async () => {
    const frames = framesOf(3);
    const record = measuredRecord(frames);
    await assert.rejects(drawStrip({ record, frames: frames.slice(1) }), (error) => {
      assert.ok(error instanceof RestorationError);
      return error.code === 'bad-argument' && /3 frames, but 2/.test(error.message);
    });
    const outside = { ...record, region: { x: 200, y: 0, width: 112, height: 112 } };
    await assert.rejects(drawStrip({ record: outside, frames }), /region 112x112 at \(200, 0\)/);
    await assert.rejects(drawStrip({ record: { ...record, frames: [] }, frames: [] }), RestorationError);
  });
});

describe('layout of the strip', () => {
  it('takes at most nine frames, evenly, with the first and the last', () => {
    assert.deepEqual(sampleColumns(3), [0, 1, 2]);
    assert.deepEqual(sampleColumns(17), [0, 2, 4, 6, 8, 10, 12, 14, 16]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 257 }), (count) => {
        const places = sampleColumns(count);
        assert.equal(places.length, Math.min(9, count));
        assert.equal(places[0], 0);
        assert.equal(places.at(-1), count - 1);
        assert.ok(places.every((place, i) => i === 0 || place > places[i - 1]!));
      }),
    );
  });

  it('shows usual regions 1:1, small ones enlarged by a whole factor, large ones shrunk', () => {
    const zoomOf = (side: number): number => layColumns(9, { x: 0, y: 0, width: side, height: side }).crop.zoom;
    assert.deepEqual([112, 100, 57, 128].map(zoomOf), [1, 1, 1, 1]);
    assert.deepEqual([56, 32].map(zoomOf), [2, 3]);
    assert.equal(zoomOf(256), 0.5);
  });

  it('keeps every overview in its room', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9000 }),
        fc.integer({ min: 1, max: 9000 }),
        fc.integer({ min: 1, max: 3 }),
        (width, height, count) => {
          const size = overviewSize({ width, height }, count, 1212);
          assert.ok(size.width >= 1 && size.width <= 252 && size.height >= 1 && size.height <= 168);
          assert.ok(count * size.width + 56 + 330 <= 1212);
        },
      ),
    );
  });

  it('spreads a curve over its plot, but noise over little of it', () => {
    assert.deepEqual(heightsOf([20, 25, 30], 0.5), [0, 0.5, 1]);
    const noise = heightsOf([20, 20.01], 0.5) as number[];
    assert.ok(Math.abs(noise[1]! - noise[0]! - 0.02) < 1e-9);
    const [low, high, infinite] = heightsOf([20, 30, Infinity], 0.5) as number[];
    assert.equal(infinite, 1);
    assert.ok(low === 0 && high! < 1);
    assert.deepEqual(heightsOf([undefined, Infinity], 0.5), [undefined, 1]);
  });
});

describe('lettering', () => {
  const style = { size: 12, fill: '#000' };

  it('is as wide as its letters', () => {
    assert.equal(widthOf('', style), 0);
    assert.ok(Math.abs(widthOf('ab', style) - widthOf('a', style) - widthOf('b', style)) < 1e-9);
    assert.ok(widthOf('W', style) > widthOf('i', style));
    assert.ok(Math.abs(widthOf('Wide', { size: 24 }) - 2 * widthOf('Wide', style)) < 1e-9);
  });

  it('has its own shapes for all that is said in a strip', () => {
    const missing = letter('微', 0, 0, style);
    for (const character of 'PSNR ↑ LPIPS ↓ +0.12 −3.4 112×112 · “prompt” … % ( ) é ß Ж λ') {
      assert.notEqual(letter(character, 0, 0, style), missing, character);
    }
    assert.notEqual(letter('9', 0, 0, style), letter('9', 0, 0, { ...style, weight: 'semibold' }));
    assert.equal(letter('Ж', 0, 0, style), letter('Ж', 0, 0, { ...style, weight: 'semibold' }));
  });

  it('never passes text on into the drawing', () => {
    const odd = fc.constantFrom(...'<>&"\'/;#\u0000\n\u202e\ud800\u0301{}`%', ']]>', '</g>', '&#x41;', '🙂', '微');
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(odd, fc.constantFrom(...'abc dé')) }), (text) => {
        const drawn = letter(text, 1, 2, style);
        assert.match(
          drawn,
          /^<g transform="translate\(1 2\) scale\([\d.]+\)" fill="#000">(<path transform="translate\(\d+\)" d="[MLQCHVZ\d\s.-]+"\/>)*<\/g>$/,
        );
      }),
    );
  });

  it('places text by its middle or its end', () => {
    const width = widthOf('frame', style);
    const xOf = (svg: string): number => Number(/translate\(([-\d.]+)/.exec(svg)![1]);
    assert.ok(Math.abs(xOf(letter('frame', 100, 0, { ...style, anchor: 'end' })) - (100 - width)) < 0.01);
    assert.ok(Math.abs(xOf(letter('frame', 100, 0, { ...style, anchor: 'middle' })) - (100 - width / 2)) < 0.01);
  });

  it('cuts and breaks text to a width', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 20, max: 300 }), (text, width) => {
        assert.ok(widthOf(fitText(text, width, style), style) <= width);
        for (const line of wrapText(text, width, style)) assert.ok(widthOf(line, style) <= width);
      }),
    );
    assert.equal(fitText('short', 100, style), 'short');
    assert.match(fitText('a rather long sentence', 60, style), /^a rath.*…$/);
    assert.deepEqual(wrapText('one two three', widthOf('one two', style), style), ['one two', 'three']);
  });
});
