"""Straight segments, and what of them is nearest to a point; in the plane as well as in space.

All functions take any leading batch shape, and have finite gradients everywhere but on a segment itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Squared lengths below this are those of points.
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Nearest:
    """Of every point and segment.

    Attributes:
        squared: (..., L, P), the distance squared.
        share: (..., L, P) in [0, 1], where on the segment the nearest place is: 0 its start, 1 its end.
    """

    squared: Tensor
    share: Tensor

    def between(self, starts: Tensor, ends: Tensor) -> Tensor:
        """(..., L, P): a value that runs evenly from (..., L) at the starts to (..., L) at the ends."""
        return torch.lerp(starts[..., None], ends[..., None], self.share)


def nearest(points: Tensor, starts: Tensor, ends: Tensor) -> Nearest:
    """What of every segment is nearest to every point.

    Args:
        points: (P, n), or (..., P, n).
        starts, ends: (..., L, n); they may be equal.
    """
    along = ends - starts
    length = along.square().sum(-1, keepdim=True).clamp_min(_TINY)
    apart = points[..., None, :, :] - starts[..., None, :]
    share = ((apart * along[..., None, :]).sum(-1) / length).clamp(0, 1)
    # The share has no gradient of its own to give: at the nearest place moving along the segment changes nothing.
    missed = apart - share.detach()[..., None] * along[..., None, :]
    return Nearest(missed.square().sum(-1), share)
