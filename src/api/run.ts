import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  MIME_BUNDLE,
  RestorationError,
  metricNumber,
  type AdapterWish,
  type Device,
  type Displayable,
  type FrameRecord,
  type MimeBundle,
  type PictureDepth,
  type PictureFormat,
  type RunRecord,
  type RunView,
  type SavedPicture,
} from '../protocol';
import { decodePicture } from '../restoration/image/decode';
import { writeFileAtomically } from '../restoration/image/files';
import { mimeBundle } from '../restoration/report/mime';
import { packed } from './packed';
import { frameTable } from '../restoration/report/table';
import { inferenceClient } from './session';

/** An 8-bit sRGB picture: interleaved RGB, `width * height * 3` bytes. */
export interface Picture {
  data: Uint8Array;
  width: number;
  height: number;
}

/** One frame of a run. */
export class Frame {
  /** @internal */
  constructor(
    private readonly record: FrameRecord,
    private readonly folder: string,
  ) {}

  /** 1-based. */
  get index(): number {
    return this.record.index;
  }

  /** 1 = degraded input, 0 = fully restored. */
  get severity(): number {
    return this.record.severity;
  }

  get width(): number {
    return this.record.width;
  }

  get height(): number {
    return this.record.height;
  }

  /** Path of the frame as a PNG. */
  get file(): string {
    return path.join(this.folder, this.record.file);
  }

  /** dB in the run's protocol, Infinity for a frame identical to the reference; undefined without a reference. */
  get psnr(): number | undefined {
    return metricNumber(this.record.psnr);
  }

  get ssim(): number | undefined {
    return this.record.ssim;
  }

  get lpips(): number | undefined {
    return this.record.lpips;
  }

  /** LDR-FLIP, when it was asked for (`metrics: [..., 'flip']`). */
  get flip(): number | undefined {
    return this.record.flip;
  }

  /** Mean absolute difference to the frame before, in 8-bit levels. */
  get change(): number | undefined {
    return this.record.change;
  }

  /** The pixels, decoded when asked for. */
  get image(): Promise<Picture> {
    return decodePicture(this.file).then(({ pixels }) => pixels);
  }
}

/** An estimate of the restored picture that a diffusion model made on the way. */
export interface Preview {
  /** 1-based number of the step after which it was made. */
  step: number;
  /** Training step of the model, from 999 (noise) to 0. */
  timestep: number;
  /** Path of the estimate as a PNG. */
  file: string;
  /** Blurred and off in colour: memory did not hold the decoder beside the transformer, so it was made without it. */
  approximate: boolean;
}

/** Metrics of all frames, in order; empty lists without a reference. */
export interface RunMetrics {
  /** dB. */
  psnr: number[];
  ssim: number[];
  lpips: number[];
}

/** Where `Run.save` wrote. */
export interface SavedRun {
  frames: string[];
  /** Estimates on the way, in order; empty for other than diffusion models. */
  previews: string[];
  strip: string;
  record: string;
}

export interface SaveAsOptions {
  /** 1-based number of the frame; the last one unless said otherwise. */
  frame?: number;
  /** In place of a frame: any severity from 1 (the input) to 0 (restored), computed again. */
  severity?: number;
  /** What the file's name says unless given; in a folder that of the input. */
  format?: PictureFormat;
  /** Bits a channel: those of the input, as far as the format holds them, unless said otherwise. 16 is computed again. */
  depth?: PictureDepth;
  /** 1 to 100 for JPEG, WebP and AVIF; 95 unless said otherwise, 100 is lossless in WebP and nearly so in AVIF. */
  quality?: number;
  signal?: AbortSignal;
}

/** @internal What a run was made from, so that its results can be computed again. */
export interface RunSource {
  /** Absolute path. */
  input: string;
  /** Absent for frames that were not made here. */
  model?: string;
  adapters?: AdapterWish[];
  device: Device;
}

/** What `restore` and `strip` return: the frames, their metrics and the record. The last expression of a cell shows it. */
export class Run implements Displayable {
  readonly displayId: string;
  readonly frames: readonly Frame[];

  /** @internal */
  constructor(
    private readonly view: RunView,
    private readonly folder: string,
    private readonly reference: string | undefined,
    displayId: string = randomUUID(),
    private readonly source?: RunSource,
  ) {
    this.displayId = displayId;
    this.frames = view.record.frames.map((frame) => new Frame(frame, folder));
  }

  /** @internal What a comparison needs: the view, and where its files lie. */
  get shown(): { view: RunView; folder: string; reference: string | undefined } {
    return { view: this.view, folder: this.folder, reference: this.reference };
  }

  /** Everything that is known about the run, as it is saved. */
  get record(): RunRecord {
    return this.view.record;
  }

  get metrics(): RunMetrics {
    const list = (pick: (frame: Frame) => number | undefined): number[] =>
      this.frames.map(pick).filter((value): value is number => value !== undefined);
    return { psnr: list((f) => f.psnr), ssim: list((f) => f.ssim), lpips: list((f) => f.lpips) };
  }

  /** The restored picture. */
  get last(): Frame {
    return this.frames[this.frames.length - 1] as Frame;
  }

  /** The best frame by each metric: an oracle that needs the reference. Undefined without one. */
  get best(): { psnr: Frame; ssim: Frame; lpips?: Frame } | undefined {
    const { best } = this.view.record;
    if (!best) return undefined;
    const frame = (index: number): Frame => this.frames[index - 1] as Frame;
    return {
      psnr: frame(best.psnr),
      ssim: frame(best.ssim),
      ...(best.lpips === undefined ? {} : { lpips: frame(best.lpips) }),
    };
  }

  /**
   * Estimates of the restored picture that a diffusion model made on the way, in order; empty for other models.
   *
   * @example strip([...run.previews.map(({ file }) => file), run.last.file], { task: 'deblurring' })
   */
  get previews(): readonly Preview[] {
    const { previews = [] } = this.view.record.diffusion ?? {};
    return previews.map(({ step, timestep, file, approximate = false }) => ({
      step,
      timestep,
      file: path.join(this.folder, file),
      approximate,
    }));
  }

  /** The strip as a PNG: overview, crops of the region and the curves under them. */
  async stripPng(): Promise<Uint8Array> {
    const buffer = await this.draw(false);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  private draw(small: boolean): Promise<Buffer> {
    return inferenceClient().draw({
      record: this.view.record,
      framesFolder: this.folder,
      ...(this.reference === undefined ? {} : { reference: this.reference }),
      small,
    });
  }

  /** The per-frame table as text. */
  toString(): string {
    return frameTable(this.view.record);
  }

  /**
   * Writes `NAME.frame-K.png`, `NAME.strip.png` and `NAME.run.json` into a folder, all of them or none; of a diffusion model
   * also `NAME.preview-STEP.png`, its estimates on the way.
   *
   * @param folder made when it does not exist; files of the same names in it are replaced
   * @param options.name instead of the input's base name
   * @throws RestorationError `unwritable`, or `missing-file` when the frames were removed in the meantime
   */
  async save(folder: string, options: { name?: string } = {}): Promise<SavedRun> {
    const record = this.view.record;
    const name = options.name ?? path.parse(record.input.file).name;
    if (path.basename(name) !== name || name === '') {
      throw new RestorationError(
        'bad-argument',
        `${JSON.stringify(name)} is not a file name.`,
        'Leave folders out of it.',
      );
    }
    const target = path.resolve(folder);
    const strip = await this.stripPng();
    const frames = record.frames.map((frame) => path.join(target, `${name}.frame-${frame.index}.png`));
    const { previews } = this;
    const estimates = previews.map(({ step }) => path.join(target, `${name}.preview-${step}.png`));
    const saved: SavedRun = {
      frames,
      previews: estimates,
      strip: path.join(target, `${name}.strip.png`),
      record: path.join(target, `${name}.run.json`),
    };
    const stored = savedRecord(record, saved);
    const staging = path.join(target, `.${name}.${randomUUID()}.part`);
    try {
      await mkdir(staging, { recursive: true }).catch((error: unknown) => {
        throw unwritable(target, error);
      });
      const files: [string, string][] = [];
      const copies = [
        ...this.frames.map(({ file, index }, i) => [`Frame ${index}`, file, frames[i] as string] as const),
        ...previews.map(
          ({ file, step }, i) => [`The estimate after step ${step}`, file, estimates[i] as string] as const,
        ),
      ];
      for (const [i, [what, from, to]] of copies.entries()) {
        const staged = path.join(staging, `picture-${i}`);
        await copyFile(from, staged).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unwritable(target, error);
          throw new RestorationError('missing-file', `${what} is gone (${from}).`, 'Run the restoration again.');
        });
        files.push([staged, to]);
      }
      await writeFileAtomically(path.join(staging, 'strip'), strip);
      await writeFileAtomically(path.join(staging, 'record'), `${JSON.stringify(stored, null, 2)}\n`);
      files.push([path.join(staging, 'strip'), saved.strip], [path.join(staging, 'record'), saved.record]);
      await moveAll(files);
    } finally {
      // A folder that could not be made cannot be removed either; the first error is the one to tell.
      await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    }
    return saved;
  }

  /**
   * Saves one result at full size and like its source: its colour profile, depth and opacity, grey if it was grey, with
   * its EXIF (orientation set to upright) and XMP.
   *
   * @param target a file whose ending names the format, or an existing folder for `NAME.restored.EXT`; another file of the
   *   name is replaced, but never the input or the reference
   * @returns where it was saved, and what could not be kept
   * @throws RestorationError `bad-argument` (no such frame, a format without 16 bits, the input as target, an input that has
   *   changed since), `missing-file` or `unwritable`
   * @example await run.saveAs('restored.tif', { depth: 16 })
   */
  async saveAs(target: string, options: SaveAsOptions = {}): Promise<SavedPicture> {
    const { source } = this;
    if (!source) throw new RestorationError('bad-argument', 'This run does not know its input.', 'Restore it again.');
    if (typeof target !== 'string' || target === '') {
      throw new RestorationError('bad-argument', 'saveAs needs the path of a file.', "Call saveAs('restored.png').");
    }
    const index = options.frame ?? this.frames.length;
    const frame = this.frames[index - 1];
    if (!frame) {
      throw new RestorationError(
        'bad-argument',
        `There is no frame ${index}.`,
        `The run has frames 1 to ${this.frames.length}.`,
      );
    }
    const { format, depth, quality, signal } = options;
    return inferenceClient().save(
      {
        record: this.view.record,
        framesFolder: this.folder,
        ...source,
        ...(this.reference === undefined ? {} : { reference: this.reference }),
        severity: options.severity ?? frame.severity,
        output: path.resolve(target),
        ...(format === undefined ? {} : { format }),
        ...(depth === undefined ? {} : { depth }),
        ...(quality === undefined ? {} : { quality }),
        priority: 'interactive',
      },
      signal ? { signal } : {},
    );
  }

  async [MIME_BUNDLE](): Promise<MimeBundle> {
    // Only pages that do not know the strip show the picture; a notebook holds one for every run.
    const [view, small] = await Promise.all([packed(this.view), this.draw(true)]);
    return mimeBundle(view, small);
  }
}

/** @internal The record as it stands beside the files that `Run.save` wrote, with their names. */
export function savedRecord(record: RunRecord, saved: Pick<SavedRun, 'frames' | 'previews'>): RunRecord {
  const named = <T extends { file: string }>(items: readonly T[], files: readonly string[]): T[] =>
    items.map((item, i) => ({ ...item, file: path.basename(files[i] as string) }));
  const { diffusion } = record;
  return {
    ...record,
    frames: named(record.frames, saved.frames),
    ...(diffusion?.previews
      ? { diffusion: { ...diffusion, previews: named(diffusion.previews, saved.previews) } }
      : {}),
  };
}

/** Everything was written beside its place before; renaming within a folder is all that is left. */
async function moveAll(files: [string, string][]): Promise<void> {
  for (const [from, to] of files) {
    await rename(from, to).catch((error: unknown) => {
      throw unwritable(to, error);
    });
  }
}

function unwritable(target: string, error: unknown): RestorationError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  return new RestorationError(
    'unwritable',
    `${target} could not be written (${code}).`,
    code === 'ENOSPC' ? 'Free some disk space and try again.' : 'Choose a folder that can be written to.',
    { cause: error },
  );
}
