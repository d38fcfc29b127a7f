"""From K + 1 simple motions to one for every pixel: coefficient maps blend them, and what
the source can't show is masked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.blocks import Hourglass, Reduction
from retarget_cli.backends.self_appearance.initial_motion import Kind, sparse_motions
from retarget_cli.backends.self_appearance.keypoints import COLOURS, Keypoints, spots
from retarget_cli.backends.self_appearance.regions import Regions, ellipses
from retarget_cli.backends.self_appearance.sampling import warped_each

_KERNEL = 7


@dataclass(frozen=True, slots=True)
class MotionDesign:
    """What the network's form depends on.

    Attributes:
        kind: of the K + 1 first motions.
        count: of keypoints or regions, K.
        width, levels, most: of its hourglass.
        step: pictures are reduced so much before it.
        has_occlusion: whether it says what the source can't show.
    """

    kind: Kind = "first-order"
    count: int = 10
    width: int = 64
    levels: int = 5
    most: int = 1024
    step: int = 4
    has_occlusion: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """The source's side of a motion, computed once.

    Attributes:
        small: (1 or B, 3, h, w) the reduced picture.
        parts: where its parts are.
        spots: (1 or B, K, h, w) maps of them.
    """

    small: Tensor
    parts: Keypoints | Regions
    spots: Tensor


@dataclass(frozen=True, slots=True)
class Motion:
    """Of B driving pictures.

    Attributes:
        flow: (B, h, w, 2): where in the source every pixel comes from.
        occlusion: (B, 1, h, w): 1 where the source shows what is wanted; None where nothing says so.
        coefficients: (B, K + 1, h, w), of sum 1.
        sparse: (B, K + 1, h, w, 2): the simple motions.
        warped: (B, K + 1, 3, h, w): the small source under each of them.
        features: (B, C, h, w): what the coefficients were read from.
    """

    flow: Tensor
    occlusion: Tensor | None
    coefficients: Tensor
    sparse: Tensor
    warped: Tensor
    features: Tensor


class DenseMotion(nn.Module):
    """The network of the coefficient maps.

    Args:
        design: its form.
        align_corners: how the source is read, see `sampling`.
    """

    def __init__(self, design: MotionDesign, align_corners: bool) -> None:
        super().__init__()
        self.design, self.align_corners = design, align_corners
        motions = design.count + 1
        self.reduction = Reduction(COLOURS, design.step)
        self.hourglass = Hourglass(motions * (COLOURS + 1), design.width, design.levels, design.most)
        outputs = self.hourglass.outputs
        self.coefficients = nn.Conv2d(outputs, motions, _KERNEL, padding=_KERNEL // 2)
        self.occlusion = nn.Conv2d(outputs, 1, _KERNEL, padding=_KERNEL // 2) if design.has_occlusion else None

    def encode(self, picture: Tensor, parts: Keypoints | Regions) -> Source:
        """Once a source.

        Args:
            picture: (1 or B, 3, H, W) in [0, 1].
            parts: its keypoints or regions.
        """
        small = self.reduction(picture)
        return Source(small, parts, maps_of(parts, small.shape[-2], small.shape[-1]))

    def forward(self, source: Source, driving: Keypoints | Regions, background: Tensor | None = None) -> Motion:
        """Of B driving pictures.

        Args:
            source: one, or B.
            driving: their keypoints or regions.
            background: (B, 3, 3) from `BackgroundPredictor`; None: it stays.
        """
        height, width = source.small.shape[-2:]
        sparse = sparse_motions(
            self.design.kind, _keypoints(source.parts), _keypoints(driving), height, width, background
        )
        read = warped_each(source.small, sparse, self.align_corners)
        moved = maps_of(driving, height, width) - source.spots
        moved = torch.cat([torch.zeros_like(moved[:, :1]), moved], 1)
        features = self.hourglass(torch.cat([moved[:, :, None], read], 2).flatten(1, 2))
        coefficients = torch.softmax(self.coefficients(features).float(), 1)
        occlusion = None if self.occlusion is None else torch.sigmoid(self.occlusion(features))
        return Motion(blended(coefficients, sparse), occlusion, coefficients, sparse, read, features)


def blended(coefficients: Tensor, sparse: Tensor) -> Tensor:
    """(B, h, w, 2): the mean of motions (B, N, h, w, 2), weighed by maps (B, N, h, w) of sum 1."""
    return (coefficients[..., None] * sparse).sum(1)


def maps_of(parts: Keypoints | Regions, height: int, width: int) -> Tensor:
    """(B, K, height, width): round spots of keypoints, ellipses of regions."""
    if isinstance(parts, Regions):
        return ellipses(parts, height, width)
    return spots(parts.place, height, width)


def _keypoints(parts: Keypoints | Regions) -> Keypoints:
    return parts.keypoints if isinstance(parts, Regions) else parts
