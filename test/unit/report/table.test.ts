import assert from 'node:assert/strict';
import { RUN_MIME, isRunView, type RunView } from '../../../src/protocol';
import { formatGain, formatSeconds, describeBest, describeWork } from '../../../src/restoration/report/labels';
import { mimeBundle } from '../../../src/restoration/report/mime';
import { frameCsv, frameTable } from '../../../src/restoration/report/table';
import { MEASURED, recordOf } from './runs';

describe('text table', () => {
  it('has a row a frame, the gain and the protocol', () => {
    assert.equal(
      frameTable(recordOf(MEASURED)),
      [
        'Deblurring · “a football rolling over grass” · compact · cpu · 0.9 s',
        '',
        'frame  severity    PSNR/dB     SSIM    LPIPS  change',
        '    1     1.000      25.11   0.7351   0.3400    0.00',
        '    2     0.500      31.20   0.9020   0.1200    4.25',
        '    3     0.000   Infinity   1.0000   0.0000    2.50',
        ' gain            +Infinity  +0.2649  -0.3400',
        '',
        'Protocol rgb: all channels, nothing cropped.',
        '',
      ].join('\n'),
    );
  });

  it('shows the change alone when there is no reference, and says so', () => {
    const table = frameTable(recordOf([{ change: 0 }, { change: 1.5 }], { warnings: ['The cpu was used.'] }));
    assert.match(table, /^frame {2}severity {2}change$/m);
    assert.match(table, /^ {4}2 {5}0\.000 {4}1\.50$/m);
    assert.doesNotMatch(table, /PSNR|gain/);
    assert.match(table, /No reference was given/);
    assert.match(table, /The cpu was used\.\n$/);
  });

  it('marks values that are missing', () => {
    const table = frameTable(
      recordOf([
        { psnr: 20, ssim: 0.5 },
        { psnr: 21, ssim: 0.6, lpips: 0.1 },
      ]),
    );
    assert.match(table, /^ {4}1 .* - *$/m);
  });

  it('keeps a prompt of several lines in one', () => {
    const table = frameTable(recordOf(MEASURED, { prompt: { text: 'rain\n\tat night', source: 'user' } }));
    assert.match(table.split('\n')[0]!, /“rain at night”/);
  });
});

describe('CSV', () => {
  it('has full precision, quotes and empty fields', () => {
    const record = recordOf([{ psnr: 25.114000000000001 }, { psnr: 'Infinity', ssim: 1 }]);
    record.frames[0]!.file = 'a "b", c.png';
    const [head, first, second, end] = frameCsv(record).split('\r\n');
    assert.equal(head, 'index,severity,file,width,height,psnr,ssim,lpips,flip,change');
    assert.equal(first, '1,1,"a ""b"", c.png",96,64,25.114,,,,');
    assert.equal(second, `2,0,${'2'.padStart(64, '0')}.png,96,64,Infinity,1,,,`);
    assert.equal(end, '');
  });
});

describe('wording', () => {
  it('gives gains a sign unless nothing is left after rounding', () => {
    assert.equal(formatGain('psnr', 1.005), '+1.00');
    assert.equal(formatGain('lpips', -0.25), '−0.2500');
    assert.equal(formatGain('ssim', -0.00001), '0.0000');
    assert.equal(formatGain('psnr', Infinity), '+Infinity');
  });

  it('words seconds, the best frame and the device', () => {
    assert.deepEqual([0.94, 12.4, 125].map(formatSeconds), ['0.9 s', '12 s', '2 min 5 s']);
    assert.equal(describeBest({ psnr: 9, ssim: 9, lpips: 8 }), '9 by PSNR and SSIM, 8 by LPIPS');
    assert.equal(describeBest({ psnr: 9, ssim: 9, lpips: 9 }), '9 by PSNR, SSIM and LPIPS');
    assert.equal(describeBest(undefined), undefined);
    const record = recordOf(MEASURED, { device: { requested: 'cuda', used: 'cpu' } });
    assert.equal(describeWork(record), 'compact · cpu (asked: cuda) · 0.9 s');
  });
});

describe('notebook output', () => {
  const view: RunView = { record: recordOf(MEASURED), state: { kind: 'done' }, pictures: [] };

  it('carries the run, the drawn strip and the table', () => {
    const jpeg = Uint8Array.from([255, 216, 255, 224]);
    const bundle = mimeBundle(view, jpeg);
    assert.deepEqual(Object.keys(bundle), [RUN_MIME, 'image/jpeg', 'text/plain']);
    assert.ok(isRunView(JSON.parse(JSON.stringify(bundle[RUN_MIME]))));
    assert.equal(bundle['image/jpeg'], '/9j/4A==');
    assert.equal(bundle['text/plain'], frameTable(view.record));
  });

  it('has no picture while the run goes on', () => {
    assert.deepEqual(Object.keys(mimeBundle(view)), [RUN_MIME, 'text/plain']);
  });
});
