"""
Makes the pictures in notebooks/pictures (what a user starts from), in notebooks/clean (what notebooks degrade themselves)
and in test/fixtures/pictures (what the tests run on).

    python models/recipes/pictures/make_pictures.py
    python models/recipes/pictures/make_pictures.py --out FOLDER        # the same folders under FOLDER, to compare

Sources are three photographs that scikit-image's wheel carries, all free of copyright restrictions, a rendered card and
a rendered shelf; the README.md beside the pictures names them. Every degradation follows the project's own paths at
severity 1: a coarser sampling, a longer exposure, a lower exposure level. The fixtures add what makes a metric or a
decoder stumble: odd sizes, grey, 16 bit, alpha, a turned JPEG. Random numbers come from fixed seeds.
"""

import argparse
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

import bicubic

ROOT = Path(__file__).resolve().parents[3]
PHOTOGRAPHS = Path(skimage.__file__).parent / "data"


def photograph(name):
    return np.asarray(Image.open(PHOTOGRAPHS / name).convert("RGB"))


def crop(picture, left, top, width, height):
    return picture[top : top + height, left : left + width]


def to8(picture):
    return np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)


# Degradations


def shake(picture, length, seed, frames=33, margin=16):
    """Averaged-video blur: the mean, in sRGB values, of the picture seen along a hand's path during one exposure.

    The path is a curve `length` pixels from end to end whose middle is the picture itself, so that the sharp picture is
    aligned with its blur. Each sub-frame is a homography: a translation, a small turn about the centre and a little
    perspective. `margin` pixels are cut off all around, where the camera would have seen beyond the photograph.
    """
    random = np.random.default_rng(seed)
    heading, bend, turn = random.uniform(0, np.pi), random.uniform(0.6, 1.0), random.uniform(0.004, 0.008)
    tilt = random.uniform(-1, 1, 2) * 2e-6
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    x, y = columns - (width - 1) / 2, rows - (height - 1) / 2
    planes = np.moveaxis(picture, 2, 0).astype(np.float64)
    total = np.zeros(picture.shape)
    for time in np.linspace(-0.5, 0.5, frames):
        along, across = time, bend * (time**2 - time**3)  # a hook rather than a line
        dx = length * (along * np.cos(heading) - across * np.sin(heading))
        dy = length * (along * np.sin(heading) + across * np.cos(heading))
        angle, (px, py) = turn * time, tilt * time * length
        w = 1 + px * x + py * y
        xs = (np.cos(angle) * x - np.sin(angle) * y + dx) / w + (width - 1) / 2
        ys = (np.sin(angle) * x + np.cos(angle) * y + dy) / w + (height - 1) / 2
        for channel in range(3):
            seen = ndimage.map_coordinates(planes[channel], [ys, xs], order=3, mode="mirror")
            total[..., channel] += seen.clip(0, 255)
    inside = slice(margin, height - margin), slice(margin, width - margin)
    return to8(total[inside] / frames), picture[inside]


def darken(picture, gain, seed, shot=2e-4, read=4e-4):
    """The same scene at `gain` times the light: shot noise and read noise of that exposure, then 8 bits."""
    random = np.random.default_rng(seed)
    light = to_linear(picture / 255) * gain
    noise = random.standard_normal(picture.shape) * np.sqrt(shot * light + read**2)
    return to8(255 * to_srgb(np.clip(light + noise, 0, 1)))


def to_linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear):
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def noisy(picture, sigma, seed):
    return to8(picture + np.random.default_rng(seed).standard_normal(picture.shape) * sigma)


def compressed(picture, quality):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(stream))


# Rendered


def card(width=64, height=48):
    """A colour gradient with letters, lines and dots: 64x48, every corner different."""
    rows, columns = np.mgrid[:height, :width]
    across, down = columns / (width - 1), rows / (height - 1)
    picture = Image.fromarray(to8(np.stack([40 + 190 * across, 40 + 190 * down, 230 - 170 * across], -1)))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default_imagefont()
    pen.text((4, 3), "Sharp", fill=(255, 255, 255), font=font)
    pen.text((20, 18), "9 of 9", fill=(10, 10, 30), font=font)
    for step in range(5):
        pen.line([(4 + 6 * step, height - 4), (10 + 6 * step, height - 16)], fill=(255, 230, 60))
    pen.rectangle([width - 14, height - 14, width - 4, height - 4], outline=(255, 255, 255), fill=(200, 30, 40))
    return np.asarray(picture)


def shelf(width=256, height=192, seed=4):
    """Books, signs and a window, drawn four times as large and averaged: sharp edges, fine lines and small letters."""
    random = np.random.default_rng(seed)
    zoom = 4
    picture = Image.new("RGB", (zoom * width, zoom * height), (214, 203, 184))
    pen = ImageDraw.Draw(picture)

    def box(left, top, right, bottom, fill, **more):
        pen.rectangle([round(zoom * side) for side in (left, top, right, bottom)], fill=fill, **more)

    def text(left, top, words, fill, size):
        # Pillow's built-in bitmap letters, enlarged: the same with every installation.
        font = ImageFont.load_default_imagefont()
        stencil = Image.new("L", (6 * len(words), 11))
        ImageDraw.Draw(stencil).text((0, 0), words, fill=255, font=font)
        stencil = stencil.resize((stencil.width * size, stencil.height * size), Image.NEAREST)
        picture.paste(Image.new("RGB", stencil.size, fill), (zoom * left, zoom * top), stencil)

    box(0, 92, width, 98, (112, 78, 46))
    box(0, 180, width, height, (96, 66, 40))
    left = 6.0
    while left < 150:
        thick, tall = random.uniform(7, 15), random.uniform(54, 80)
        colour = tuple(int(value) for value in random.integers(30, 220, 3))
        box(left, 92 - tall, left + thick, 91, colour)
        for line in (0.15, 0.22, 0.8):
            box(left, 92 - tall * (1 - line), left + thick, 92 - tall * (1 - line) + 1.2, tuple(255 - value // 2 for value in colour))
        left += thick + random.uniform(0.6, 2)
    box(166, 14, 248, 80, (242, 238, 226), outline=(60, 50, 40), width=2 * zoom)
    for row, (words, size) in enumerate((("RESTORE", 6), ("nine frames", 4), ("from blur to sharp", 2), ("and 0123456789 again", 2))):
        text(171, 18 + 15 * row, words, (24, 28, 44), size)
    for column in range(24):  # bars from wide to narrow
        box(8 + 4.9 * column + 0.02 * column**2, 110, 8 + 4.9 * column + 0.02 * column**2 + max(0.6, 2.6 - 0.09 * column), 172, (32, 36, 42))
    for ring in range(9, 0, -1):
        shade = (236, 232, 222) if ring % 2 else (150, 40, 36)
        x, y, radius = zoom * 168, zoom * 142, zoom * 3.6 * ring
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=shade)
    for step in range(8):
        shade = 20 + 30 * step
        box(212, 108 + 8 * step, 248, 116 + 8 * step, (shade, shade, min(255, shade + 12)))
    return to8(np.asarray(picture, np.float64).reshape(height, zoom, width, zoom, 3).mean((1, 3)))


def sixteen_bit_ramp(width=64, height=48):
    """Red runs through 64 x 48 neighbouring values of 16 bits, which 8 bits would merge; green and blue are coarse."""
    count = np.arange(width * height).reshape(height, width)
    row, column = np.divmod(count, width)
    return np.stack([20000 + count, 65535 * column // (width - 1), 65535 * row // (height - 1)], -1).astype(">u2")


def png16(picture):
    """A PNG file of 16 bits a channel, which Pillow does not write: header, one block of unfiltered rows, end."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = picture.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def turned_jpeg(picture, quality=95):
    """A JPEG stored on its side: its EXIF orientation, 6, asks for a quarter turn clockwise to show `picture`."""
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(picture)))
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    stored.save(stream, "JPEG", quality=quality, subsampling="4:4:4", exif=exif)
    return stream.getvalue()


def with_alpha(picture):
    """A disc of the picture on nothing: opaque inside, transparent outside, an edge between."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(rows - (height - 1) / 2, columns - (width - 1) / 2)
    return np.dstack([picture, to8(255 * np.clip(height / 2 - distance, 0, 1))])


# The folders


def notebook_pictures():
    coffee = crop(photograph("coffee.png"), 0, 8, 512, 384)
    yield "coffee.png", coffee
    yield "coffee-small.png", bicubic.shrink(coffee, 4)

    blurred, sharp = shake(crop(photograph("chelsea.png"), 0, 0, 448, 300), length=12, seed=3, margin=14)
    yield "cat.png", sharp
    yield "cat-blurred.png", blurred

    astronaut = crop(photograph("astronaut.png"), 0, 0, 480, 320)
    yield "astronaut.png", astronaut
    yield "astronaut-dark.png", darken(astronaut, gain=0.025, seed=5)


def clean_pictures():
    """A handful of small sharp pictures for the notebooks that degrade their pictures themselves: 256x192."""
    yield "astronaut.png", bicubic.shrink(crop(photograph("astronaut.png"), 0, 0, 512, 384), 2)
    yield "cat.png", crop(photograph("chelsea.png"), 90, 40, 256, 192)
    yield "coffee.png", bicubic.shrink(crop(photograph("coffee.png"), 40, 8, 512, 384), 2)
    yield "shelf.png", shelf()


def fixture_pictures():
    tiny = card()
    yield "card.png", tiny
    yield "card-small.png", bicubic.shrink(tiny, 4)
    yield "card-blurred.png", shake(np.pad(tiny, ((8, 8), (8, 8), (0, 0)), "symmetric"), length=5, seed=1, margin=8)[0]
    yield "card-dark.png", darken(tiny, gain=0.03, seed=2)
    yield "card-turned.jpg", turned_jpeg(tiny)
    yield "card-alpha.png", with_alpha(tiny)
    yield "ramp-16bit.png", png16(sixteen_bit_ramp())

    grey = np.asarray(Image.fromarray(crop(photograph("coffee.png"), 300, 230, 96, 80)).convert("L"))
    yield "spoon-grey.png", grey
    yield "spoon-grey-noisy.png", noisy(grey, 12, seed=6)

    # 67x41 is odd in both directions: cropping, tiling and pooling all meet a remainder.
    eye = crop(photograph("chelsea.png"), 130, 80, 67, 41)
    yield "eye.png", eye
    yield "eye-noisy.png", noisy(eye, 20, seed=7)
    yield "eye-jpeg.png", compressed(eye, 15)
    yield "eye-shifted.png", crop(photograph("chelsea.png"), 131, 82, 67, 41)

    patch = crop(photograph("astronaut.png"), 120, 340, 128, 112)
    yield "patch.png", patch
    yield "patch-noisy.png", noisy(patch, 8, seed=8)
    yield "patch-jpeg.png", compressed(patch, 30)
    yield "patch-shifted.png", crop(photograph("astronaut.png"), 121, 340, 128, 112)
    yield "patch-dark.png", darken(patch, gain=0.1, seed=9)
    yield "patch-other.png", crop(photograph("coffee.png"), 90, 20, 128, 112)

    # 101x75 leaves a remainder when it is cut to a multiple of four.
    rim = crop(photograph("coffee.png"), 170, 10, 101, 75)
    yield "rim.png", rim
    yield "rim-multiple.png", rim[:72, :100]
    yield "rim-down4.png", bicubic.shrink(rim, 4)
    yield "rim-down4-up4.png", bicubic.enlarge(bicubic.shrink(rim, 4), 4)
    yield "rim-down3.png", bicubic.shrink(rim, 3)
    # By 2.5, both sides rounded up: the factors of the two axes then differ a little.
    yield "rim-down2-5.png", bicubic.resize(rim, 30, 41)

    # The whole enlarged picture of the first notebook pair: super-resolution's usual starting point.
    coffee = crop(photograph("coffee.png"), 0, 8, 512, 384)
    yield "coffee-bicubic.png", bicubic.enlarge(bicubic.shrink(coffee, 4), 4)

    # The smallest sides on which LPIPS is defined.
    least = crop(photograph("chelsea.png"), 150, 60, 32, 35)
    yield "least.png", least
    yield "least-noisy.png", noisy(least, 30, seed=10)


def write(folder, pictures):
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures:
        if isinstance(picture, bytes):
            (folder / name).write_bytes(picture)
        else:
            Image.fromarray(picture).save(folder / name, optimize=True)
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {total} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT)
    out = parser.parse_args().out
    write(out / "notebooks/pictures", notebook_pictures())
    write(out / "notebooks/clean", clean_pictures())
    write(out / "test/fixtures/pictures", fixture_pictures())


if __name__ == "__main__":
    main()
