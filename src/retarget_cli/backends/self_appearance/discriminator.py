"""Opponents: patch discriminators at several scales, which may be told where the keypoints are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from retarget_cli.backends.self_appearance.blocks import Reduction, channels
from retarget_cli.backends.self_appearance.keypoints import COLOURS, spots
from retarget_cli.networks.adversarial_losses import features_apart
from retarget_cli.networks.multiscale_discriminator import Judgement

_KERNEL, _SLOPE = 4, 0.2


@dataclass(frozen=True, slots=True)
class DiscriminatorDesign:
    """What an opponent's form depends on.

    Attributes:
        width: half the channels after the first layer; every further one doubles them.
        levels: layers.
        most: channels at most.
        keypoints: how many maps of keypoints are seen beside the picture; 0: none.
        is_spectral: whether the weights' spectral norms are kept at 1.
        steps: by how much the picture is reduced for each scale.
    """

    width: int = 32
    levels: int = 4
    most: int = 512
    keypoints: int = 0
    is_spectral: bool = True
    steps: tuple[int, ...] = (1,)


class Discriminator(nn.Module):
    """All scales.

    Args:
        design: their form.
    """

    def __init__(self, design: DiscriminatorDesign) -> None:
        super().__init__()
        self.design = design
        self.scales = nn.ModuleList(PatchJudge(design) for _ in design.steps)
        # Kernels that follow from the design are no weights.
        self._reductions = [Reduction(COLOURS, step) for step in design.steps]

    def forward(self, pictures: Tensor, place: Tensor | None = None) -> list[Judgement]:
        """A judgement for every scale.

        Args:
            pictures: (B, 3, H, W) in [0, 1].
            place: (B, K, 2) of their keypoints, where the design has maps of them.
        """
        found = []
        for scale, reduction in zip(self.scales, self._reductions, strict=True):
            small = reduction.to(pictures)(pictures)
            if self.design.keypoints:
                if place is None or place.shape[1] != self.design.keypoints:
                    raise ValueError(f"{self.design.keypoints} keypoints are expected beside the picture")
                small = torch.cat([small, spots(place, small.shape[-2], small.shape[-1])], 1)
            found.append(scale(small))
        return found


class PatchJudge(nn.Module):
    """4 x 4 convolutions without padding, instance norm but for the first, LeakyReLU, means of 2 x 2 but for the last.

    Args:
        design: its form.
    """

    def __init__(self, design: DiscriminatorDesign) -> None:
        super().__init__()
        widths = [COLOURS + design.keypoints]
        widths += [channels(design.width, level + 1, design.most) for level in range(design.levels)]
        self.layers = nn.ModuleList(
            PatchLayer(before, after, is_normalized=level > 0, is_last=level == design.levels - 1)
            for level, (before, after) in enumerate(pairwise(widths))
        )
        self.score = nn.Conv2d(widths[-1], 1, 1)
        if design.is_spectral:
            for part in [part for part in self.modules() if isinstance(part, nn.Conv2d)]:
                spectral_norm(part)

    def forward(self, x: Tensor) -> Judgement:
        """Of pictures, with maps of keypoints where the design has them."""
        features: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return Judgement(tuple(features), self.score(x))


class PatchLayer(nn.Module):
    """One of a judge's layers.

    Args:
        inputs, outputs: channels.
        is_normalized: instance norm with scale and shift.
        is_last: the size stays but for the convolution's rim.
    """

    def __init__(self, inputs: int, outputs: int, is_normalized: bool, is_last: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, _KERNEL)
        self.norm = nn.InstanceNorm2d(outputs, affine=True) if is_normalized else None
        self.is_last = is_last

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, h, w)."""
        x = self.conv(x)
        x = functional.leaky_relu(x if self.norm is None else self.norm(x), _SLOPE)
        return x if self.is_last else functional.avg_pool2d(x, 2)


def matched(made: Sequence[Judgement], real: Sequence[Judgement]) -> Tensor:
    """The L1 distance of features, summed over layers and scales; the real ones get no gradients."""
    return torch.cat(features_apart(made, real)).sum()
