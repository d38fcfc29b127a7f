"""How unlike what is made is to what it should be: by features of a network, or by pixels where there is no network.

Features of the target can be computed once and given again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.classic import IMAGENET_DEVIATION, IMAGENET_MEAN
from retarget_cli.networks.crops import resized

Features = Sequence[Tensor]

# Of the stages of a network, the finest first.
_STAGE_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
# The side at which VGG was trained; and the smallest of which its five stages leave anything.
VGG_SIDE, _LEAST_SIDE = 224, 16


class LikenessLoss(nn.Module, ABC):
    """A distance of pictures (B, 3, H, W) in [-1, 1], from features of both."""

    @abstractmethod
    def extracted(self, pictures: Tensor) -> list[Tensor]:
        """Features, every one with the batch first."""

    @abstractmethod
    def distance(self, made: Features, target: Features) -> Tensor:
        """A scalar from features of both."""

    @torch.no_grad()
    def features(self, target: Tensor) -> list[Tensor]:
        """Of pictures that need no gradients, to be given to the loss as often as they are the target."""
        return self.extracted(target)

    def forward(self, made: Tensor, target: Features) -> Tensor:
        """A scalar, 0 where they are the same.

        Args:
            made: (B, 3, H, W) in [-1, 1].
            target: from `features`, of pictures of the same shape.
        """
        return self.distance(self.extracted(made), target)


class NetworkLoss(LikenessLoss):
    """Weighted L1 distances of a network's five features (equations 3 and 4: f is VGG-19, g SphereFace).

    As the published code has it, the network sees colours in [-1, 1], without the means it was trained with.

    Args:
        network: (B, 3, height, width) -> five features; already with weights, and frozen.
        height, width: to which pictures are resized.
    """

    def __init__(self, network: nn.Module, height: int, width: int) -> None:
        super().__init__()
        self.network = network
        self.height, self.width = height, width

    def extracted(self, pictures: Tensor) -> list[Tensor]:
        """See `LikenessLoss`."""
        found: list[Tensor] = self.network(resized(pictures, self.height, self.width))
        return found

    def distance(self, made: Features, target: Features) -> Tensor:
        """See `LikenessLoss`."""
        terms = [
            weight * functional.l1_loss(mine, yours)
            for weight, mine, yours in zip(_STAGE_WEIGHTS, made, target, strict=True)
        ]
        return torch.stack(terms).sum()


class PyramidLoss(LikenessLoss):
    """L1 distances of a network's five features, at the picture's size and three halvings of it, all added up.

    As in the first order motion model (Siarohin et al., 2019), whose network sees colours as torchvision normalizes
    them, and pictures of any size.

    Args:
        network: (B, 3, H, W) -> features; already with weights, and frozen.
        scales: at most; pictures that get too small end it earlier.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, scales: int = 4) -> None:
        super().__init__()
        self.network, self.scales = network, scales
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION)[:, None, None], persistent=False)

    def extracted(self, pictures: Tensor) -> list[Tensor]:
        """See `LikenessLoss`."""
        found: list[Tensor] = []
        for scale in range(self.scales):
            height, width = (side >> scale for side in pictures.shape[-2:])
            if min(height, width) < _LEAST_SIDE:
                break
            small = functional.interpolate(pictures, (height, width), mode="bilinear", antialias=True)
            found += self.network(((small + 1) / 2 - self.mean) / self.deviation)
        return found

    def distance(self, made: Features, target: Features) -> Tensor:
        """See `LikenessLoss`."""
        terms = [functional.l1_loss(mine, yours) for mine, yours in zip(made, target, strict=True)]
        return torch.stack(terms).sum()


class PixelLoss(LikenessLoss):
    """Stands in for `NetworkLoss` where a network has no weights: no learned features.

    At every scale, each half the one before: L1 of colours, L1 of finite differences, and 1 - SSIM (Wang et al., 2004,
    here in flat windows); the mean over the scales.

    Args:
        scales: at most; pictures that get too small end it earlier.
    """

    def __init__(self, scales: int = 4) -> None:
        super().__init__()
        self.scales = scales

    def extracted(self, pictures: Tensor) -> list[Tensor]:
        """See `LikenessLoss`; the pictures themselves at every scale."""
        found = [pictures]
        while len(found) < self.scales and min(found[-1].shape[-2:]) >= 4 * _WINDOW:
            found.append(functional.avg_pool2d(found[-1], 2))
        return found

    def distance(self, made: Features, target: Features) -> Tensor:
        """See `LikenessLoss`."""
        terms = [
            functional.l1_loss(mine, yours) + _edge_distance(mine, yours) + 1 - similarity(mine, yours)
            for mine, yours in zip(made, target, strict=True)
        ]
        return torch.stack(terms).mean()


# Side of the windows in which structure is compared, and Wang's constants for a range of 2.
_WINDOW = 7
_C1, _C2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2


def similarity(first: Tensor, second: Tensor) -> Tensor:
    """Mean structural similarity of pictures in [-1, 1], in flat windows that lie whole inside."""
    side = min(_WINDOW, *first.shape[-2:])
    stacked = torch.cat([first, second, first * first, second * second, first * second], 1)
    one, other, one_one, other_other, one_other = functional.avg_pool2d(stacked, side, 1).chunk(5, 1)
    # Wang's means are of [0, L]: only differences may be taken about another zero.
    one_up, other_up = one + 1, other + 1
    luminance = (2 * one_up * other_up + _C1) / (one_up * one_up + other_up * other_up + _C1)
    spread = one_one - one * one + other_other - other * other
    return (luminance * (2 * (one_other - one * other) + _C2) / (spread + _C2)).mean()


def _edge_distance(first: Tensor, second: Tensor) -> Tensor:
    """L1 of the differences between neighbours, across and down."""
    difference = first - second
    return variation(difference)


def variation(pictures: Tensor) -> Tensor:
    """Total variation: the mean absolute difference of neighbours across plus that down; (..., H, W)."""
    across = (pictures[..., 1:] - pictures[..., :-1]).abs().mean()
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).abs().mean()
    return across + down
