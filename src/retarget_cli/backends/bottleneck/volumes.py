"""What is known of a person, as features in space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Volumes:
    """Implicit volumes of B persons at several resolutions: f = {f_1 ... f_m} (paper, 3.2).

    Attributes:
        levels: the finest first, each (B, C, D, H, W) with half of everything but channels of the one before.
        body: (B, 1, d, h, w) in [0, 1], where the body is whose volumes these are, in the same cube; None where the
            networks are not told of it.
        photo: what of the picture goes along with the body, see `photo`; None where the networks are not told of it.
    """

    levels: tuple[Tensor, ...]
    body: Tensor | None = None
    photo: Tensor | None = None

    def __len__(self) -> int:
        return len(self.levels[0])

    def each(self, change: Callable[[Tensor], Tensor]) -> Volumes:
        """The same with every tensor changed."""
        body, photo = (None if part is None else change(part) for part in (self.body, self.photo))
        return Volumes(tuple(map(change, self.levels)), body, photo)

    def expand(self, count: int) -> Volumes:
        """The same for `count` pictures, of one or of as many."""
        return self.each(lambda part: part.expand(count, *part.shape[1:]))

    def coarsest(self) -> Volumes:
        """The last level alone."""
        return Volumes(self.levels[-1:], self.body, self.photo)


def lifted(features: Tensor, depth: int) -> Tensor:
    """(B, C, depth, H, W) from (B, C * depth, H, W): channel = feature * depth + plane."""
    batch, _, height, width = features.shape
    return features.reshape(batch, -1, depth, height, width)


def dropped(volume: Tensor) -> Tensor:
    """(B, C * D, H, W) from (B, C, D, H, W): the way back from `lifted`."""
    return volume.flatten(1, 2)


def averaged(found: list[Volumes]) -> Volumes:
    """Equation 2: the arithmetic mean of volumes in one posture; the body is the first one's."""
    levels = zip(*(each.levels for each in found), strict=True)
    return Volumes(tuple(torch.stack(level).mean(0) for level in levels), found[0].body, found[0].photo)
