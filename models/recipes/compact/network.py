"""The trajectory network of one task: a trunk that runs once a picture and a light head that runs once a frame.

A library file (nothing to launch).

    trunk(image, thumbnail, prompt) -> features at a quarter of the resolution
    head(image, features, prompt, severity) -> frame = image * exp((1-s) g) + (1-s) d

so that severity 1 gives the picture back exactly, and any severity may be asked for. Plain 3x3 convolutions throughout: on a CPU nothing else gives as much
for the same time. What depends on the whole picture comes from the thumbnail alone, so tiles of one picture agree.
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F


def conv(inside, outside, stride=1):
    return nn.Conv2d(inside, outside, 3, stride, 1)


def bend(x):
    """Leaky on purpose: without normalisation, plain ReLUs died at the usual learning rates (a first run lost its whole head that way)."""
    return F.leaky_relu(x, 0.1)


def gate(x):
    """A factor between 1/2 and 3/2. Free factors went to zero for the tasks that learn slowly, and no gradient came through any more."""
    return 1 + 0.5 * torch.tanh(x)


def cosines(direct, detail):
    """The 16 cosine patterns of a 4x4 block as rows, the flat one scaled by `direct`, the others (unit energy a pixel) by `detail`."""
    n = torch.arange(4.0)
    wave = torch.cos(torch.pi * (n[None] + 0.5) * n[:, None] / 4) * torch.where(n[:, None] == 0, 1.0, 2**0.5)
    patterns = torch.einsum("ai,bj->abij", wave, wave).reshape(16, 16) * detail
    patterns[0] *= direct / detail
    return patterns


class PatternConv(nn.Conv2d):
    """3x3 convolution between pixel-unshuffled planes and features whose weights live in the cosine domain on the pixel side.

    The 16 pixels of a block are nearly equal, so their common brightness drowns what tells them apart, and a training step that moves it makes the
    fine corrections of super-resolution worthless. With patterns, brightness and detail have weights, and step sizes, of their own. `merge` gives the same
    layer as a plain convolution on pixels, for the export; `split` is its inverse.
    """

    def __init__(self, inside, outside, planes, pixels_in, direct, detail):
        super().__init__(inside, outside, 3, 1, 1)
        self.planes, self.pixels_in, self.merged = planes, pixels_in, False
        patterns = cosines(direct, detail)
        self.register_buffer("patterns", patterns, persistent=False)
        # Rows are orthogonal, so the inverse is the transpose over the squared lengths.
        self.register_buffer("inverse", patterns / patterns.square().sum(1, keepdim=True), persistent=False)

    def change(self, weight, bias, patterns):
        used = 16 * self.planes
        if self.pixels_in:  # further input channels (after the planes) stay as they are
            o, i = weight.shape[:2]
            mixed = torch.einsum("opkxy,kq->opqxy", weight[:, :used].reshape(o, self.planes, 16, 3, 3), patterns).reshape(o, used, 3, 3)
            return torch.cat([mixed, weight[:, used:]], 1), bias
        i = weight.shape[1]
        mixed = torch.einsum("pkixy,kq->pqixy", weight.reshape(self.planes, 16, i, 3, 3), patterns).reshape(used, i, 3, 3)
        return mixed, torch.einsum("pk,kq->pq", bias.reshape(self.planes, 16), patterns).reshape(used)

    def forward(self, x):
        weight, bias = (self.weight, self.bias) if self.merged else self.change(self.weight, self.bias, self.patterns)
        return F.conv2d(x, weight, bias, 1, 1)

    @torch.no_grad()
    def merge(self):
        weight, bias = self.change(self.weight, self.bias, self.patterns)
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        self.merged = True

    @torch.no_grad()
    def split(self):
        weight, bias = self.change(self.weight, self.bias, self.inverse.t())
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        self.merged = False


def waves(steps, band=None):
    """Cosines and sines of an n x n transform, (4 * band * band, 1, n, n), cosines first: rows -band .. band - 1, columns 0 .. band - 1. A band of n/2, unless given, is half of the spectrum: all of a real picture's."""
    n = len(steps)
    band = band or n // 2
    place = steps / n
    rows, columns = (steps - n // 2)[n // 2 - band : n // 2 + band, None, None, None], steps[:band][None, :, None, None]
    phase = 2 * torch.pi * (rows * place[:, None] + columns * place[None, :]).reshape(-1, 1, n, n)
    return torch.cat([torch.cos(phase), torch.sin(phase)])


def taper(steps):
    """A raised cosine over a window; copies that overlap by half add up to one."""
    window = 0.5 - 0.5 * torch.cos(2 * torch.pi * (steps + 0.5) / len(steps))
    return window[:, None] * window[None]


class Spectra(nn.Module):
    """What the power spectra around each place say about the blur there: a code at 1/16 of the resolution.

    A streak multiplies the spectrum with its own, and its dark lines stand across its direction at distances that tell its length. A network
    of 3x3 convolutions has to discover that; given the logarithms of local spectra (32x32 windows every 16 pixels, averaged over 5x5 of them), it learned to
    deblur from a quarter fewer steps. The transform is a convolution with waves computed in the graph, so it costs no weights.
    """

    def __init__(self, width=64, window=32):
        super().__init__()
        self.window = window
        self.mix = nn.Conv2d(window * window // 2, 2 * width, 1)
        self.code = nn.Conv2d(2 * width, width, 1)
        self.register_buffer("steps", torch.arange(float(window)))  # kept with the weights: what is not, the exporter would turn into four megabytes of waves

    def forward(self, image):
        luma = F.pad(image.mean(1, keepdim=True), (8, 8, 8, 8), mode="reflect")
        real, imaginary = F.conv2d(luma, waves(self.steps) * taper(self.steps), stride=16).chunk(2, 1)
        power = F.avg_pool2d(F.pad(real * real + imaginary * imaginary, (2, 2, 2, 2), mode="replicate"), 5, 1)
        level = torch.log(power + 1e-4)
        return self.code(bend(self.mix((level - level.mean(1, keepdim=True)) / 2)))


class Windows:
    """Overlapping windows of a picture and their spectra, by fast transforms: (batch, frequencies, rows, columns) of cosines and of sines, the same as convolutions with `waves` (which is what is exported)."""

    def __init__(self, steps, stride, band):
        self.n, self.stride, self.band, self.taper = len(steps), stride, band, taper(steps)

    def spectrum(self, padded):
        windows = padded[:, 0].unfold(1, self.n, self.stride).unfold(2, self.n, self.stride)
        full = torch.fft.rfft2(windows * self.taper)[..., : self.band]
        kept = torch.cat([full[..., -self.band :, :], full[..., : self.band, :]], -2).flatten(3).permute(0, 3, 1, 2)
        return kept.real, -kept.imag

    def picture(self, cosines, sines):
        """Spectra back to windows, and their sum."""
        n, band = self.n, self.band
        kept = torch.complex(cosines, -sines).permute(0, 2, 3, 1).unflatten(3, (2 * band, band))
        rows = torch.cat([kept[..., band:, :], kept.new_zeros(*kept.shape[:3], n - 2 * band, band), kept[..., :band, :]], -2)
        windows = torch.fft.irfft2(F.pad(rows, (0, n // 2 + 1 - band)), s=(n, n))
        size = [(count - 1) * self.stride + n for count in windows.shape[1:3]]
        return F.fold(windows.flatten(3).flatten(1, 2).transpose(1, 2), size, n, stride=self.stride)


class Inverse(nn.Module):
    """A linear inverse filter for each place: windows of the brightness are transformed, every frequency is multiplied, and what changed is added up again.

    A streak multiplies every frequency by a number that is known once its path is known; a Wiener filter multiplies by what is left of them. The network reads the path from
    the logarithms of the spectra around, of the picture and of its half (windows of 32 pixels, averaged over 5x5), and says the 1,024 real factors itself. Real factors
    mean symmetric kernels, so nothing moves. A stack of 3x3 convolutions needed an hour for what this learns of short streaks in two minutes.

    The dark lines of a streak of 30 pixels are 1/30 cycles a pixel apart, and a window of 64 cannot tell them from each other. A third scale, a quarter of the picture, has
    windows of 128 pixels and looks at the lower frequencies only; with it, what the spectra say is compared with what they say around.
    """

    def __init__(self, width=128, scales=2, window=32):
        super().__init__()
        self.bands = [window // 2 if scale < 2 else 3 * window // 8 for scale in range(scales)]
        frequencies = [2 * band * band for band in self.bands]
        self.mix = nn.ModuleList(nn.Conv2d(count, width, 1) for count in frequencies)
        self.hidden = nn.Conv2d(width, width, 1)
        self.around = nn.Conv2d(width, width, 1, bias=False) if scales > 2 else None
        self.factors = nn.ModuleList(nn.Conv2d(width, count, 1) for count in frequencies)
        # Filters of nothing at first; and a third scale leaves a network that was trained with two as it is.
        for layer in (*self.factors, *self.mix[2:], *([self.around] if scales > 2 else [])):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)
        self.register_buffer("steps", torch.arange(float(window)))
        self.exported = False  # then transforms are convolutions, as ONNX has no fast ones that every device runs

    def forward(self, image):
        """What has to be added to the brightness, (batch, 1, height, width)."""
        n = len(self.steps)
        luma, x, spectra = image.mean(1, keepdim=True), 0.0, []
        for scale, (mix, band) in enumerate(zip(self.mix, self.bands)):
            stride = n >> (scale + 1)  # one window every 16 pixels of the picture at every scale
            picture = F.pad(F.avg_pool2d(luma, 1 << scale) if scale else luma, (n // 2,) * 4, mode="replicate")
            if self.exported:
                real, imaginary = F.conv2d(picture, waves(self.steps, band) * taper(self.steps), stride=stride).chunk(2, 1)
            else:
                real, imaginary = Windows(self.steps, stride, band).spectrum(picture)
            power = F.avg_pool2d(F.pad(real * real + imaginary * imaginary, (2, 2, 2, 2), mode="replicate"), 5, 1)
            level = torch.log(power + 1e-4)
            x = x + mix((level - level.mean(1, keepdim=True)) / 2)
            spectra.append((real, imaginary))
        x = bend(x)
        y = self.hidden(x)
        if self.around is not None:
            y = y + self.around(F.avg_pool2d(F.pad(x, (4, 4, 4, 4), mode="replicate"), 9, 1))
        y = bend(y)
        change = 0.0
        for scale, ((real, imaginary), layer, band) in enumerate(zip(spectra, self.factors, self.bands)):
            stride, share, factor = n >> (scale + 1), 0.25**scale, layer(y)  # windows of the half overlap four times as often, and so on
            if self.exported:
                # Both halves of the spectrum of a real picture; the first column has no twin.
                twice = torch.where(self.steps[:band] > 0, 2.0, 1.0) / n**2
                back = waves(self.steps, band) * torch.cat([twice] * (4 * band))[:, None, None, None]
                added = F.conv_transpose2d(torch.cat([real * factor, imaginary * factor], 1), back * share, stride=stride)
            else:
                added = Windows(self.steps, stride, band).picture(real * factor, imaginary * factor) * share
            added = added[:, :, n // 2 : -(n // 2), n // 2 : -(n // 2)]
            change = change + (F.interpolate(added, scale_factor=float(1 << scale), mode="bilinear", align_corners=False) if scale else added)
        return change


class Block(nn.Module):
    """Residual block whose inside is scaled and shifted, channel by channel, by the prompt and the descriptor, and place by place by the spectra where there are any."""

    def __init__(self, width, condition, spectra=0, shrink=1):
        super().__init__()
        self.modulation = nn.Linear(condition, 2 * width)
        self.local_modulation = nn.Conv2d(spectra, 2 * width, 1) if spectra else None
        self.enlarge = 16 // shrink  # from the grid of the spectra to that of this block
        self.first = conv(width, width)
        self.second = conv(width, width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        with torch.no_grad():
            self.second.weight.mul_(0.2)  # a deep stack starts near the identity
            self.second.bias.zero_()

        if spectra:
            nn.init.zeros_(self.local_modulation.weight)
            nn.init.zeros_(self.local_modulation.bias)

    def forward(self, x, condition, code=None):
        both = self.modulation(condition)[:, :, None, None]
        if self.local_modulation is not None:
            local = self.local_modulation(code)
            both = both + (F.interpolate(local, scale_factor=float(self.enlarge), mode="nearest") if self.enlarge > 1 else local)
        scale, shift = both.chunk(2, 1)
        return x + self.second(bend(self.first(x) * gate(scale) + shift))


class Stage(nn.Module):
    def __init__(self, width, condition, blocks, spectra=0, shrink=1):
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, condition, spectra, shrink) for _ in range(blocks))

    def forward(self, x, condition, code=None):
        for block in self.blocks:
            x = block(x, condition, code)
        return x


class Descriptor(nn.Module):
    """What the thumbnail says about the whole picture: its light, its colours, how much fine structure it has."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            conv(6, 24, 2), nn.LeakyReLU(0.1), conv(24, 32, 2), nn.LeakyReLU(0.1), conv(32, 48, 2), nn.LeakyReLU(0.1), conv(48, 64, 2), nn.LeakyReLU(0.1), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(64, width)
        )

    def forward(self, thumbnail):
        # The square root twice spreads the dark levels, where an underexposed picture keeps everything.
        return self.layers(torch.cat([thumbnail, (thumbnail.clamp(min=0) + 1e-4).sqrt().sqrt()], 1) - 0.5)


class Trunk(nn.Module):
    """A U-Net on 1/4, 1/8, 1/16 ... of the resolution: as many levels as there are widths. With one width it is a plain residual network at 1/4."""

    def __init__(self, widths=(64, 96, 144), encoder_blocks=(1, 2), middle_blocks=5, decoder_blocks=(3, 3), descriptor=32, prompt=32, spectra=0, inverse=0, inverse_scales=2):
        super().__init__()
        inner = 64
        self.descriptor = Descriptor(descriptor)
        self.spectra = Spectra(spectra) if spectra else None
        self.condition = nn.Sequential(nn.Linear(prompt + descriptor, inner), nn.LeakyReLU(0.1), nn.Linear(inner, inner), nn.LeakyReLU(0.1))
        self.inverse = Inverse(inverse, inverse_scales) if inverse else None
        self.trust = conv(widths[0], 1) if inverse else None
        if inverse:
            nn.init.zeros_(self.trust.weight)
            nn.init.zeros_(self.trust.bias)
        self.stem = PatternConv(51 + (16 if inverse else 0), widths[0], planes=3, pixels_in=True, direct=1 / 16, detail=1 / 4)
        steps = list(zip(widths, widths[1:]))
        self.encode = nn.ModuleList(Stage(wide, inner, blocks, spectra, 4 << level) for level, ((wide, _), blocks) in enumerate(zip(steps, encoder_blocks)))
        self.down = nn.ModuleList(conv(wide, deep, 2) for wide, deep in steps)
        self.middle = Stage(widths[-1], inner, middle_blocks, spectra, 4 << len(steps))
        self.up = nn.ModuleList(nn.Conv2d(deep, 4 * wide, 1) for wide, deep in steps)
        self.decode = nn.ModuleList(Stage(wide, inner, blocks, spectra, 4 << level) for level, ((wide, _), blocks) in enumerate(zip(steps, decoder_blocks)))
        self.last = conv(widths[0], widths[0])

    def forward(self, image, thumbnail, prompt, change=None):
        # A dark picture is lifted first, so that its structure is as large as any other's; its own brightness follows at low resolution.
        light = thumbnail.mean((1, 2, 3), keepdim=True)
        lifted = (image * (0.25 / (light + 0.005)).clamp(min=1.0)).clamp(max=2.0)
        condition = self.condition(torch.cat([prompt, self.descriptor(thumbnail)], 1))
        code = self.spectra(lifted) if self.spectra is not None else None
        planes = [F.pixel_unshuffle(lifted - 0.45, 4), F.avg_pool2d(image, 4) - 0.45]
        if self.inverse is not None:
            change = F.pixel_unshuffle(self.inverse(image) if change is None else change, 4)
            planes.append(change)
        stem = self.stem(torch.cat(planes, 1))
        x, passed = stem, []
        for encode, down in zip(self.encode, self.down):
            x = encode(x, condition, code)
            passed.append(x)
            x = down(x)
        x = self.middle(x, condition, code)
        for up, decode in reversed(list(zip(self.up, self.decode))):
            x = decode(passed.pop() + F.pixel_shuffle(up(x), 2), condition, code)
        x = self.last(x) + stem
        # What the inverse filter adds goes to the frames as far as the network trusts it.
        return x if self.inverse is None else torch.cat([x.float(), change * 2 * torch.sigmoid(self.trust(x).float())], 1)


class Head(nn.Module):
    def __init__(self, width=64, prompt=32, inverse=0):
        super().__init__()
        self.inverse = inverse
        self.modulation = nn.Sequential(nn.Linear(prompt + 3, 64), nn.LeakyReLU(0.1), nn.Linear(64, 4 * width))
        self.first = conv(width, width)
        self.second = PatternConv(width, 96, planes=6, pixels_in=False, direct=0.15, detail=0.05)
        # Set by calibrate.py, not by training: how far short of severity 0 the last frame stops.
        self.register_buffer("stop_short", torch.zeros(1))
        with torch.no_grad():
            self.modulation[2].weight.mul_(0.3)
            self.modulation[2].bias.zero_()
            self.second.weight.mul_(0.1)  # frames start as the picture itself
            self.second.bias.zero_()

    def forward(self, image, features, prompt, severity):
        s = severity + (1 - severity) * self.stop_short
        a, b, c, d = self.modulation(torch.cat([prompt, s, s * s, s * s * s], 1))[:, :, None, None].chunk(4, 1)
        width = self.first.in_channels
        x = bend(self.first(features[:, :width] * gate(a) + b)) * gate(c) + d
        gain, offset = F.pixel_shuffle(self.second(x), 4).chunk(2, 1)
        if self.inverse:
            offset = offset + F.pixel_shuffle(features[:, width:], 4)
        left = (1 - s)[:, :, None, None]
        # exp(5) = 148: more than any exposure that 8 bits survive, and no overflow whatever the picture.
        return image * torch.exp(left * 5.0 * torch.tanh(gain * 0.2)) + left * offset


class Network(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.trunk = Trunk(settings.widths, settings.encoder_blocks, settings.middle_blocks, settings.decoder_blocks, settings.descriptor, settings.prompt, settings.spectra, settings.inverse, settings.inverse_scales)
        self.head = Head(settings.widths[0], settings.prompt, settings.inverse)
        self.bf16 = settings.bf16

    def forward(self, image, thumbnail, prompt, severities, change=None):
        """One frame for each of the severities (each (batch, 1)); `change` is what the inverse filter adds, where it is known already."""
        if self.trunk.inverse is not None and change is None:
            change = self.trunk.inverse(image)
        with torch.autocast(image.device.type, torch.bfloat16, enabled=self.bf16):
            features = self.trunk(image, thumbnail, prompt, change)
        features = features.float()  # the head adds up what is left of the error, where 8 bits of mantissa would show
        return [self.head(image, features, prompt, s) for s in severities]


def merged(network):
    """A copy with plain convolutions on pixels: what is exported."""
    network = copy.deepcopy(network).eval()
    network.trunk.stem.merge()
    network.head.second.merge()
    if network.trunk.inverse is not None:
        network.trunk.inverse.exported = True
    return network


def work(module_or_network, height=512, width=512):
    """Multiply-adds of the convolutions of trunk and head for one picture, counted by hooks: (trunk, head)."""
    network = module_or_network
    counts = {"trunk": 0, "head": 0}
    hooks = []
    for part in counts:
        for layer in getattr(network, part).modules():
            if isinstance(layer, nn.Conv2d):
                hooks.append(layer.register_forward_hook(lambda m, i, o, part=part: counts.__setitem__(part, counts[part] + o[0].numel() * m.weight[0].numel())))
    prompt = torch.zeros(1, network.head.modulation[0].in_features - 3)
    with torch.no_grad():
        network(torch.zeros(1, 3, height, width), torch.zeros(1, 3, 64, 64), prompt, [torch.zeros(1, 1)])
    for hook in hooks:
        hook.remove()
    return counts["trunk"], counts["head"]
