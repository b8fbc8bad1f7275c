/** Picture formats that are read and written. */
export const PICTURE_FORMATS = ['png', 'jpeg', 'webp', 'avif', 'tiff'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];
