import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { RestorationError } from '../../../src/protocol';
import { decodePicture, decodeSource } from '../../../src/restoration/image/decode';
import { toEightBits, toSixteenBits, type AnyPixels } from '../../../src/restoration/image/pixels';
import { pngWithMetadata } from '../../../src/restoration/image/png-chunks';
import { ADOBE_RGB, gammaCurve, greyProfile, rgbProfile } from './icc-profile';
import { tiffFile, type TiffPage } from './tiff-file';

const pictures = path.resolve(__dirname, '../../fixtures/pictures');
const card = path.join(pictures, 'card.png');

/** 16 bits a channel, red a fine ramp. */
function ramp(width = 64, height = 8): Uint16Array {
  const data = new Uint16Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set([20000 + 7 * i, 30000, 65535 - 11 * i], 3 * i);
  return data;
}

function raw(data: Uint8Array | Uint16Array, width: number, height: number): Sharp {
  const channels = (data.length / width / height) as 1 | 2 | 3 | 4;
  const deep = data instanceof Uint16Array;
  const space = channels < 3 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb';
  return sharp(data, { raw: { width, height, channels } }).toColourspace(space);
}

function meanDifference(a: AnyPixels, b: AnyPixels): number {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs((a.data[i] as number) - (b.data[i] as number));
  return sum / a.data.length;
}

async function assertRefused(file: string, code: string, message: RegExp): Promise<void> {
  await assert.rejects(decodeSource(file), (error: unknown) => {
    assert.ok(error instanceof RestorationError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

describe('reading pictures', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-decode-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function write(name: string, bytes: Uint8Array | Promise<Buffer>): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, await bytes);
    return file;
  }

  it('takes every format by its content, whatever its name', async () => {
    const original = (await decodePicture(card)).pixels;
    const source = sharp(card).removeAlpha();
    const encoded: [string, string, Promise<Buffer>, number][] = [
      ['png', 'a.jpg', source.clone().png().toBuffer(), 0],
      ['jpeg', 'b.png', source.clone().jpeg({ quality: 98, chromaSubsampling: '4:4:4' }).toBuffer(), 2],
      ['webp', 'c.tif', source.clone().webp({ lossless: true }).toBuffer(), 0],
      ['avif', 'd', source.clone().avif({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(), 3],
      ['tiff', 'e.svg', source.clone().tiff({ compression: 'lzw' }).toBuffer(), 0],
    ];
    for (const [format, name, bytes, tolerance] of encoded) {
      const { pixels, traits, notes, alpha } = await decodeSource(await write(name, bytes));
      assert.equal(traits.format, format);
      assert.equal(traits.depth, 8);
      assert.equal(traits.grey, false);
      assert.equal(alpha, undefined);
      assert.deepEqual(notes, []);
      assert.ok(meanDifference(pixels, original) <= tolerance, `${format}: ${meanDifference(pixels, original)}`);
    }
  });

  it('keeps all bits of 16, and rounds to 8 only where 8 are asked for', async () => {
    const data = ramp();
    for (const [name, bytes] of [
      ['deep.png', raw(data, 64, 8).png().toBuffer()],
      ['deep.tif', raw(data, 64, 8).tiff({ compression: 'deflate' }).toBuffer()],
    ] as const) {
      const file = await write(name, bytes);
      const { pixels, traits } = await decodeSource(file);
      assert.equal(traits.depth, 16);
      assert.deepEqual(pixels.data, data);
      const shallow = await decodePicture(file);
      assert.deepEqual(shallow.pixels.data, toEightBits(pixels).data);
      assert.match(shallow.notes.join(), /16 bits a channel were reduced to 8/);
    }
    assert.deepEqual([...toEightBits({ data: Uint16Array.of(0, 128, 129, 65407, 65406, 65535), width: 2, height: 1 }).data], [0, 0, 1, 255, 254, 255]); // prettier-ignore
    const bytes = { data: Uint8Array.from({ length: 258 }, (_, i) => i % 256), width: 86, height: 1 };
    assert.deepEqual(toEightBits(toSixteenBits(bytes)).data, bytes.data);
  });

  it('stretches the 10 bits of an AVIF to white', async () => {
    const { pixels, traits } = await decodeSource(path.join(pictures, 'ramp-10bit.avif'));
    assert.equal(traits.depth, 16);
    const row = Array.from({ length: 64 }, (_, x) => pixels.data[3 * x] as number);
    assert.equal(row[0], 0);
    assert.equal(row[63], 65535);
    row.forEach((value, x) => assert.ok(Math.abs(value - (x * 65535) / 63) < 200, `${x}: ${value}`));
    assert.ok(new Set(row.map((value) => value % 257)).size > 8, 'more than 8 bits');
  });

  it('turns every orientation upright', async () => {
    const { pixels: upright } = await decodePicture(card);
    /** Where pixel (x, y) of the upright picture stands in a file of each orientation (TIFF 6.0, Orientation). */
    const { width: w, height: h } = upright;
    const places: Record<number, (x: number, y: number) => [number, number]> = {
      1: (x, y) => [x, y],
      2: (x, y) => [w - 1 - x, y],
      3: (x, y) => [w - 1 - x, h - 1 - y],
      4: (x, y) => [x, h - 1 - y],
      5: (x, y) => [y, x],
      6: (x, y) => [y, w - 1 - x],
      7: (x, y) => [h - 1 - y, w - 1 - x],
      8: (x, y) => [h - 1 - y, x],
    };
    for (const [orientation, place] of Object.entries(places)) {
      const turned = Number(orientation) >= 5;
      const [storedWidth, storedHeight] = turned ? [h, w] : [w, h];
      const stored = new Uint8Array(upright.data.length);
      for (let y = 0; y < h; y++) {
        for (let x = 0; x < w; x++) {
          const [column, row] = place(x, y);
          const from = 3 * (y * w + x);
          stored.set(upright.data.subarray(from, from + 3), 3 * (row * storedWidth + column));
        }
      }
      const picture = raw(stored, storedWidth, storedHeight).withMetadata({ orientation: Number(orientation) });
      for (const [name, bytes] of [
        ['turned.png', picture.clone().png().toBuffer()],
        ['turned.tif', picture.clone().tiff({ compression: 'none' }).toBuffer()],
        ['turned.webp', picture.clone().webp({ lossless: true }).toBuffer()],
      ] as const) {
        const { pixels } = await decodeSource(await write(name, bytes));
        assert.deepEqual(pixels, upright, `orientation ${orientation} in ${name}`);
      }
    }
  });

  it('converts profiles to sRGB alike in 8 and 16 bits, and keeps them for the way back', async () => {
    const { pixels: original } = await decodePicture(card);
    const { width, height } = original;
    const profile = rgbProfile(ADOBE_RGB, gammaCurve(2.2));
    const plain = await sharp(card).removeAlpha().png().toBuffer();
    const shallow = await decodeSource(await write('adobe.png', pngWithMetadata(plain, { profile })));
    const expected = await sharp(pngWithMetadata(plain, { profile })).raw().toBuffer();
    const engine = { data: new Uint8Array(expected), width, height };
    assert.ok(meanDifference(shallow.pixels, engine) < 0.5);
    assert.ok(meanDifference(shallow.pixels, original) > 1, 'the conversion does something');
    assert.deepEqual(shallow.traits.profile?.bytes, profile);
    const deepPng = await raw(toSixteenBits(original).data, width, height).png().toBuffer();
    const deep = await decodeSource(await write('adobe16.png', pngWithMetadata(deepPng, { profile })));
    assert.equal(deep.traits.depth, 16);
    assert.ok(meanDifference(toEightBits(deep.pixels), shallow.pixels) < 0.1);
  });

  it('says when colours were clipped, and when a profile does not fit', async () => {
    const green = Buffer.from(Array.from({ length: 64 }, () => [0, 255, 0]).flat());
    const profile = rgbProfile(ADOBE_RGB, gammaCurve(2.2));
    const png = await raw(green, 8, 8).png().toBuffer();
    const { notes } = await decodeSource(await write('wide.png', pngWithMetadata(png, { profile })));
    assert.match(notes.join(), /100\.0 % of the pixels lie outside of sRGB/);
    const jpeg = await raw(green, 8, 8).jpeg().toBuffer();
    const grey = greyProfile(gammaCurve(1.8));
    const app2 = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), grey]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(app2.length + 2);
    const tagged = Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe2]), length, app2, jpeg.subarray(2)]);
    const odd = await decodeSource(await write('odd.jpg', tagged));
    assert.match(odd.notes.join(), /profile does not fit the picture/);
    assert.equal(odd.traits.profile, undefined);
  });

  it('replicates grey, with and without opacity, in both depths', async () => {
    for (const deep of [false, true]) {
      const maximum = deep ? 65535 : 255;
      const make = (values: number[]): Uint8Array | Uint16Array =>
        deep ? Uint16Array.from(values) : Uint8Array.from(values);
      const grey = make(Array.from({ length: 64 }, (_, i) => Math.round((i / 63) * maximum)));
      const { pixels, traits, alpha } = await decodeSource(await write('grey.png', raw(grey, 8, 8).png().toBuffer()));
      assert.deepEqual([traits.grey, traits.depth, alpha], [true, deep ? 16 : 8, undefined]);
      grey.forEach((value, i) => assert.deepEqual([...pixels.data.subarray(3 * i, 3 * i + 3)], [value, value, value]));
      const both = make([...grey].flatMap((value, i) => [value, i === 5 ? maximum : Math.round(maximum / 3)]));
      const veiled = await decodeSource(await write('veiled.png', raw(both, 8, 8).png().toBuffer()));
      assert.equal(veiled.traits.grey, true);
      assert.deepEqual(veiled.pixels, pixels);
      assert.equal(veiled.alpha?.data[5], maximum);
      assert.equal(veiled.alpha.data[6], Math.round(maximum / 3));
    }
  });

  it('keeps colour and opacity apart, fills what nobody sees, and lays on white where asked', async () => {
    // Left half red at three opacities, right half transparent with arbitrary colour.
    const data = new Uint8Array(16 * 8 * 4);
    for (let i = 0; i < 128; i++) {
      const [x, y] = [i % 16, Math.floor(i / 16)];
      data.set(x < 8 ? [200, 40, 20, [255, 128, 1][y % 3] as number] : [(i * 37) % 256, 255, (i * 91) % 256, 0], 4 * i);
    }
    const file = await write('alpha.png', raw(data, 16, 8).png().toBuffer());
    const { pixels, alpha, notes } = await decodeSource(file);
    assert.match(notes.join(), /transparent in parts/);
    for (let i = 0; i < 128; i++) {
      assert.deepEqual([...pixels.data.subarray(3 * i, 3 * i + 3)], [200, 40, 20], `pixel ${i}`);
      assert.equal(alpha?.data[i], data[4 * i + 3]);
    }
    const white = (await decodePicture(file)).pixels;
    assert.deepEqual([...white.data.subarray(0, 3)], [200, 40, 20]);
    assert.deepEqual([...white.data.subarray(3 * 16, 3 * 16 + 3)], [227, 147, 137]);
    assert.deepEqual([...white.data.subarray(3 * 15, 3 * 15 + 3)], [255, 255, 255]);
    assert.deepEqual((await decodePicture(file, { transparency: 'apart' })).pixels, pixels);
  });

  it('says nothing of opacity that is opaque, and survives a picture that is transparent everywhere', async () => {
    const opaque = Uint8Array.from({ length: 64 * 4 }, (_, i) => (i % 4 === 3 ? 255 : i % 256));
    const plain = await decodeSource(await write('opaque.png', raw(opaque, 8, 8).png().toBuffer()));
    assert.equal(plain.alpha, undefined);
    assert.deepEqual(plain.notes, []);
    const nothing = Uint8Array.from({ length: 64 * 4 }, (_, i) => (i % 4 === 3 ? 0 : i % 256));
    const empty = await decodeSource(await write('nothing.png', raw(nothing, 8, 8).png().toBuffer()));
    assert.ok(empty.pixels.data.every((value) => value === 0));
    assert.ok(empty.alpha?.data.every((value) => value === 0));
  });

  const page = (fields: Partial<TiffPage> = {}): TiffPage => ({
    width: 8,
    height: 8,
    channels: 3,
    bits: 8,
    data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => [120, 60, 30][i % 3] as number),
    photometric: 2,
    ...fields,
  });

  it('reads associated and unassociated opacity of TIFF as the same colour', async () => {
    const half = (colour: number[]): Partial<TiffPage> => ({
      channels: 4,
      data: Uint8Array.from(Array.from({ length: 64 }, () => [...colour, 128]).flat()),
    });
    const straight = await decodeSource(
      await write('straight.tif', tiffFile([page({ ...half([120, 60, 30]), fields: [[338, 2]] })])),
    );
    const multiplied = await decodeSource(
      await write('multiplied.tif', tiffFile([page({ ...half([60, 30, 15]), fields: [[338, 1]] })])),
    );
    assert.equal(straight.alpha?.data[0], 128);
    assert.equal(multiplied.alpha?.data[0], 128);
    assert.deepEqual([...straight.pixels.data.subarray(0, 3)], [120, 60, 30]);
    assert.ok(meanDifference(multiplied.pixels, straight.pixels) <= 1);
  });

  it('converts CMYK and says so', async () => {
    const cmyk = await sharp(card).removeAlpha().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    assert.equal((await sharp(cmyk).metadata()).space, 'cmyk');
    const { pixels, traits, notes } = await decodeSource(await write('cmyk.jpg', cmyk));
    assert.match(notes.join(), /CMYK was converted to sRGB/);
    assert.equal(traits.profile, undefined);
    assert.ok(meanDifference(pixels, (await decodePicture(card)).pixels) < 25);
  });

  it('reads the first frame or page only, and says so', async () => {
    const webp = await sharp(Buffer.concat([Buffer.alloc(192, 200), Buffer.alloc(192, 10)]), {
      raw: { width: 8, height: 16, channels: 3, pageHeight: 8 },
    })
      .webp({ lossless: true, loop: 0, delay: [100, 100] })
      .toBuffer();
    const second = page({ data: new Uint8Array(192).fill(9) });
    const plain = await sharp(card).png().toBuffer();
    const control = Buffer.from('\0\0\0\x08acTL\0\0\0\x03\0\0\0\0', 'latin1');
    const animated = Buffer.concat([plain.subarray(0, 33), control, Buffer.from([0x84, 0x7c, 0xb1, 0xf2]), plain.subarray(33)]); // prettier-ignore
    const cases: [string, Buffer, RegExp, number[] | undefined][] = [
      ['animated.webp', webp, /only the first of 2 frames/, [200, 200, 200]],
      ['pages.tif', tiffFile([page(), second, second]), /only the first of 3 pages/, [120, 60, 30]],
      ['animated.png', animated, /only the first of 3 frames/, undefined],
    ];
    for (const [name, bytes, note, colour] of cases) {
      const { pixels, notes } = await decodeSource(await write(name, bytes));
      assert.match(notes.join(), note, name);
      if (colour) assert.deepEqual([...pixels.data.subarray(0, 3)], colour, name);
    }
    const avif = await decodeSource(path.join(pictures, 'two-frames.avif'));
    assert.match(avif.notes.join(), /only the first frame was read/);
    assert.deepEqual([avif.pixels.width, avif.pixels.height], [24, 16]);
    const [red, , blue] = avif.pixels.data as Uint8Array;
    assert.ok((red as number) > 180 && (blue as number) < 60, 'the first frame is red');
  });

  it('refuses what it does not take, naming it', async () => {
    const text = (content: string): Buffer => Buffer.from(content, 'latin1');
    const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
    const cases: [string, Buffer, RegExp][] = [
      ['svg', text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'), /holds SVG data/],
      ['bare-svg', text('  <svg width="9" height="9"></svg>'), /holds SVG data/],
      ['gif', gif, /holds GIF data; PNG, JPEG, WebP, AVIF or TIFF was expected/],
      ['pdf', text('%PDF-1.7\n'), /holds PDF data/],
      ['bmp', text('BM\0\0\0\0'), /holds BMP data/],
      ['psd', text('8BPS\0\x01'), /holds Photoshop data/],
      ['jxl', text('\xff\x0a\0\0'), /holds JPEG XL data/],
      ['heic', text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), /holds HEIC data/],
      ['mp4', text('\0\0\0\x18ftypisom\0\0\0\0isommp42'), /holds video data/],
      ['cr3', text('\0\0\0\x18ftypcrx \0\0\0\0crx isom'), /holds camera raw data/],
      ['raf', text('FUJIFILMCCD-RAW 0201'), /holds camera raw data/],
      ['dng', tiffFile([page({ fields: [[50706, 1]] })]), /holds camera raw data; .*Develop it/],
      ['cfa', tiffFile([page({ channels: 1, data: new Uint8Array(64), photometric: 32803 })]), /holds camera raw data/],
      ['nef', tiffFile([page({ fields: [[254, 1]] })]), /holds camera raw data/],
      ['text', text('hello'), /is not a picture that can be read/],
      ['html', text('<!DOCTYPE html><html><body><svg></svg></body></html>'), /is not a picture/],
      ['one-byte', text('\x89'), /is not a picture/],
      [
        'float',
        tiffFile([page({ channels: 1, bits: 16, data: new Uint16Array(64), photometric: 1, sampleFormat: 2 })]),
        /has samples of type short; 8 or 16 bits without a sign/,
      ],
      [
        'five',
        tiffFile([page({ channels: 5, data: new Uint8Array(320), fields: [[338, 0]] })]),
        /has 5 channels|could not be decoded/,
      ],
    ];
    for (const [name, bytes, message] of cases) {
      await assertRefused(await write(`${name}.png`, bytes), 'unreadable-picture', message);
    }
  });

  it('refuses files cut short, in every format', async () => {
    const source = sharp(path.join(pictures, 'patch.png')).removeAlpha();
    const whole: [string, Buffer][] = [
      ['PNG', await source.clone().png().toBuffer()],
      ['JPEG', await source.clone().jpeg().toBuffer()],
      ['WebP', await source.clone().webp().toBuffer()],
      ['AVIF', await source.clone().avif().toBuffer()],
      ['TIFF', await source.clone().tiff({ compression: 'lzw' }).toBuffer()],
    ];
    for (const [name, bytes] of whole) {
      for (const share of [0.3, 0.7]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        await assertRefused(
          await write(`cut.${name}`, cut),
          'unreadable-picture',
          new RegExp(`could not be decoded as ${name}: .*damaged or incomplete`, 's'),
        );
      }
    }
  });

  it('sees that a picture is too large before it decodes anything', async () => {
    const tiff = tiffFile([page({ width: 60_000, height: 50_000 })]);
    const message = /60000x50000 = 3000 megapixels; at most 100/;
    await assertRefused(await write('bomb.tif', tiff), 'picture-too-large', message);
    const jpeg = await sharp(card).removeAlpha().jpeg({ progressive: false }).toBuffer();
    // The frame header says how many lines and columns there are.
    const header = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(50_000, header + 5);
    jpeg.writeUInt16BE(60_000, header + 7);
    await assertRefused(await write('bomb.jpg', jpeg), 'picture-too-large', message);
  });

  it('refuses folders, nothing and what is no file', async () => {
    await assertRefused(folder, 'missing-file', /is a folder/);
    await assertRefused(path.join(folder, 'absent.png'), 'missing-file', /There is no file/);
    await assertRefused(await write('empty.png', Buffer.alloc(0)), 'unreadable-picture', /is empty/);
    if (process.platform !== 'win32') await assertRefused('/dev/zero', 'unreadable-picture', /is a device or a pipe/);
  });

  it('answers any bytes with pixels or a RestorationError', async function () {
    this.timeout(120_000);
    const seeds = await Promise.all([
      readFile(card),
      sharp(card).removeAlpha().resize(24, 16).jpeg().withXmp('<x/>').toBuffer(),
      sharp(card).resize(24, 16).webp().toBuffer(),
      readFile(path.join(pictures, 'two-frames.avif')),
      sharp(card).resize(24, 16).tiff({ compression: 'lzw' }).withMetadata({ orientation: 6 }).toBuffer(),
      Promise.resolve(tiffFile([page(), page({ fields: [[254, 2]] })])),
    ]);
    const mutated = fc
      .record({
        seed: fc.constantFrom(...seeds),
        changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
        // Headers are where lies do harm.
        early: fc.boolean(),
        length: fc.option(fc.nat()),
      })
      .map(({ seed, changes, early, length }) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at % (early ? Math.min(200, bytes.length) : bytes.length)] = value;
        return length === null ? bytes : bytes.subarray(0, length % (bytes.length + 1));
      });
    const file = path.join(folder, 'fuzz');
    await fc.assert(
      fc.asyncProperty(fc.oneof({ arbitrary: mutated, weight: 5 }, { arbitrary: fc.uint8Array(), weight: 1 }), async (bytes) => {
        await writeFile(file, bytes);
        try {
          const { pixels, alpha } = await decodeSource(file);
          assert.equal(pixels.data.length, 3 * pixels.width * pixels.height);
          if (alpha) assert.equal(alpha.data.length, pixels.width * pixels.height);
        } catch (error) {
          assert.ok(error instanceof RestorationError, String(error));
          assert.notEqual(error.code, 'internal');
        }
      }), // prettier-ignore
      { numRuns: 400, seed: 11 },
    );
    // The process is as good as before.
    await copyFile(card, file);
    assert.equal((await decodeSource(file)).pixels.width, 64);
  });
});
