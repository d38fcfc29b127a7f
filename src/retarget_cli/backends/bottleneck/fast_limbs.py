"""Distances from limbs at all places of a lattice: what `limbs` and `pose_maps` find, in less time.

Along every axis of a lattice the steps are few; what depends on one coordinate alone is found for these.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.sampling import Size
from retarget_cli.backends.stage.frame import steps
from retarget_cli.backends.stage.limbs import Segments, radii

# Squared lengths below this are those of points.
_TINY = 1e-12
# Coordinates (x, y, z) of the axes (rows, columns, planes).
_AXES = (1, 0, 2)
# So far from the body's surface nothing is left of it, in softnesses: 1 / (1 + exp(4 * 4.5)) is less than 2e-8.
_NOTHING_LEFT = 4.5


def powers(limbs: Segments, size: Size) -> Tensor:
    """(L, H * W * D) of one posture: squared distances less squared radii, as `limbs.powers`; size is (D, H, W)."""
    squared = _nearest(limbs, _lines(limbs, size), _AXES)[0].flatten(1)
    return squared.sub_(radii(squared)[:, None] ** 2)


def occupancy(limbs: Segments, size: Size, softness: float) -> Tensor:
    """(1, H * W * D) in [0, 1] of one posture, as `limbs.occupancy`; size is (D, H, W).

    Looked for near the body alone; elsewhere there is nothing.
    """
    depth, height, width = size
    body, lines = limbs.starts.new_zeros(height, width, depth), _lines(limbs, size)
    radius = radii(body)
    box = _box(limbs, radius + _NOTHING_LEFT * softness, [len(line) for line in lines])
    lines = [line[part] for line, part in zip(lines, box, strict=True)]
    if all(len(line) for line in lines):
        distance = _nearest(limbs, lines, _AXES)[0].clamp_min_(_TINY).sqrt_()
        inside = torch.sub(radius[:, None, None, None], distance, out=distance).amax(0)
        body[box] = inside.mul_(4 / softness).sigmoid_()
    return body.view(1, -1)


def pose_maps(limbs: Segments, size: tuple[int, int], *, is_deep: bool) -> Tensor:
    """(1, L, h, w), or (1, 2 L, h, w), of one posture in a square, as `pose_maps.maps` and `deep_maps`."""
    like = limbs.starts
    squared, share = _nearest(limbs, [steps(length, like) for length in size], _AXES[:2])
    pixel = 2 / min(size)
    thickness = radii(like).clamp_min(pixel / 2)[:, None, None]
    where = torch.sub(thickness, squared.clamp_min_(_TINY).sqrt_()).div_(pixel).add_(0.5).clamp_(0, 1)
    if not is_deep:
        return where[None]
    starts, ends = limbs.starts[0, :, 2, None, None], limbs.ends[0, :, 2, None, None]
    depth = torch.addcmul(starts, share, ends - starts)
    return torch.cat([where, depth.mul_(where)])[None]


def _lines(limbs: Segments, size: Size) -> list[Tensor]:
    """The steps of every axis (rows, columns, planes)."""
    depth, height, width = size
    return [steps(length, limbs.starts) for length in (height, width, depth)]


def _box(limbs: Segments, beyond: Tensor, counts: Sequence[int]) -> tuple[slice, ...]:
    """Of every axis (rows, columns, planes) the steps that come so near to a limb; `beyond` (L)."""
    ends, count = torch.stack([limbs.starts[0], limbs.ends[0]])[..., list(_AXES)], torch.tensor(counts)
    lowest = (ends - beyond[:, None]).amin((0, 1))
    highest = (ends + beyond[:, None]).amax((0, 1))
    first, last = (((place + 1) * count - 1) / 2 for place in (lowest, highest))
    # A place that is no number is somewhere.
    bounds = torch.stack([first.ceil(), last.floor() + 1]).nan_to_num_(0.0).clamp_min_(0).minimum(count)
    return tuple(slice(int(low), int(high)) for low, high in bounds.T.tolist())


def _nearest(limbs: Segments, lines: Sequence[Tensor], axes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(L, n_1, ..., n_k): the squared distance of every place, and where on the segment its nearest place is.

    What is missed is squared axis by axis, as `segments.nearest` does: from squared distances to the starts it would be
    found sooner, but rounding them would tell on the flow.

    Args:
        limbs: of one posture.
        lines: (n_i) the steps of every axis.
        axes: which coordinate runs along each.
    """
    starts, ends, count = limbs.starts[0], limbs.ends[0], len(axes)
    along = (ends - starts)[:, list(axes)]
    length = along.square().sum(-1).clamp_min(_TINY)
    shapes = [[-1, *(len(line) if other == axis else 1 for other in range(count))] for axis, line in enumerate(lines)]
    ways = [way.view(-1, *[1] * count) for way in along.unbind(1)]
    apart = [
        (line - starts[:, axis, None]).view(shape) for line, axis, shape in zip(lines, axes, shapes, strict=True)
    ]
    share, *others = [line * way for line, way in zip(apart, ways, strict=True)]
    for other in others:
        share = share + other
    share = share.div_(length.view_as(ways[0])).clamp_(0, 1)
    squared, *others = [torch.addcmul(line, share, way, value=-1) for line, way in zip(apart, ways, strict=True)]
    squared.square_()
    for other in others:
        squared.addcmul_(other, other)
    return squared, share
