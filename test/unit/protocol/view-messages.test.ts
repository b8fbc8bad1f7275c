import assert from 'node:assert/strict';
import {
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
const STATE = { input: { name: 'lion.png' }, task: 'deblurring', prompt: '', running: false };

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
    ],
    [
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
      { type: 'open-as-notebook' },
      { type: 'run', task: 'low-light', prompt: '' },
      { type: 'save', frame: 9 },
      { type: 'frame', requestId: 1, file: FILE },
    ],
    [
      { type: 'run', task: 'denoising', prompt: '' },
      { type: 'run', task: 'low-light', prompt: 'x'.repeat(10_001) },
      { type: 'save', frame: 0 },
      { type: 'save', frame: 258 },
      { type: 'frame', requestId: 1, file: 'x.png' },
      { type: 'constructor' },
    ],
  );
  table(
    'isExtensionToPanel',
    isExtensionToPanel,
    [
      { type: 'state', ...STATE },
      { type: 'frame', requestId: 1, dataUrl: PICTURE },
      { type: 'error', message: 'It failed. Try again.' },
    ],
    [
      { type: 'state', ...STATE, task: 'x' },
      { type: 'state', ...STATE, view: {} },
      { type: 'frame', requestId: '1' },
      { type: 'error' },
    ],
  );
  table(
    'isPanelState',
    isPanelState,
    [STATE, { ...STATE, id: 'panel-1' }],
    [undefined, {}, { ...STATE, running: 1 }, { ...STATE, input: null }],
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
