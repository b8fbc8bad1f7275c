import sharp from 'sharp';

/** Versions of the decoder, for run records. */
export function imageVersions(): { sharp: string; libvips: string } {
  return { sharp: sharp.versions.sharp ?? 'unknown', libvips: sharp.versions.vips };
}
