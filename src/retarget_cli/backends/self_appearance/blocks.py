"""What the networks of this family are made of: convolutions with batch normalization, hourglasses, smooth reduction.

Any size of picture will do: where a side is odd, halving keeps the last pixel, and doubling goes back to the size that
was. For sides that the halvings divide, this is what the released networks do.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Size = tuple[int, int]


class Same(nn.Module):
    """Convolution, batch normalization, ReLU; the size stays.

    Args:
        inputs, outputs: channels.
        kernel: its side.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, h, w) from (B, inputs, h, w)."""
        return functional.relu(self.norm(self.conv(x)))


class Down(Same):
    """The same, then halved by means of 2 x 2."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, ceil(h / 2), ceil(w / 2)) from (B, inputs, h, w)."""
        return functional.avg_pool2d(super().forward(x), 2, ceil_mode=True)


class Up(Same):
    """The same, at twice the size: every pixel is repeated first."""

    def forward(self, x: Tensor, size: Size | None = None) -> Tensor:
        """(B, outputs, *size) from (B, inputs, h, w).

        Args:
            x: what is enlarged.
            size: the result's, 2 h or one less, 2 w or one less; None: both doubled.
        """
        doubled = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        if size is not None and doubled.shape[-2:] != size:
            doubled = doubled[..., : size[0], : size[1]]
        return super().forward(doubled)


class Residual(nn.Module):
    """x + what two convolutions make of it, each behind batch normalization and ReLU.

    Args:
        channels: in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w)."""
        y = self.first(functional.relu(self.first_norm(x)))
        return x + self.second(functional.relu(self.second_norm(y)))


class Encoder(nn.ModuleList):
    """Halvings with ever more channels.

    Args:
        inputs: channels of what comes in.
        width: half the channels after the first halving; every further one doubles them.
        levels: halvings.
        most: channels at most.
    """

    def __init__(self, inputs: int, width: int, levels: int, most: int) -> None:
        widths = [inputs, *(channels(width, level + 1, most) for level in range(levels))]
        super().__init__(Down(widths[level], widths[level + 1]) for level in range(levels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """What came in and what every halving made of it, the finest first."""
        found = [x]
        for layer in self:
            found.append(layer(found[-1]))
        return found


class Decoder(nn.ModuleList):
    """The encoder's way back; after every doubling what the encoder had at that size is put beside it.

    Args:
        width, levels, most: as the encoder's.
    """

    def __init__(self, width: int, levels: int, most: int) -> None:
        ups = []
        for level in reversed(range(levels)):
            beside = 1 if level == levels - 1 else 2
            ups.append(Up(beside * channels(width, level + 1, most), channels(width, level, most)))
        super().__init__(ups)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """(B, width + inputs, H, W) from the encoder's features."""
        *skips, x = features
        for layer, skip in zip(self, reversed(skips), strict=True):
            x = torch.cat([layer(x, skip.shape[-2:]), skip], 1)
        return x


class Hourglass(nn.Module):
    """Encoder and decoder.

    Args:
        inputs: channels of what comes in.
        width, levels, most: as the encoder's.
    """

    def __init__(self, inputs: int, width: int, levels: int, most: int) -> None:
        super().__init__()
        self.encoder = Encoder(inputs, width, levels, most)
        self.decoder = Decoder(width, levels, most)
        self.outputs = width + inputs

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H, W) from (B, inputs, H, W)."""
        found: Tensor = self.decoder(self.encoder(x))
        return found


class Reduction(nn.Module):
    """Smoothed by a Gaussian whose width suits the step, then every so many pixels; zeros outside.

    Args:
        channels: of the pictures.
        step: 1 leaves pictures as they are.
    """

    kernel: Tensor

    def __init__(self, channels: int, step: int) -> None:
        super().__init__()
        self.step = step
        sigma = (step - 1) / 2
        reach = round(4 * sigma)
        places = torch.arange(-reach, reach + 1, dtype=torch.float32)
        line = torch.exp(-places.square() / (2 * sigma**2)) if sigma else torch.ones(1)
        kernel = line[:, None] * line
        self.register_buffer("kernel", (kernel / kernel.sum()).repeat(channels, 1, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, C, ceil(H / step), ceil(W / step))."""
        if self.step == 1:
            return pictures
        reach = self.kernel.shape[-1] // 2
        return functional.conv2d(pictures, self.kernel, stride=self.step, padding=reach, groups=pictures.shape[1])


def channels(width: int, level: int, most: int) -> int:
    """After so many doublings."""
    return min(most, width * 2**level)
