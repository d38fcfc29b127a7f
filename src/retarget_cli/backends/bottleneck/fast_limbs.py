"""Distances from limbs at all places of a lattice: what `limbs` and `pose_maps` find, in less time.

Along every axis of a lattice the steps are few; what depends on one coordinate alone is found for these.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.limbs import radii, segments
from retarget_cli.backends.bottleneck.posture import Posture
from retarget_cli.backends.bottleneck.sampling import Size, steps

# Squared lengths below this are those of points.
_TINY = 1e-12
# Coordinates (x, y, z) of the axes (rows, columns, planes).
_AXES = (1, 0, 2)


def powers(posture: Posture, size: Size) -> Tensor:
    """(L, H * W * D) of one posture: squared distances less squared radii, as `limbs.powers`; size is (D, H, W)."""
    squared = _squared(posture, size)
    return squared.sub_(radii(squared)[:, None] ** 2)


def occupancy(posture: Posture, size: Size, softness: float) -> Tensor:
    """(1, H * W * D) in [0, 1] of one posture, as `limbs.occupancy`; size is (D, H, W)."""
    distance = _squared(posture, size).clamp_min_(_TINY).sqrt_()
    deepest = distance.neg_().add_(radii(distance)[:, None]).amax(0, keepdim=True)
    return deepest.mul_(4 / softness).sigmoid_()


def pose_maps(posture: Posture, size: tuple[int, int], *, is_deep: bool) -> Tensor:
    """(1, L, h, w), or (1, 2 L, h, w), of one posture, as `pose_maps.maps` and `deep_maps`."""
    found, like = segments(posture), posture.joints
    starts, ends = found.starts[0], found.ends[0]
    squared, share = _nearest(starts, ends, [steps(length, like) for length in size], _AXES[:2])
    pixel = 2 / min(size)
    thickness = radii(like).clamp_min(pixel / 2)[:, None, None]
    where = (thickness - squared.clamp_min_(_TINY).sqrt_()).div_(pixel).add_(0.5).clamp_(0, 1)
    if not is_deep:
        return where[None]
    depth = torch.lerp(starts[:, 2, None, None], ends[:, 2, None, None], share)
    return torch.cat([where, where * depth])[None]


def _squared(posture: Posture, size: Size) -> Tensor:
    """(L, H * W * D)."""
    found, (depth, height, width) = segments(posture), size
    lines = [steps(length, posture.joints) for length in (height, width, depth)]
    return _nearest(found.starts[0], found.ends[0], lines, _AXES)[0].flatten(1)


def _nearest(starts: Tensor, ends: Tensor, lines: Sequence[Tensor], axes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(L, n_1, ..., n_k): the squared distance of every place, and where on the segment its nearest place is.

    Args:
        starts, ends: (L, 3).
        lines: (n_i) the steps of every axis.
        axes: which coordinate runs along each.
    """
    ways = (ends - starts)[:, list(axes)]
    length = ways.square().sum(-1).clamp_min(_TINY)
    count = len(axes)
    shapes = [[-1, *(len(line) if other == axis else 1 for other in range(count))] for axis, line in enumerate(lines)]
    apart = [line - starts[:, axis, None] for line, axis in zip(lines, axes, strict=True)]
    share, *others = [
        (line * way[:, None] / length[:, None]).view(shape)
        for line, way, shape in zip(apart, ways.unbind(1), shapes, strict=True)
    ]
    for each in others:
        share = share + each
    share = share.clamp_(0, 1)
    squared = torch.zeros_like(share)
    for line, way, shape in zip(apart, ways.unbind(1), shapes, strict=True):
        missed = torch.addcmul(line.view(shape), share, way.view(-1, *[1] * count), value=-1)
        squared.addcmul_(missed, missed)
    return squared, share
