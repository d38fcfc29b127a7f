"""The generator's opponents (paper, 3.4): patch discriminators of pictures at two scales.

    person      the first source's person, both poses, and the target's person           D_fg of equation 4
    whole       the target's pose, and the whole picture                                 D_bg of equation 5
    rotation    the first source's person, and a person that may be it from another side  D_rot of equation 9

Equation 4 names the target's pose alone; the sentence before it names what is given here. Poses are maps of limbs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.crops import resized
from retarget_cli.networks.multiscale_discriminator import Judgement
from retarget_cli.networks.patch_discriminator import PatchDiscriminator

COLOURS = 3
SCALES = 2
# Strided layers of every scale, as in pix2pixHD.
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """What opponents are told beside the picture that they judge.

    Attributes:
        source: (B, 3, S, S) in [-1, 1], the first source's person, 0 outside.
        source_maps, target_maps: (B, L, S, S) of limbs.
    """

    source: Tensor
    source_maps: Tensor
    target_maps: Tensor


class TwoScales(nn.Module):
    """One opponent: the picture, and the same at half the size, each judged by a network of its own.

    Args:
        channels: of what is judged, with what is told beside it.
        width: channels after the first layer.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels, width, _DEPTH) for _ in range(SCALES))

    def forward(self, x: Tensor) -> list[Judgement]:
        """Of (B, channels, H, W); a side too short to be judged is enlarged."""
        found = []
        for number, scale in enumerate(self.scales):
            assert isinstance(scale, PatchDiscriminator)
            small = x if number == 0 else functional.avg_pool2d(x, 2)
            height, width = (max(side, scale.least_side) for side in small.shape[-2:])
            features = scale.features(resized(small, height, width))
            found.append(Judgement(tuple(features), scale.score(features[-1])))
        return found


class Discriminator(nn.Module):
    """All the opponents of a training.

    Args:
        limbs: maps of a pose.
        width: channels after the first layer; 64 as published for pix2pixHD.
        has_whole: whether whole pictures are judged.
        has_rotation: whether persons from other sides are judged.
    """

    def __init__(self, limbs: int, width: int = 64, *, has_whole: bool = True, has_rotation: bool = True) -> None:
        super().__init__()
        self.person = TwoScales(2 * COLOURS + 2 * limbs, width)
        self.whole = TwoScales(COLOURS + limbs, width) if has_whole else None
        self.rotation = TwoScales(2 * COLOURS, width) if has_rotation else None

    def of_person(self, picture: Tensor, shown: Shown) -> list[Judgement]:
        """Of the target's person (B, 3, S, S) in [-1, 1], 0 outside."""
        return _said(self.person, picture, shown.source, shown.source_maps, shown.target_maps)

    def of_whole(self, picture: Tensor, shown: Shown) -> list[Judgement]:
        """Of the whole target (B, 3, S, S) in [-1, 1]."""
        return _said(self.whole, picture, shown.target_maps)

    def of_rotation(self, picture: Tensor, shown: Shown) -> list[Judgement]:
        """Of a person (B, 3, S, S) in [-1, 1], 0 outside, from any side."""
        return _said(self.rotation, picture, shown.source)


def _said(network: TwoScales | None, picture: Tensor, *told: Tensor) -> list[Judgement]:
    if network is None:
        raise ValueError("there is no opponent for this")
    judged: list[Judgement] = network(torch.cat([picture.float(), *told], 1))
    return judged
