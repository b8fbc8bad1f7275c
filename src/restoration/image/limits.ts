/** Largest picture taken in, counted after decoding (and after enlarging, for super-resolution). */
export const MAXIMUM_PIXELS = 100_000_000;
/** Largest file read into memory. */
export const MAXIMUM_FILE_BYTES = 512 * 1024 * 1024;
