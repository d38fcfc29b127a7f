"""Patch discriminators of a picture at several sizes, with the features by which pictures can be matched.

Wang et al., High-resolution image synthesis and semantic manipulation with conditional GANs (pix2pixHD), 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from retarget_cli.networks.normalization import Norm
from retarget_cli.networks.patch_discriminator import PatchDiscriminator


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one scale says.

    Attributes:
        features: after every activation, the finest first.
        score: (B, 1, h, w).
    """

    features: tuple[Tensor, ...]
    score: Tensor


class ScaleDiscriminator(PatchDiscriminator):
    """The discriminator of one scale: three strided layers, 64 channels to 512, padding 2.

    Args:
        channels: of what is judged, conditions included.
        width: channels after the first layer.
        depth: layers of stride 2.
        norm: which normalization.
    """

    def __init__(self, channels: int, width: int = 64, depth: int = 3, norm: Norm = "instance") -> None:
        super().__init__(channels, width, depth, padding=2, norm=norm, is_widened=True)

    def judged(self, x: Tensor) -> Judgement:
        """Of (B, channels, H, W)."""
        features = self.features(x)
        return Judgement(tuple(features), self.score(features[-1]))


class MultiscaleDiscriminator(nn.Module):
    """The same form at every size, each with weights of its own.

    Args:
        channels: of what is judged, conditions included: the sum of all that is put side by side.
        scales: how many; each sees half the size of the one before.
        width, depth, norm: see `ScaleDiscriminator`.
    """

    def __init__(
        self, channels: int, scales: int = 2, width: int = 64, depth: int = 3, norm: Norm = "instance"
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(ScaleDiscriminator(channels, width, depth, norm) for _ in range(scales))
        self.halved = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)

    @property
    def least_side(self) -> int:
        """The smallest height and width: two pixels at the smallest scale."""
        return int(2 ** len(self.scales))

    def forward(self, x: Tensor) -> list[Judgement]:
        """What every scale says of (B, channels, H, W), the whole size first."""
        found = []
        for number, scale in enumerate(self.scales):
            x = self.halved(x) if number else x
            assert isinstance(scale, ScaleDiscriminator)
            found.append(scale.judged(x))
        return found
