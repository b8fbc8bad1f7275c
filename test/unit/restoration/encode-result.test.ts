import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import type { PictureDepth, PictureFormat } from '../../../src/protocol';
import type { AlphaPlane } from '../../../src/restoration/image/alpha';
import { decodeSource, type SourcePicture } from '../../../src/restoration/image/decode';
import { encodeResult, type EncodedResult } from '../../../src/restoration/image/encode-result';
import { exifOfTiff, tiffWithExif, updatedExif } from '../../../src/restoration/image/exif';
import { toEightBits, type AnyPixels } from '../../../src/restoration/image/pixels';
import { pngWithMetadata } from '../../../src/restoration/image/png-chunks';
import { TiffReader } from '../../../src/restoration/image/tiff-directory';
import {
  SRGB,
  ADOBE_RGB,
  XYZ_TO_SRGB,
  gammaCurve,
  greyProfile,
  rgbProfile,
  srgbCurve,
  tableProfile,
} from './icc-profile';

const FORMATS: readonly [PictureFormat, PictureDepth][] = [
  ['png', 8],
  ['png', 16],
  ['tiff', 8],
  ['tiff', 16],
  ['jpeg', 8],
  ['webp', 8],
  ['avif', 8],
];
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Make="Box"/>' +
  '</rdf:RDF></x:xmpmeta>';

/** A smooth picture in the middle of the gamut, `channels` of `depth` bits. */
async function smooth(channels: 1 | 2 | 3 | 4, depth: PictureDepth, width = 48, height = 32): Promise<Buffer> {
  const maximum = depth === 8 ? 255 : 65535;
  const data = new (depth === 8 ? Uint8Array : Uint16Array)(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
    for (let c = 0; c < channels; c++) data[i * channels + c] = Math.round(maximum * (0.3 + 0.3 * x + 0.1 * c * y));
  }
  const space = channels < 3 ? (depth === 8 ? 'b-w' : 'grey16') : depth === 8 ? 'srgb' : 'rgb16';
  return sharp(data, { raw: { width, height, channels } }).toColourspace(space).png().toBuffer();
}

function differences(a: ArrayLike<number>, b: ArrayLike<number>): { largest: number; mean: number } {
  assert.equal(a.length, b.length);
  let largest = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    largest = Math.max(largest, difference);
    sum += difference;
  }
  return { largest, mean: sum / a.length };
}

describe('saving results like their source', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-encode-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function read(bytes: Uint8Array): Promise<SourcePicture> {
    const file = path.join(folder, 'picture');
    await writeFile(file, bytes);
    return decodeSource(file);
  }

  /** Encodes what was read, as if a model had left it alone. */
  function unchanged(
    { pixels, alpha, traits }: SourcePicture,
    format: PictureFormat,
    depth: PictureDepth,
    quality = 95,
  ): Promise<EncodedResult> {
    const copy = { ...pixels, data: pixels.data.slice() } as AnyPixels;
    return encodeResult(copy, alpha, traits, { format, depth, quality });
  }

  it('keeps channels, depth, opacity and pixels in every format', async () => {
    for (const channels of [1, 2, 3, 4] as const) {
      for (const own of [8, 16] as const) {
        const source = await read(await smooth(channels, own));
        for (const [format, depth] of FORMATS) {
          const what = `${channels} channels of ${own} bits as ${format} of ${depth}`;
          const { bytes, notes } = await unchanged(source, format, depth);
          const { space } = await sharp(bytes).metadata();
          const result = await read(bytes);
          assert.equal(result.traits.format, format, what);
          assert.equal(result.traits.depth, depth, what);
          assert.equal(space === 'b-w' || space === 'grey16', channels < 3 && !['webp', 'avif'].includes(format), what);
          if (format === 'jpeg' && channels % 2 === 0) {
            assert.match(notes.join(), /JPEG has no transparency; the picture was laid on white/);
            assert.equal(result.alpha, undefined);
            continue;
          }
          assert.deepEqual(notes, [], what);
          assert.equal(result.alpha !== undefined, channels % 2 === 0, what);
          const unit = (depth === 8 ? 1 : 257) / (own === 8 ? 1 : 257);
          const lossless = format === 'png' || format === 'tiff';
          const rounded = depth === 8 && own === 16;
          const expected = [...source.pixels.data].map((v) => v * unit);
          const { largest, mean } = differences(expected, result.pixels.data);
          assert.ok(largest <= (lossless ? (rounded ? 0.5 : 0) : 6), `${what}: ${largest}`);
          assert.ok(mean <= (lossless ? 0.5 : 1.5), `${what}: mean ${mean}`);
          if (source.alpha && result.alpha) {
            const opacity = [...source.alpha.data].map((v) => v * unit);
            assert.ok(differences(opacity, result.alpha.data).largest <= (lossless ? 0.5 : 2), what);
          }
        }
      }
    }
  });

  it('is lossless where asked: WebP exactly', async () => {
    const source = await read(await smooth(4, 8));
    const webp = await read((await unchanged(source, 'webp', 8, 100)).bytes);
    assert.deepEqual(webp.pixels.data, source.pixels.data);
    assert.deepEqual(webp.alpha, source.alpha);
    const avif = await read((await unchanged(source, 'avif', 8, 100)).bytes);
    assert.ok(differences(avif.pixels.data, source.pixels.data).largest <= 2);
  });

  it('goes to sRGB and back into the colours of the source, within a level', async () => {
    const profiles: Record<string, Buffer> = {
      'Display P3': Buffer.from(
        (await sharp(await sharp(await smooth(3, 8)).withIccProfile('p3').png().toBuffer()).metadata()).icc as Buffer, // prettier-ignore
      ),
      'Adobe RGB': rgbProfile(ADOBE_RGB, gammaCurve(2.19921875)),
      'sRGB itself': rgbProfile(SRGB, srgbCurve()),
      'a profile with tables': tableProfile(SRGB, XYZ_TO_SRGB),
    };
    for (const [name, profile] of Object.entries(profiles)) {
      for (const own of [8, 16] as const) {
        const png = await smooth(3, own);
        const stored = (await read(png)).pixels;
        const source = await read(pngWithMetadata(png, { profile }));
        for (const [format, depth] of FORMATS) {
          const { bytes, notes } = await unchanged(source, format, depth);
          const { icc } = await sharp(bytes).metadata();
          assert.deepEqual(notes, []);
          assert.ok(icc && profile.equals(icc), `${name} is embedded in ${format}`);
          if (format !== 'png' && format !== 'tiff') continue;
          const deep = depth === 16;
          const result = await sharp(bytes, { ignoreIcc: true })
            .toColourspace(deep ? 'rgb16' : 'srgb')
            .raw({ depth: deep ? 'ushort' : 'uchar' })
            .toBuffer();
          const samples = deep ? new Uint16Array(result.buffer, result.byteOffset, result.length / 2) : result;
          const levels = [...samples].map((v) => v / (deep ? 257 : 1));
          const { largest, mean } = differences([...stored.data].map((v) => v / (own === 16 ? 257 : 1)), levels); // prettier-ignore
          // Linear light in 8 bits is coarse in the dark; the engine's tables are, too.
          const tolerance = name === 'a profile with tables' ? 2.5 : own === 16 && deep ? 0.05 : 1.01;
          assert.ok(largest <= tolerance, `${name}, ${own} bits as ${format} of ${depth}: ${largest}`);
          assert.ok(mean <= Math.min(tolerance, 0.6), `${name}, ${own} bits as ${format} of ${depth}: mean ${mean}`);
        }
      }
    }
  });

  it('keeps more than 8 bits through a profile', async () => {
    const png = await smooth(3, 16, 200, 2);
    const profile = rgbProfile(ADOBE_RGB, gammaCurve(2.2));
    const source = await read(pngWithMetadata(png, { profile }));
    const { bytes } = await unchanged(source, 'tiff', 16);
    const { pixels } = await read(bytes);
    assert.ok(new Set(Array.from({ length: 200 }, (_, x) => pixels.data[3 * x])).size > 195);
    assert.ok(new Set(Array.from({ length: 200 }, (_, x) => toEightBits(pixels).data[3 * x])).size < 120);
  });

  it('says so when there is no way back into a profile', async () => {
    const profile = tableProfile(SRGB, undefined);
    const source = await read(pngWithMetadata(await smooth(3, 8), { profile }));
    const { bytes, notes } = await unchanged(source, 'png', 8);
    assert.match(notes.join(), /no way back from sRGB; the result is sRGB/);
    assert.equal((await sharp(bytes).metadata()).icc, undefined);
    assert.deepEqual((await read(bytes)).pixels, source.pixels);
  });

  it('saves grey as the grey nearest to what a network made of it, in its own profile', async () => {
    const profile = greyProfile(gammaCurve(1.8));
    const source = await read(pngWithMetadata(await smooth(1, 16), { profile }));
    const stored = (await read(await smooth(1, 16))).pixels;
    const tinted = Uint16Array.from(source.pixels.data, (v, i) => v + ([300, -300, 0][i % 3] as number));
    const { width, height } = source.pixels;
    const { bytes } = await encodeResult({ data: tinted, width, height }, undefined, source.traits, {
      format: 'tiff',
      depth: 16,
    });
    const metadata = await sharp(bytes).metadata();
    assert.deepEqual([metadata.space, metadata.channels], ['grey16', 1]);
    assert.ok(metadata.icc && profile.equals(metadata.icc));
    const samples = await sharp(bytes, { ignoreIcc: true }).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
    const grey = new Uint16Array(samples.buffer, samples.byteOffset, samples.length / 2);
    const original = stored.data.filter((_, i) => i % 3 === 0);
    assert.ok(differences(grey, original).largest <= 2);
    const webp = await unchanged(source, 'webp', 8, 100);
    assert.equal((await sharp(webp.bytes).metadata()).icc, undefined, 'WebP has no grey for a grey profile');
    assert.ok(differences((await read(webp.bytes)).pixels.data, toEightBits(source.pixels).data).largest === 0);
  });

  it('keeps EXIF and XMP in every format, upright, with the new size and without the old thumbnail', async () => {
    const base = sharp(await smooth(3, 8));
    const exif = {
      IFD0: { Make: 'Box', Artist: 'Nobody', Orientation: '6' },
      IFD2: { FNumber: '28/10', ExifVersion: '0232', PixelXDimension: '999', PixelYDimension: '999' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 30/1 0/1' },
    };
    for (const [from, bytes] of [
      ['png', await base.clone().withExif(exif).withXmp(XMP).png().toBuffer()],
      ['jpeg', await base.clone().withExif(exif).withXmp(XMP).jpeg().toBuffer()],
      ['tiff', tiffWithExif(await base.clone().withXmp(XMP).tiff().toBuffer(), await exifBlock(exif))],
    ] as const) {
      const source = await read(bytes);
      for (const [format, depth] of FORMATS) {
        const what = `${from} as ${format} of ${depth}`;
        const encoded = await unchanged(source, format, depth);
        assert.deepEqual(encoded.notes, []);
        const result = await read(encoded.bytes);
        const { width, height } = source.pixels;
        assert.deepEqual([result.pixels.width, result.pixels.height], [width, height], what);
        assert.match(String(result.traits.xmp), /tiff:Orientation="1" tiff:Make="Box"/, what);
        const reader = new TiffReader(stripped(result.traits.exif));
        const { fields, next } = reader.first();
        assert.equal(next, 0, 'no thumbnail');
        assert.equal(fields.get(0x010f)?.value.toString(), 'Box\0', what);
        assert.equal(fields.get(0x013b)?.value.toString(), 'Nobody\0', what);
        assert.deepEqual([1, undefined].includes(reader.numbers(fields.get(0x0112))[0]), true, what);
        const details = reader.directory(reader.numbers(fields.get(0x8769))[0] as number).fields;
        const aperture = details.get(0x829d);
        assert.equal((reader.long(aperture?.offset as number) / reader.long((aperture?.offset as number) + 4)).toFixed(1), '2.8', what); // prettier-ignore
        assert.deepEqual(reader.numbers(details.get(0xa002)), [width], what);
        assert.deepEqual(reader.numbers(details.get(0xa003)), [height], what);
        const place = reader.directory(reader.numbers(fields.get(0x8825))[0] as number).fields;
        assert.equal(place.get(2)?.count, 3, what);
      }
    }
  });

  async function exifBlock(exif: Record<string, Record<string, string>>): Promise<Buffer> {
    const jpeg = await sharp(await smooth(3, 8)).withExif(exif).jpeg().toBuffer(); // prettier-ignore
    return (await sharp(jpeg).metadata()).exif as Buffer;
  }

  function stripped(exif: Buffer | undefined): Buffer {
    assert.ok(exif);
    return exif.toString('latin1', 0, 4) === 'Exif' ? exif.subarray(6) : exif;
  }

  it('leaves a damaged EXIF block out, and never fails for it', async () => {
    const whole = await exifBlock({ IFD0: { Make: 'Box' }, IFD2: { FNumber: '28/10' } });
    const source = await read(await smooth(3, 8));
    const traits = { ...source.traits, exif: whole.subarray(0, 30) };
    const { notes } = await encodeResult(source.pixels, undefined, traits, { format: 'png', depth: 8 });
    assert.match(notes.join(), /EXIF block of the source is damaged/);
    const tiff = await sharp(await smooth(3, 8)).tiff().toBuffer(); // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 10 }), (changes) => {
        const block = Buffer.from(whole);
        for (const [at, value] of changes) block[at] = value;
        const updated = updatedExif(block, { width: 10, height: 10 });
        if (updated) assert.ok([block.length, block.length - 6].includes(updated.length));
        const file = tiffWithExif(tiff, block);
        assert.ok(file.length >= tiff.length);
        exifOfTiff(Buffer.from(block));
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  it('takes over opacity of another depth', async () => {
    const source = await read(await smooth(3, 8));
    const { width, height } = source.pixels;
    const alpha: AlphaPlane = { data: new Uint16Array(width * height).fill(30000), width, height };
    const { bytes } = await encodeResult(source.pixels, alpha, source.traits, { format: 'png', depth: 8 });
    assert.equal((await read(bytes)).alpha?.data[0], Math.round(30000 / 257));
  });
});
