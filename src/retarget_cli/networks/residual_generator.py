"""Generators that reduce a picture, change it in residual blocks, and enlarge it again.

Johnson et al., Perceptual losses for real-time style transfer and super-resolution, 2016; Wang et al.,
High-resolution image synthesis and semantic manipulation with conditional GANs (pix2pixHD), 2018, appendix A: its
global generator is `ResidualGenerator`, its local enhancer `EnhancedGenerator`. Other networks are put together from
the same encoder, decoder and head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from retarget_cli.networks.normalization import Norm, normalization

# Of weights before training, as all of these networks begin.
_DEVIATION = 0.02


@dataclass(frozen=True, slots=True)
class TrunkDesign:
    """What the form of an encoder and of a decoder depends on.

    Attributes:
        width: channels of the finest features; every level doubles them.
        levels: how often the size is halved.
        before: residual blocks at the end of the encoder.
        after: residual blocks at the beginning of the decoder.
        norm: behind all convolutions but the last.
    """

    width: int = 64
    levels: int = 4
    before: int = 0
    after: int = 9
    norm: Norm = "instance"

    @property
    def deepest(self) -> int:
        """Channels of the smallest features."""
        return self.width * 2**self.levels

    @property
    def step(self) -> int:
        """What the height and the width of pictures are multiples of."""
        return int(2**self.levels)

    @property
    def finer(self) -> TrunkDesign:
        """Of a trunk for pictures twice as large, that takes in this one's features; as published, three blocks."""
        return replace(self, width=self.width // 2, levels=1, before=0, after=3)


class Stem(nn.Module):
    """7 x 7 convolution at full size over a mirrored border."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 7, padding=3, padding_mode="reflect")
        self.norm = normalization(norm, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        normed: Tensor = self.norm(self.conv(x))
        return normed.relu()


class Down(nn.Module):
    """Halves the size and doubles the channels."""

    def __init__(self, inputs: int, norm: Norm) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 2 * inputs, 3, stride=2, padding=1)
        self.norm = normalization(norm, 2 * inputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 2 C, H / 2, W / 2)."""
        normed: Tensor = self.norm(self.conv(x))
        return normed.relu()


class Residual(nn.Module):
    """Two convolutions over mirrored borders, added to what they are given."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")
        self.first_norm = normalization(norm, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")
        self.second_norm = normalization(norm, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        between = self.first_norm(self.first(x)).relu()
        changed: Tensor = x + self.second_norm(self.second(between))
        return changed


class Up(nn.Module):
    """Doubles the size and halves the channels."""

    def __init__(self, inputs: int, norm: Norm) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, inputs // 2, 3, stride=2, padding=1, output_padding=1)
        self.norm = normalization(norm, inputs // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C / 2, 2 H, 2 W)."""
        normed: Tensor = self.norm(self.conv(x))
        return normed.relu()


class Head(nn.Module):
    """7 x 7 convolution over a mirrored border, of which nothing is cut off: what it means is the caller's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 7, padding=3, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        made: Tensor = self.conv(x)
        return made


class Encoder(nn.Module):
    """Stem, levels down, residual blocks.

    Args:
        inputs: channels of what is encoded.
        design: its form.
    """

    def __init__(self, inputs: int, design: TrunkDesign) -> None:
        super().__init__()
        self.stem = Stem(inputs, design.width, design.norm)
        self.down = nn.Sequential(*(Down(design.width * 2**level, design.norm) for level in range(design.levels)))
        self.residual = residuals(design, design.before)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, deepest, H / step, W / step)."""
        found: Tensor = self.residual(self.down(self.stem(x)))
        return found


class Decoder(nn.Module):
    """Residual blocks, levels up.

    Args:
        design: its form.
    """

    def __init__(self, design: TrunkDesign) -> None:
        super().__init__()
        self.residual = residuals(design, design.after)
        self.up = ups(design)

    def forward(self, x: Tensor) -> Tensor:
        """(B, deepest, H / step, W / step) -> (B, width, H, W)."""
        found: Tensor = self.up(self.residual(x))
        return found


def residuals(design: TrunkDesign, count: int) -> nn.Sequential:
    """Blocks of the smallest features: (B, deepest, H / step, W / step) -> the same shape."""
    return nn.Sequential(*(Residual(design.deepest, design.norm) for _ in range(count)))


def ups(design: TrunkDesign) -> nn.Sequential:
    """All levels up: (B, deepest, H / step, W / step) -> (B, width, H, W)."""
    return nn.Sequential(*(Up(design.width * 2**level, design.norm) for level in range(design.levels, 0, -1)))


class Trunk(nn.Module):
    """An encoder and a decoder: a generator without its head.

    Args:
        inputs: channels of what is seen.
        design: its form.
    """

    def __init__(self, inputs: int, design: TrunkDesign) -> None:
        super().__init__()
        self.design = design
        self.encoder, self.decoder = Encoder(inputs, design), Decoder(design)

    def forward(self, x: Tensor, coarse: Tensor | None = None) -> Tensor:
        """Features (B, width, H, W).

        Args:
            x: (B, inputs, H, W), both sides multiples of the design's `step`.
            coarse: (B, deepest, H / step, W / step), added to what is encoded: of a trunk for smaller pictures.
        """
        encoded = self.encoder(x)
        found: Tensor = self.decoder(encoded if coarse is None else encoded + coarse)
        return found


class ResidualGenerator(nn.Module):
    """One picture from another, or from several whose channels stand side by side.

    Args:
        inputs, outputs: channels.
        design: its form; as published with nine blocks at a sixteenth of the size.
    """

    def __init__(self, inputs: int, outputs: int = 3, design: TrunkDesign | None = None) -> None:
        super().__init__()
        self.trunk = Trunk(inputs, design or TrunkDesign())
        self.head = Head(self.trunk.design.width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H, W) in [-1, 1] from (B, inputs, H, W)."""
        return torch.tanh(self.head(self.trunk(x)))


class EnhancedGenerator(nn.Module):
    """A generator's trunk at half the size, whose features a small trunk at full size takes in.

    Args:
        inputs, outputs: channels.
        design: of the coarse trunk, which may be one that was trained as part of a `ResidualGenerator`.
    """

    def __init__(self, inputs: int, outputs: int = 3, design: TrunkDesign | None = None) -> None:
        super().__init__()
        self.coarse = Trunk(inputs, design or TrunkDesign())
        self.fine = Trunk(inputs, self.coarse.design.finer)
        self.head = Head(self.fine.design.width, outputs)
        # Pixels outside don't count: borders stay as bright as the rest.
        self.halved = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H, W) in [-1, 1] from (B, inputs, H, W), both sides multiples of twice the coarse `step`."""
        return torch.tanh(self.head(self.fine(x, self.coarse(self.halved(x)))))


@torch.no_grad()
def start_small(network: nn.Module) -> None:
    """Weights as these networks begin to learn: convolutions N(0, 0.02), batch normalizations N(1, 0.02)."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.weight.normal_(0, _DEVIATION)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.weight.normal_(1, _DEVIATION)
            layer.bias.zero_()


def start_still(head: Head) -> None:
    """What is added to something is nothing as yet."""
    for each in head.parameters():
        nn.init.zeros_(each)
