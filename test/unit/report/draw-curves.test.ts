import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { RestorationError, curves, type CurveSeries } from '../../../src/api';
import { bootstrapInterval } from '../../../src/measure';
import { MIME_BUNDLE, isDisplayable } from '../../../src/protocol';
import { axis } from '../../../src/restoration/report/draw-curves';

/** Clips whose PSNR rises by `step` dB a frame from `start`, one a start. */
function series(name: string, starts: readonly number[], step = 0.5, frames = 9): CurveSeries {
  return {
    name,
    items: starts.map((start) => ({
      frames: Array.from({ length: frames }, (_, i) => ({
        index: i + 1,
        psnr: start + step * i,
        ssim: 0.7 + 0.01 * i,
        lpips: 0.4 - 0.02 * i,
      })),
    })),
  };
}

const isBadArgument = (pattern: RegExp) => (error: unknown) =>
  error instanceof RestorationError && error.code === 'bad-argument' && pattern.test(error.message);

describe('curves over frames', () => {
  const starts = [20, 22, 27];
  const drawing = curves([series('uniform', starts), series('cross-fade', [19, 21, 26])], { title: 'Set & <all>' });

  it('are means over pictures with the bootstrap interval of each frame', () => {
    const [curve] = drawing.curves;
    assert.deepEqual([curve?.series, curve?.metric, curve?.points.length], ['uniform', 'psnr', 9]);
    const fifth = curve!.points[4]!;
    const expected = bootstrapInterval(
      starts.map((start) => start + 2),
      { seed: 0 },
    );
    assert.deepEqual(fifth, { frame: 5, count: 3, ...expected });
    assert.ok(fifth.low < fifth.mean && fifth.mean < fifth.high);
    const wider = curves([series('uniform', starts)], { confidence: 0.99 }).curves[0]!.points[4]!;
    assert.ok(wider.low <= fifth.low && wider.high >= fifth.high);
  });

  it('take an infinite PSNR out of the mean and count it', () => {
    const one = series('uniform', starts);
    const identical = one.items[0]!.frames.map((frame, i) =>
      i === 8 ? { ...frame, psnr: 'Infinity' as const } : frame,
    );
    const points = curves([{ ...one, items: [{ frames: identical }, ...one.items.slice(1)] }]).curves[0]!.points;
    assert.deepEqual([points[8]?.count, points[8]?.infinite, points[8]?.mean], [2, 1, 28.5]);
    assert.equal(points[7]?.infinite, undefined);
    const nothing = curves([{ name: 'same', items: [{ frames: identical.slice(8) }] }], { metrics: ['psnr'] });
    assert.deepEqual(nothing.curves[0]?.points, []);
    assert.ok(!nothing.svg.includes('NaN'));
  });

  it('are one SVG with a panel a metric, lines that differ by more than colour, and no text that a reader must have fonts for', async () => {
    const { svg, width, height } = drawing;
    assert.doesNotMatch(svg, /NaN|Infinity|<text|<script|href/);
    const lines = [...svg.matchAll(/<polyline[^>]*stroke="(#\w+)"[^>]*?(?: stroke-dasharray="([^"]*)")?\/>/g)];
    // Two in the legend and two in each of three panels.
    assert.equal(lines.length, 8);
    assert.deepEqual([...new Set(lines.map(([, colour, dashes]) => `${colour} ${dashes ?? ''}`))].length, 2);
    assert.equal(new Set(lines.map(([, , dashes]) => dashes ?? '')).size, 2);
    // SSIM and LPIPS do not differ between the pictures: a band only around PSNR.
    assert.equal([...svg.matchAll(/<polygon[^>]*fill-opacity/g)].length, 2);
    assert.match(svg, /<title>Set &amp; &lt;all&gt;\. PSNR\/dB, uniform: 23\.00 to 27\.00\./);
    const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [width, height]);
    assert.ok(new Set(data).size > 50, 'something is drawn');
  });

  it('stay inside their panels', () => {
    for (const [, points] of drawing.svg.matchAll(/<(?:polyline|polygon) points="([^"]+)"/g)) {
      for (const point of points!.split(' ')) {
        const [x, y] = point.split(',').map(Number) as [number, number];
        assert.ok(x >= 0 && x <= drawing.width && y >= 0 && y <= drawing.height, point);
      }
    }
  });

  it('have axes at round numbers that hold all values', () => {
    assert.deepEqual(axis([20.3, 27.9], 0.5), { low: 20, high: 28, ticks: [20, 22, 24, 26, 28], digits: 0 });
    const flat = axis([0.8, 0.8], 0.02);
    assert.ok(flat.low < 0.8 && flat.high > 0.8 && flat.ticks.length >= 4);
    const small = axis([0.7412, 0.7598], 0.02);
    assert.ok(small.low <= 0.7412 && small.high >= 0.7598);
    assert.equal(new Set(small.ticks.map((tick) => tick.toFixed(small.digits))).size, small.ticks.length);
    assert.deepEqual(axis([], 0.5).ticks.length > 1, true);
  });

  it('show themselves in a cell: the drawing, and a table for those who cannot see it', async () => {
    assert.ok(isDisplayable(drawing));
    const bundle = await drawing[MIME_BUNDLE]();
    assert.deepEqual(Object.keys(bundle), ['image/svg+xml', 'text/plain']);
    assert.match(String(bundle['text/plain']), /^PSNR\/dB ↑ +1 +2 .* 9 +95 %, last frame\nuniform +23\.00 /);
    assert.match(drawing.toString(), /\nLPIPS ↓ /);
  });

  it('are saved as SVG', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-curves-'));
    try {
      const file = await drawing.save(path.join(folder, 'new', 'curves.svg'));
      assert.equal(await readFile(file, 'utf8'), drawing.svg);
      await assert.rejects(drawing.save(path.join(folder, 'curves.png')), isBadArgument(/does not end in \.svg/));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('refuse what cannot be drawn', () => {
    const one = series('uniform', starts);
    const unmeasured = { name: 'bare', items: [{ frames: [{ index: 1 }] }] };
    for (const [call, pattern] of [
      [() => curves([]), /1 to 6 series, not 0/],
      [() => curves('report' as never), /1 to 6 series, not string/],
      [() => curves(Array.from({ length: 7 }, (_, i) => series(String(i), starts))), /not 7/],
      [() => curves([one, one]), /Two series are called "uniform"/],
      [() => curves([{ name: 'none', items: [] }]), /"none" has no pictures/],
      [() => curves([{ name: 'mixed', items: [...one.items, ...series('', [1], 1, 5).items] }]), /9 and 5 frames/],
      [() => curves([unmeasured]), /Frame 1 of "bare" has no PSNR/],
      [() => curves([one], { metrics: ['flip'] }), /has no FLIP/],
      [() => curves([one], { metrics: [] }), /no metric to draw/],
      [() => curves([one], { metrics: ['vmaf' as never] }), /no metric "vmaf"/],
      [() => curves([one], { confidence: 1 }), /between 0 and 1/],
    ] as const) {
      assert.throws(call, isBadArgument(pattern), String(pattern));
    }
  });
});
