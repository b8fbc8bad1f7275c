import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import {
  clipRule,
  composeComparison,
  composeReport,
  renderTable,
  tableFormat,
  type ComparisonReport,
  type PictureMetrics,
} from '../../../src/restoration/evaluation';
import { latexText } from '../../../src/restoration/evaluation/tables';

function comparison(methods: Record<string, PictureMetrics>): ComparisonReport {
  return composeComparison(
    { protocol: 'sr', scale: 4, reference: '/gt', clips: clipRule(), seed: 1, warnings: [] },
    Object.entries(methods).map(([name, row]) => ({
      name,
      folder: `/${name}`,
      metrics: new Map([
        ['a', row],
        ['b', row],
      ]),
      failures: [],
      missing: [],
      unmatched: [],
    })),
  );
}

const METHODS = {
  bicubic: { psnr: 28.42, ssim: 0.8104, lpips: 0.34 },
  'EDSR_x4 & co': { psnr: 32.094, ssim: 0.8938, lpips: 0.17 },
  SAFMN: { psnr: 32.18, ssim: 0.8948, lpips: 0.17 },
};

describe('tables', () => {
  it('Markdown: best bold, second underlined, equal prints alike, protocol in the caption', () => {
    const [caption, , head, rule, ...rows] = renderTable(comparison(METHODS), 'md').split('\n');
    assert.match(caption!, /^2 pictures; PSNR and SSIM on the Y channel, border of 4 pixels cropped; LPIPS v0\.1/);
    assert.match(head!, /^\| Method +\| +PSNR ↑ \| +SSIM ↑ \| +LPIPS ↓ \|$/);
    assert.match(rule!, /^\| -+ \| -+: \| -+: \| -+: \|$/);
    assert.match(rows[0]!, /^\| bicubic +\| +28\.42 \| +0\.8104 \| +<u>0\.3400<\/u> \|$/);
    assert.match(rows[1]!, /^\| EDSR\\_x4 & co \| +<u>32\.09<\/u> \| +<u>0\.8938<\/u> \| +\*\*0\.1700\*\* \|$/);
    assert.match(rows[2]!, /^\| SAFMN +\| +\*\*32\.18\*\* \| +\*\*0\.8948\*\* \| +\*\*0\.1700\*\* \|$/);
    assert.match(renderTable(comparison(METHODS), 'md'), /Paired differences.*\n\n\| Pair .*Better/);
  });

  it('LaTeX: booktabs, escaped, with as many cells in every row', () => {
    const text = renderTable(comparison(METHODS), 'tex');
    for (const part of ['\\toprule', '\\midrule', '\\bottomrule', '\\textbf{32.18}', '\\underline{32.09}']) {
      assert.ok(text.includes(part), part);
    }
    assert.match(text, /EDSR\\_x4 \\& co & /);
    assert.match(text, /\\caption\{2 pictures; PSNR and SSIM on the Y channel, border of 4 pixels cropped/);
    for (const table of text.split('\\begin{tabular}').slice(1)) {
      const columns = /^\{([lrc]+)\}/.exec(table)![1]!.length;
      const rows = table.split('\n').filter((line) => line.endsWith('\\\\'));
      for (const row of rows) assert.equal(row.split(/(?<!\\)&/).length, columns, row);
    }
    assert.doesNotMatch(text, /[^\x20-\x7e\n]/, 'nothing that an old engine cannot read');
  });

  it('LaTeX: no text gets out of its cell', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = latexText(text);
        const rest = escaped.replace(
          /\\(?:textbackslash|textasciitilde|textasciicircum)\{\}|\$\\?[a-z-]+\$|\\[&%$#_{}]/g,
          '',
        );
        assert.doesNotMatch(rest, /[\\&%$#_{}~^\n\r]/);
      }),
    );
  });

  it('CSV: full precision, quoted, the protocol in every row', () => {
    const text = renderTable(
      comparison({ 'a,b "c"': { psnr: 30.123456789, ssim: 0.5 }, d: { psnr: 'Infinity', ssim: 1 } }),
      'csv',
    );
    assert.equal(
      text,
      [
        'method,protocol,scale,pictures,psnr,ssim,lpips,flip',
        '"a,b ""c""",sr,4,2,30.123456789,0.5,,',
        'd,sr,4,2,Infinity,1,,',
        '',
      ].join('\r\n'),
    );
  });

  it('two methods: no second; one method: nothing marked; infinity as such', () => {
    const two = renderTable(comparison({ a: { psnr: 30, ssim: 0.5 }, b: { psnr: 'Infinity', ssim: 0.6 } }), 'md');
    assert.match(two, /\| +\*\*∞\*\* \|/);
    assert.doesNotMatch(two, /<u>/);
    const one = renderTable(comparison({ a: { psnr: 30, ssim: 0.5 } }), 'md');
    assert.doesNotMatch(one, /\*\*|<u>/);
    assert.match(renderTable(comparison({ a: { psnr: 'Infinity', ssim: 1 } }), 'tex'), /\$\\infty\$/);
  });

  it('frames of an evaluation', () => {
    const frames = [
      { index: 1, psnr: 20, ssim: 0.7 },
      { index: 2, psnr: 24, ssim: 0.8 },
      { index: 3, psnr: 23, ssim: 0.9 },
    ];
    const report = composeReport(
      { task: 'deblurring', protocol: 'rgb', prompts: 'uniform', model: 'compact', device: 'cpu' },
      [
        {
          name: 'a',
          result: {
            frames,
            seconds: 1,
            model: { id: 'compact', sha256: '' },
            device: { requested: 'cpu', used: 'cpu' },
          },
        },
      ],
      [],
    );
    const text = renderTable(report, 'md');
    assert.match(text, /^Frames of compact, deblurring; 1 picture; PSNR and SSIM on RGB, nothing cropped\./);
    assert.match(text, /\| 2 +\| +\*\*24\.00\*\* \| +<u>0\.8000<\/u> \|/);
    assert.match(renderTable(report, 'csv'), /^frame,protocol,scale,pictures,psnr.*\r\n1,rgb,,1,20,0\.7,,\r\n/);
  });

  it('are chosen by the ending of the file', () => {
    assert.deepEqual(['a.md', 'b.TEX', 'c/d.csv'].map(tableFormat), ['md', 'tex', 'csv']);
    for (const file of ['table', 'table.txt', 'md', '']) {
      assert.throws(
        () => tableFormat(file),
        (error) => error instanceof RestorationError && error.code === 'bad-argument',
      );
    }
  });
});
