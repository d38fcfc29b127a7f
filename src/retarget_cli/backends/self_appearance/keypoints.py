"""Keypoints that nobody named: a network that finds them, and how their motion is handed from one object to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.blocks import Hourglass, Reduction
from retarget_cli.backends.self_appearance.sampling import coordinates, steps

# Colours of a picture; the side of the last convolutions, which see no padding; and how sharply maps are peaked.
COLOURS, KERNEL, TEMPERATURE = 3, 7, 0.1
# A keypoint's spot in maps of it.
VARIANCE = 0.01


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Where an object's parts are in each of B pictures.

    Attributes:
        place: (B, K, 2): x, y in [-1, 1].
        jacobian: (B, K, 2, 2): how the part is turned and stretched; None where only places are known.
    """

    place: Tensor
    jacobian: Tensor | None = None

    def __len__(self) -> int:
        return self.place.shape[0]


@dataclass(frozen=True, slots=True)
class DetectorDesign:
    """What a network's form depends on that finds keypoints or regions.

    Attributes:
        count: of keypoints, K.
        width, levels, most: of its hourglass.
        step: pictures are reduced so much before it.
        jacobians: how many maps of Jacobians there are: K, 1 that all share, or 0.
    """

    count: int = 10
    width: int = 32
    levels: int = 5
    most: int = 1024
    step: int = 4
    jacobians: int = 10

    def __post_init__(self) -> None:
        if self.jacobians not in (0, 1, self.count):
            raise ValueError(f"{self.jacobians} maps of Jacobians for {self.count} keypoints: 0, 1 or {self.count}")


class Seen(NamedTuple):
    """What a finder sees: features (B, C, h, w), and heat maps (B, K, h', w') of sum 1, smaller by the kernel."""

    features: Tensor
    heat: Tensor


class Finder(nn.Module):
    """An hourglass on the reduced picture that ends in a heat map for every keypoint.

    Args:
        design: its form.
    """

    def __init__(self, design: DetectorDesign) -> None:
        super().__init__()
        self.design = design
        self.reduction = Reduction(COLOURS, design.step)
        self.hourglass = Hourglass(COLOURS, design.width, design.levels, design.most)
        self.heat = nn.Conv2d(self.hourglass.outputs, design.count, KERNEL)

    @property
    def least_side(self) -> int:
        """Of a picture, in pixels."""
        return (KERNEL - 1) * self.design.step + 1

    def seen(self, pictures: Tensor) -> Seen:
        """Of pictures (B, 3, H, W) in [0, 1], each side at least `least_side`."""
        features = self.hourglass(self.reduction(pictures))
        logits = self.heat(features).float()  # places need more bits than autocast leaves
        return Seen(features, torch.softmax(logits.flatten(2) / TEMPERATURE, 2).reshape(logits.shape))


class Detector(Finder):
    """Keypoints, and Jacobians where the design has them; these start as identities.

    Args:
        design: its form.
    """

    def __init__(self, design: DetectorDesign) -> None:
        super().__init__(design)
        self.jacobian = None
        if design.jacobians:
            self.jacobian = nn.Conv2d(self.hourglass.outputs, 4 * design.jacobians, KERNEL)
            nn.init.zeros_(self.jacobian.weight)
            with torch.no_grad():
                self.jacobian.bias.copy_(torch.eye(2).flatten().repeat(design.jacobians))  # type: ignore[union-attr]

    def forward(self, pictures: Tensor) -> Keypoints:
        """Of pictures (B, 3, H, W) in [0, 1]."""
        features, heat = self.seen(pictures)
        if self.jacobian is None:
            return Keypoints(centres(heat))
        maps = self.jacobian(features)
        maps = maps.reshape(-1, self.design.jacobians, 4, *maps.shape[-2:])
        found = (heat[:, :, None] * maps).sum((-2, -1))
        return Keypoints(centres(heat), found.reshape(*found.shape[:2], 2, 2))


def centres(heat: Tensor) -> Tensor:
    """(B, K, 2): the mean places of heat maps (B, K, h, w) of sum 1."""
    across = (heat.sum(-2) * steps(heat.shape[-1], heat)).sum(-1)
    down = (heat.sum(-1) * steps(heat.shape[-2], heat)).sum(-1)
    return torch.stack([across, down], -1)


def spots(place: Tensor, height: int, width: int, variance: float = VARIANCE) -> Tensor:
    """(B, K, height, width): round spots at places (B, K, 2), 1 in the middle."""
    distance = (coordinates(height, width, place) - place[:, :, None, None]).square().sum(-1)
    return torch.exp(-0.5 * distance / variance)


def inverse(matrices: Tensor) -> Tensor:
    """Of 2 x 2 matrices (..., 2, 2)."""
    a, b, c, d = matrices.flatten(-2).unbind(-1)
    adjugate = torch.stack([d, -b, -c, a], -1).reshape(matrices.shape)
    return adjugate / (a * d - b * c)[..., None, None]


def product(first: Tensor, second: Tensor) -> Tensor:
    """(..., n, k) of matrices (..., n, m) and (..., m, k) with small sides, in full precision under autocast too."""
    return (first[..., None] * second[..., None, :, :]).sum(-2)


def transferred(source: Keypoints, driving: Keypoints, first: Keypoints, scale: float = 1.0) -> Keypoints:
    """Relative motion: the source's keypoints, moved as the driving ones have moved since the clip's first frame.

    Args:
        source: of one picture.
        driving: of the frames.
        first: of the clip's first frame, or of the one that is most like the source.
        scale: of movements, see `movement_scale`; Jacobians are not scaled.
    """
    place = source.place + (driving.place - first.place) * scale
    if source.jacobian is None or driving.jacobian is None or first.jacobian is None:
        return Keypoints(place)
    return Keypoints(place, product(product(driving.jacobian, inverse(first.jacobian)), source.jacobian))


def movement_scale(source: Keypoints, first: Keypoints) -> float:
    """How much larger the source is than the driving object: the root of the ratio of their hulls' areas.

    1 where keypoints of either lie in a line or a point.

    Args:
        source, first: of one picture each.
    """
    areas = [hull_area(each.place[0].detach().cpu().tolist()) for each in (source, first)]
    return float((areas[0] / areas[1]) ** 0.5) if min(areas) > 0 else 1.0


def hull_area(points: list[list[float]]) -> float:
    """Of the convex hull of points (x, y)."""
    ordered = sorted(points)
    ring = _chain(ordered)[:-1] + _chain(ordered[::-1])[:-1]
    return abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))) / 2


def _chain(points: list[list[float]]) -> list[list[float]]:
    """The part of the hull that turns left from the first to the last of sorted points."""
    kept: list[list[float]] = []
    for point in points:
        while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
            kept.pop()
        kept.append(point)
    return kept


def _turn(a: list[float], b: list[float], c: list[float]) -> float:
    """Positive where a, b, c turn left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
