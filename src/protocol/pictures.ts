import type { AdapterWish } from './adapters';
import type { Device } from './tasks';
import type { RunRecord } from './run';
import type { Priority } from './messages';

/** Picture formats that are read and written. */
export const PICTURE_FORMATS = ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** Formats that hold 16 bits a channel. */
export const DEEP_FORMATS: readonly PictureFormat[] = ['png', 'tiff'];

/** Bits a channel of a picture file. */
export const PICTURE_DEPTHS = [8, 16] as const;
export type PictureDepth = (typeof PICTURE_DEPTHS)[number];

/** File name endings by format, the usual one first. */
export const PICTURE_EXTENSIONS: Record<PictureFormat, readonly string[]> = {
  png: ['.png'],
  jpeg: ['.jpg', '.jpeg'],
  webp: ['.webp'],
  avif: ['.avif'],
  tiff: ['.tif', '.tiff'],
};

/** The format that a file name asks for; undefined for another or no ending. Only for writing: reading goes by content. */
export function formatOfName(name: string): PictureFormat | undefined {
  const lower = name.toLowerCase();
  return PICTURE_FORMATS.find((format) => PICTURE_EXTENSIONS[format].some((ending) => lower.endsWith(ending)));
}

/**
 * Save a result of a run at full size with everything of its source put back. The frame that the strip shows is taken as it
 * is; another severity, or 16 bits, is computed again.
 */
export interface SaveRequest {
  record: RunRecord;
  framesFolder: string;
  /** The file that was restored; its content has to be what the record says. */
  input: string;
  /** Never written to, like the input. */
  reference?: string;
  /** 1 = the degraded picture, 0 = restored. */
  severity: number;
  /** A file, or an existing folder, where the result is named after the input. */
  output: string;
  /** Absent = what the output's name says, in a folder the input's. */
  format?: PictureFormat;
  /** Absent = that of the input, as far as the format holds it. */
  depth?: PictureDepth;
  /** 1 to 100 for JPEG, WebP and AVIF (100 is lossless where that exists); 95 unless said otherwise. */
  quality?: number;
  /** As in the restore request; absent for frames that were not made here, which cannot be computed again. */
  model?: string;
  /** As in the restore request. */
  adapters?: AdapterWish[];
  device: Device;
  priority: Priority;
}

export interface SavedPicture {
  file: string;
  format: PictureFormat;
  depth: PictureDepth;
  width: number;
  height: number;
  /** Plain sentences about what could not be kept. */
  notes: string[];
}
