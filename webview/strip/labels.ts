import type { DiffusionRecord, MetricProtocol, RunState, Stage, Task } from '../../src/protocol';
import type { Comparison } from './compare';
import type { CurveKey, Scope } from './curve-data';

/** Every word that the strip says, so that it can be said in another language. */
export interface Labels {
  notARun: string;
  strip: (task: string, input: string) => string;
  comparison: (count: number) => string;
  tasks: Record<Task, string>;
  stages: Record<Stage, string>;
  curves: Record<CurveKey, { name: string; unit: string; better: '↑' | '↓' | ''; spoken: string }>;
  protocols: Record<MetricProtocol, (scale: number) => string>;
  scopes: Record<Scope, string>;
  fit: string;
  detail: string;
  size: string;
  sizeOfPictures: string;
  save: string;
  /** `run` names the run, where there are several. */
  saveFrame: (index: number, run: string | undefined) => string;
  saveFigure: string;
  saveMarkdown: string;
  saveCsv: string;
  copyFigure: string;
  copyTable: string;
  copyMarkdown: string;
  copyRecord: string;
  stop: string;
  run: string;
  runs: (count: number) => string;
  /** @param count of pictures that are compared */
  pictures: (count: number) => string;
  regionBox: (width: number, height: number, x: number, y: number) => string;
  regionHint: string;
  region: string;
  regionFacts: (width: number, height: number, x: number, y: number) => string;
  regionPreviews: string;
  copy: string;
  copied: string;
  table: string;
  record: string;
  input: string;
  restored: string;
  reference: string;
  diffusion: string;
  diffusionFacts: (diffusion: DiffusionRecord) => string;
  /** @param psnr of the picture through the autoencoder and back, in dB */
  ceiling: (psnr: string) => string;
  protocol: string;
  noReference: string;
  noNumbers: string;
  noFrames: string;
  frame: (index: number) => string;
  frames: string;
  lastFrame: string;
  inRegion: string;
  best: string;
  last: string;
  gain: string;
  over: (first: string) => string;
  severity: string;
  openFrame: string;
  overviewOf: (frame: string) => string;
  picture: (frame: string, region: boolean) => string;
  progress: (stage: string, percent: number | undefined, secondsLeft: number | undefined) => string;
  state: (state: RunState, frames: number) => string;
  compare: string;
  compareHint: string;
  comparisons: Record<Comparison, string>;
  gainOfDifference: string;
  play: string;
  pixel: (x: number, y: number) => string;
  comparing: string;
  comparingShare: (share: number) => string;
  flipMean: (mean: number) => string;
  mapNeedsFrames: string;
  against: string;
  left: string;
  right: string;
  slider: string;
  sliderValue: (left: string, right: string, percent: number) => string;
  zoomIn: string;
  zoomOut: string;
  zoomFit: string;
  zoomActual: string;
  close: string;
  previewOnly: string;
  loading: string;
}

export const ENGLISH: Labels = {
  notARun: 'This output is not a run that this version can show.',
  strip: (task, input) => `Restoration of ${input}: ${task}`,
  comparison: (count) => `Comparison of ${count} pictures`,
  tasks: { 'super-resolution': 'super-resolution', deblurring: 'deblurring', 'low-light': 'low light' },
  stages: {
    queued: 'waiting',
    decode: 'reading the picture',
    network: 'restoring',
    metrics: 'measuring',
    encode: 'writing the frames',
  },
  curves: {
    psnr: { name: 'PSNR', unit: 'dB', better: '↑', spoken: 'PSNR, higher is better' },
    ssim: { name: 'SSIM', unit: '', better: '↑', spoken: 'SSIM, higher is better' },
    lpips: { name: 'LPIPS', unit: '', better: '↓', spoken: 'LPIPS, lower is better' },
    change: { name: 'change', unit: 'levels', better: '', spoken: 'Change from the frame before, in 8-bit levels' },
  },
  protocols: {
    sr: (scale) => `sr (Y channel, border of ${scale} left out)`,
    rgb: () => 'rgb',
  },
  scopes: { whole: 'whole picture', region: 'region' },
  fit: 'Fit',
  detail: 'Detail 1:1',
  size: 'Size of the frames',
  sizeOfPictures: 'size',
  save: 'Save',
  saveFrame: (index, run) => (run === undefined ? `Frame ${index}…` : `Frame ${index} of ${run}…`),
  saveFigure: 'Crops with numbers (PNG)…',
  saveMarkdown: 'Table (Markdown)…',
  saveCsv: 'Table (CSV)…',
  copyFigure: 'Crops with numbers',
  copyTable: 'Table',
  copyMarkdown: 'Table (Markdown)',
  copyRecord: 'Record (JSON)',
  stop: 'Stop',
  run: 'run',
  runs: (count) => `${count} runs`,
  pictures: (count) => `${count} pictures`,
  regionBox: (width, height, x, y) => `Region of ${width} × ${height} pixels at ${x}, ${y}`,
  regionHint:
    'Arrow keys move it, with Alt by one pixel, with Shift they resize it, Home brings it back to the region of the run',
  region: 'region',
  regionFacts: (width, height, x, y) => `${width}×${height} at ${x}, ${y}`,
  regionPreviews: 'The full frames are not there: away from its saved region the run shows small previews, enlarged.',
  copy: 'Copy',
  copied: 'Copied',
  table: 'Table',
  record: 'Record',
  input: 'input',
  restored: 'restored',
  reference: 'reference',
  diffusion: 'diffusion',
  diffusionFacts: ({ steps, scheduler, guidance, seed }) =>
    [
      `${steps} ${steps === 1 ? 'step' : 'steps'} of ${scheduler.toUpperCase()}`,
      guidance.scale > 1 ? `${guidance.kind} guidance ${guidance.scale}` : 'no guidance',
      seed === undefined ? 'noise from a file' : `seed ${seed}`,
    ].join(' · '),
  ceiling: (psnr) => `the autoencoder alone: ${psnr} dB`,
  protocol: 'protocol',
  noReference: 'No reference was given: the curve shows how much each frame changes, not how good it is.',
  noNumbers: 'No reference was given, and the run has no numbers of its frames.',
  noFrames: 'There are no frames yet.',
  frame: (index) => `frame ${index}`,
  frames: 'Frames',
  lastFrame: 'last frame',
  inRegion: 'in the region',
  best: 'best',
  last: 'last',
  gain: 'gain',
  over: (first) => `over ${first}`,
  severity: 'severity',
  openFrame: 'Enter opens it large',
  overviewOf: (frame) => `Whole picture, ${frame}`,
  picture: (frame, region) => (region ? `Region of ${frame}` : `Whole picture, ${frame}`),
  progress: (stage, percent, secondsLeft) =>
    [stage, percent === undefined ? '' : `${percent} %`, secondsLeft === undefined ? '' : `${secondsLeft} s left`]
      .filter((part) => part !== '')
      .join(' · '),
  state: (state, frames) => {
    const kept =
      frames === 0 ? 'No frame was finished.' : `${frames === 1 ? 'One frame is' : `${frames} frames are`} kept.`;
    switch (state.kind) {
      case 'interrupted':
        return `The run was interrupted. ${kept}`;
      case 'failed':
        return state.message === '' ? `The run failed. ${kept}` : `The run failed: ${state.message}`;
      case 'running':
      case 'done':
        return '';
    }
  },
  compare: 'Comparison of two frames',
  compareHint:
    'Left and right arrow keys walk through the frames, up and down through the runs, space plays them, plus and minus zoom, 0 fits, 1 shows 100 %, shift and arrow keys move the picture, b blinks.',
  comparisons: {
    slider: 'Slider',
    side: 'Side by side',
    blink: 'Blink',
    difference: 'Difference',
    flip: 'FLIP',
  },
  gainOfDifference: 'Amplification of the difference',
  play: 'Play the frames',
  pixel: (x, y) => `x ${x}, y ${y}`,
  comparing: 'Comparing…',
  comparingShare: (share) => `Comparing… ${Math.round(share * 100)} %`,
  flipMean: (mean) => `mean FLIP ${mean.toFixed(4)}, black 0 to yellow 1`,
  mapNeedsFrames: 'The full frames are not there: small previews cannot be compared pixel by pixel.',
  against: 'against',
  left: 'Frame on the left',
  right: 'Frame on the right',
  slider: 'Dividing line',
  sliderValue: (left, right, percent) => `${percent} % ${left}, ${100 - percent} % ${right}`,
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  zoomFit: 'Fit',
  zoomActual: '100 %',
  close: 'Close',
  previewOnly: 'The full frames are not there: these are small previews.',
  loading: 'Loading the full frames…',
};
