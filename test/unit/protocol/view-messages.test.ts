import assert from 'node:assert/strict';
import {
  isBatchToExtension,
  isCompareToExtension,
  isExtensionToBatch,
  isExtensionToCompare,
  isExtensionToPanel,
  isExtensionToRenderer,
  isFolderName,
  isFullFrameDataUrl,
  isPanelState,
  isPanelToExtension,
  isRendererToExtension,
  suggestedFrameName,
} from '../../../src/protocol';

const FILE = `${'0123456789abcdef'.repeat(4)}.png`;
const PICTURE = 'data:image/png;base64,AAAA';
const WISH = { task: 'low-light', prompt: '', model: 'compact', device: 'auto' };
const STATE = {
  ...{ input: { name: 'lion.png' }, wish: WISH, running: false, results: [1, 2] },
  ...{ models: [{ id: 'compact', name: 'Compact' }], devices: ['auto', 'cpu'] },
};
const BATCH = {
  ...{ task: 'detect', prompt: '', model: 'compact', folder: '/pictures/restored', running: true, count: 2 },
};

/** Accepted and refused values of one guard. */
function table(name: string, guard: (value: unknown) => boolean, accepted: unknown[], refused: unknown[]): void {
  describe(name, () => {
    for (const value of accepted)
      it(`accepts ${JSON.stringify(value)?.slice(0, 110)}`, () => assert.equal(guard(value), true));
    for (const value of refused)
      it(`refuses ${JSON.stringify(value)?.slice(0, 110)}`, () => assert.equal(guard(value), false));
  });
}

describe('messages of the views', () => {
  table(
    'isRendererToExtension',
    isRendererToExtension,
    [
      { type: 'frame', requestId: 0, file: FILE, framesFolder: 'quickstart.frames' },
      { type: 'save-frame', file: FILE, framesFolder: 'my notebook.frames', suggestedName: 'lion.frame-9.png' },
      { type: 'save-made', dataUrl: PICTURE, suggestedName: 'lion.crops.png' },
      { type: 'save-made', dataUrl: 'data:text/csv;base64,YQ==', suggestedName: 'lion.frames.csv' },
      { type: 'save-made', dataUrl: 'data:text/markdown;base64,YQ==', suggestedName: 'lion.frames.md' },
      { type: 'stop' },
      { type: 'working', requestId: 3 },
      { type: 'regions' },
      { type: 'region', frame: FILE },
      { type: 'region', frame: FILE, region: { x: 0, y: 4, width: 128, height: 64 } },
    ],
    [
      null,
      [],
      'frame',
      { type: 'frame', requestId: -1, file: FILE, framesFolder: 'a.frames' },
      { type: 'frame', requestId: 0.5, file: FILE, framesFolder: 'a.frames' },
      { type: 'frame', requestId: 0, file: `../${FILE}`, framesFolder: 'a.frames' },
      { type: 'frame', requestId: 0, file: FILE, framesFolder: '..' },
      { type: 'frame', requestId: 0, file: FILE },
      { type: 'region', frame: 'frame.png' },
      { type: 'region', frame: FILE, region: { x: 0, y: -4, width: 128, height: 64 } },
      { type: 'region', frame: FILE, region: { x: 0, y: 4, width: 0.5, height: 64 } },
      { type: 'region', frame: FILE, region: null },
      { type: 'save-frame', file: FILE, framesFolder: 'a.frames', suggestedName: '../lion.png' },
      { type: 'save-frame', file: FILE, framesFolder: 'a.frames', suggestedName: '' },
      { type: 'save-made', dataUrl: 'data:text/html;base64,YQ==', suggestedName: 'lion.html' },
      { type: 'save-made', dataUrl: 'data:image/png;base64,A"A', suggestedName: 'lion.png' },
      { type: 'save-made', dataUrl: PICTURE, suggestedName: '../lion.png' },
      { type: 'working' },
      { type: 'toString' },
    ],
  );
  table(
    'isExtensionToRenderer',
    isExtensionToRenderer,
    [
      { type: 'frame', requestId: 3 },
      { type: 'frame', requestId: 3, dataUrl: PICTURE },
      { type: 'working', requestId: 3 },
      { type: 'working', requestId: 3, working: false },
      { type: 'regions', regions: [] },
      { type: 'regions', regions: [{ frame: FILE, region: { x: 0, y: 4, width: 128, height: 64 } }] },
    ],
    [
      { type: 'regions' },
      { type: 'regions', regions: [{ frame: FILE }] },
      { type: 'regions', regions: [{ frame: '../frame.png', region: { x: 0, y: 4, width: 128, height: 64 } }] },
      { type: 'working', requestId: 3, working: 'yes' },
      { type: 'frame', dataUrl: PICTURE },
      { type: 'frame', requestId: 3, dataUrl: 'data:image/svg+xml;base64,AAAA' },
      { type: 'frame', requestId: 3, dataUrl: 'https://example.org/x.png' },
    ],
  );
  table(
    'isPanelToExtension',
    isPanelToExtension,
    [
      { type: 'ready' },
      { type: 'cancel' },
      { type: 'open-as-notebook', result: 1 },
      { type: 'run', wish: WISH },
      { type: 'describe', wish: { ...WISH, prompt: 'a lion', promptSource: 'described' } },
      { type: 'save', result: 1, severity: 0.37 },
      { type: 'strength', result: 2, severity: 1 },
      { type: 'save-made', dataUrl: PICTURE, suggestedName: 'lion.crops.png' },
      { type: 'forget', result: 2 },
      { type: 'show', result: 2 },
      { type: 'frame', requestId: 1, file: FILE },
    ],
    [
      { type: 'run', wish: { ...WISH, task: 'denoising' } },
      { type: 'run', wish: { ...WISH, prompt: 'x'.repeat(10_001) } },
      { type: 'run', wish: { ...WISH, device: 'abacus' } },
      { type: 'run', wish: { ...WISH, model: '' } },
      { type: 'run', wish: { ...WISH, promptSource: 'user' } },
      { type: 'save', result: 1, severity: 1.01 },
      { type: 'save', result: -1, severity: 0 },
      { type: 'strength', result: 1, severity: NaN },
      { type: 'save-made', dataUrl: PICTURE, suggestedName: '../lion.png' },
      { type: 'save-made', dataUrl: 'data:text/html;base64,AAAA', suggestedName: 'lion.html' },
      { type: 'frame', requestId: 1, file: 'x.png' },
      { type: 'constructor' },
    ],
  );
  table(
    'isExtensionToPanel',
    isExtensionToPanel,
    [
      { type: 'state', ...STATE },
      { type: 'progress', share: 0.5, activity: 'measuring' },
      { type: 'strength', result: 1, severity: 0.5, strength: { severity: 0.5, file: FILE } },
      { type: 'strength', result: 1, severity: 0.5 },
      { type: 'frame', requestId: 1, dataUrl: PICTURE },
      { type: 'error', message: 'It failed. Try again.' },
    ],
    [
      { type: 'state', ...STATE, wish: { ...WISH, task: 'x' } },
      { type: 'state', ...STATE, models: [{ id: 'compact' }] },
      { type: 'result', result: { id: 1, wish: WISH, continuous: true, view: {} } },
      { type: 'strength', result: 1, severity: 0.5, strength: { severity: 0.5, file: '../x.png' } },
      { type: 'frame', requestId: '1' },
      { type: 'error' },
    ],
  );
  table(
    'isPanelState',
    isPanelState,
    [STATE, { ...STATE, id: 'panel-1', shown: 2 }],
    [undefined, {}, { ...STATE, running: 1 }, { ...STATE, input: null }, { ...STATE, results: Array(9).fill(1) }],
  );
  table(
    'isBatchToExtension',
    isBatchToExtension,
    [{ type: 'ready' }, { type: 'cancel' }, { type: 'resume' }, { type: 'reveal' }, { type: 'open-row', row: 3 }],
    [{ type: 'open-row', row: -1 }, { type: 'open-row' }, { type: 'delete' }, null],
  );
  table(
    'isExtensionToBatch',
    isExtensionToBatch,
    [
      { type: 'state', ...BATCH },
      { type: 'rows', rows: [{ index: 0, name: 'lion.png', state: 'waiting' }] },
      {
        type: 'rows',
        rows: [{ index: 1, name: 'a/b.jpg', state: 'done', before: PICTURE, after: PICTURE, change: 3 }],
      },
      { type: 'error', message: 'It failed.' },
    ],
    [
      { type: 'state', ...BATCH, task: 'all' },
      { type: 'rows', rows: [{ index: 0, name: 'lion.png', state: 'eaten' }] },
      { type: 'rows', rows: [{ index: 0, name: 'lion.png', state: 'done', after: 'https://example.org/x.png' }] },
      { type: 'rows', rows: [{ index: 10_000, name: 'lion.png', state: 'done' }] },
    ],
  );
  table(
    'isCompareToExtension',
    isCompareToExtension,
    [
      { type: 'ready' },
      { type: 'cancel' },
      { type: 'frame', requestId: 0, file: FILE },
      { type: 'save-frame', file: FILE, index: 1 },
      { type: 'save-made', dataUrl: PICTURE, suggestedName: 'lion.crops.png' },
    ],
    [
      { type: 'frame', requestId: 0, file: 'lion.png' },
      { type: 'run' },
      { type: 'save-frame', file: FILE, index: 0 },
      { type: 'save-frame', file: '../lion.png', index: 1 },
    ],
  );
  table(
    'isExtensionToCompare',
    isExtensionToCompare,
    [
      { type: 'state', names: ['a.png', 'b.png'], running: true },
      { type: 'frame', requestId: 0 },
    ],
    [
      { type: 'state', names: [1], running: true },
      { type: 'state', names: [], running: false, view: {} },
    ],
  );
  table(
    'isFolderName',
    isFolderName,
    ['quickstart.frames', 'Ärger & Co (2).frames', 'a'],
    ['', '.', '..', '.hidden', 'a/b', 'a\\b', 'C:', 'a\u0000b', 'a\nb', 'x'.repeat(256), 7],
  );
  table(
    'isFullFrameDataUrl',
    isFullFrameDataUrl,
    [PICTURE, 'data:image/webp;base64,', 'data:image/jpeg;base64,/9j/'],
    [
      'data:text/html;base64,AAAA',
      'data:image/png,AAAA',
      ' data:image/png;base64,AAAA',
      'javascript:alert(1)',
      undefined,
    ],
  );

  describe('suggestedFrameName', () => {
    for (const [input, expected] of [
      ['lion.png', 'lion.frame-9.png'],
      ['/home/me/my lion.tar.gz', 'my lion-tar.frame-9.png'],
      ['..\\..\\lion.jpg', 'lion.frame-9.png'],
      ['<script>.png', 'script.frame-9.png'],
      ['', 'frame-9.png'],
      ['../..', 'frame-9.png'],
    ] as const) {
      it(`makes "${expected}" of "${input}"`, () => {
        const name = suggestedFrameName(input, 9);
        assert.equal(name, expected);
        assert.equal(isFolderName(name), true);
      });
    }
  });
});
