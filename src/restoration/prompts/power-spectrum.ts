/** Radial bands of the spectrum, evenly spaced from 0 to the Nyquist frequency. */
export const SPECTRUM_BANDS = 16;
/** Directions from 0 to 180 degrees in which power is told apart. */
export const SPECTRUM_SECTORS = 8;

export interface PowerSpectrum {
  /** Mean power per band, the bands' sum scaled to 1; index 0 holds frequencies up to 1/16 of Nyquist (without the mean). */
  bands: Float64Array;
  /** Mean power per direction of the frequencies from 1/8 to 3/4 of Nyquist, the sum scaled to 1; sector 0 is centred on horizontal change. */
  sectors: Float64Array;
}

/** In-place radix-2 FFT (Cooley and Tukey 1965) of a complex signal whose length is a power of two. */
function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j] as number, re[i] as number];
      [im[i], im[j]] = [im[j] as number, im[i] as number];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / size;
      const wr = Math.cos(angle);
      const wi = Math.sin(angle);
      for (let a = k; a < n; a += size) {
        const b = a + half;
        const tr = wr * (re[b] as number) - wi * (im[b] as number);
        const ti = wr * (im[b] as number) + wi * (re[b] as number);
        re[b] = (re[a] as number) - tr;
        im[b] = (im[a] as number) - ti;
        re[a] = (re[a] as number) + tr;
        im[a] = (im[a] as number) + ti;
      }
    }
  }
}

/** Power |F|^2 of a square window, `side * side` values, the mean removed and Hann-weighted (against the leak of its border). */
function windowPower(values: Float64Array, side: number): Float64Array {
  let mean = 0;
  for (const value of values) mean += value;
  mean /= values.length;
  const re = new Float64Array(values.length);
  const im = new Float64Array(values.length);
  const hann = Float64Array.from({ length: side }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / side));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      re[y * side + x] = ((values[y * side + x] as number) - mean) * (hann[x] as number) * (hann[y] as number);
    }
  }
  const lineRe = new Float64Array(side);
  const lineIm = new Float64Array(side);
  for (let y = 0; y < side; y++) fft(re.subarray(y * side, (y + 1) * side), im.subarray(y * side, (y + 1) * side));
  for (let x = 0; x < side; x++) {
    for (let y = 0; y < side; y++) {
      lineRe[y] = re[y * side + x] as number;
      lineIm[y] = im[y * side + x] as number;
    }
    fft(lineRe, lineIm);
    for (let y = 0; y < side; y++) re[y * side + x] = (lineRe[y] as number) ** 2 + (lineIm[y] as number) ** 2;
  }
  return re;
}

function scaled(values: Float64Array): Float64Array {
  const sum = values.reduce((a, b) => a + b, 0);
  return sum > 0 ? values.map((value) => value / sum) : values;
}

/**
 * Mean power spectrum of a plane over windows of 64x64 (32x32 when a side is shorter than 64), at most `most` of them,
 * spread evenly. Windows add up as they are, so those with contrast decide. A plane smaller than a window is mirrored.
 *
 * @param plane `width * height` values
 */
export function powerSpectrum(plane: Float32Array, width: number, height: number, most = 96): PowerSpectrum {
  const side = Math.min(width, height) >= 64 ? 64 : 32;
  const columns = starts(width, side);
  const rows = starts(height, side);
  const step = Math.max(1, Math.ceil((columns.length * rows.length) / most));
  const power = new Float64Array(side * side);
  const values = new Float64Array(side * side);
  for (let index = 0; index < columns.length * rows.length; index += step) {
    const x0 = columns[index % columns.length] as number;
    const y0 = rows[Math.floor(index / columns.length)] as number;
    for (let y = 0; y < side; y++) {
      const row = mirrored(y0 + y, height) * width;
      for (let x = 0; x < side; x++) values[y * side + x] = plane[row + mirrored(x0 + x, width)] as number;
    }
    const part = windowPower(values, side);
    for (let i = 0; i < power.length; i++) power[i] = (power[i] as number) + (part[i] as number);
  }
  const bands = new Float64Array(SPECTRUM_BANDS);
  const sectors = new Float64Array(SPECTRUM_SECTORS);
  const bandCounts = new Float64Array(SPECTRUM_BANDS);
  const sectorCounts = new Float64Array(SPECTRUM_SECTORS);
  for (let v = 0; v < side; v++) {
    for (let u = 0; u < side; u++) {
      const fx = (u < side / 2 ? u : u - side) / (side / 2);
      const fy = (v < side / 2 ? v : v - side) / (side / 2);
      const radius = Math.hypot(fx, fy);
      if (radius === 0 || radius > 1) continue;
      const value = power[v * side + u] as number;
      const band = Math.min(SPECTRUM_BANDS - 1, Math.ceil(radius * SPECTRUM_BANDS) - 1);
      bands[band] = (bands[band] as number) + value;
      bandCounts[band] = (bandCounts[band] as number) + 1;
      if (radius < 1 / 8 || radius > 3 / 4) continue;
      const turn = Math.atan2(fy, fx) / Math.PI + 1;
      const sector = Math.round(turn * SPECTRUM_SECTORS) % SPECTRUM_SECTORS;
      // Weighted by frequency, so that the strong low frequencies do not decide alone.
      sectors[sector] = (sectors[sector] as number) + value * radius * radius;
      sectorCounts[sector] = (sectorCounts[sector] as number) + 1;
    }
  }
  return {
    bands: scaled(bands.map((value, i) => value / Math.max(1, bandCounts[i] as number))),
    sectors: scaled(sectors.map((value, i) => value / Math.max(1, sectorCounts[i] as number))),
  };
}

function starts(length: number, side: number): number[] {
  const count = Math.max(1, Math.floor((2 * length) / side) - 1);
  const room = Math.max(0, length - side);
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? Math.floor(room / 2) : Math.round((i * room) / (count - 1)),
  );
}

function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * length;
  const place = ((index % period) + period) % period;
  return place < length ? place : period - 1 - place;
}
