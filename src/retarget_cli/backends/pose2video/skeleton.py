"""The body as a tree of points, each the end of one limb: what pose maps are drawn from, and what can be disturbed."""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.backends.stage.frame import Size
from retarget_cli.backends.stage.limbs import BODY, LIMBS, Segments, segments
from retarget_cli.backends.stage.pose_maps import drawn
from retarget_cli.backends.stage.posture import Posture

POINTS = LIMBS + 1
"""The hips, and the end of every limb in the order of `limbs.BODY`."""


def _origins() -> tuple[int, ...]:
    """Of every limb the point at which it begins."""
    ends = {limb.child: number + 1 for number, limb in enumerate(BODY) if limb.child is not None}
    return tuple(ends.get(limb.bone, 0) for limb in BODY)


ORIGINS = _origins()


def points(posture: Posture) -> Tensor:
    """(B, P, 3) in units of the cube."""
    found = segments(posture)
    return torch.cat([posture.joints[:, :1], found.ends], 1)


def disturbed(tree: Tensor, lengths: Tensor, moved: Tensor) -> Tensor:
    """Limbs longer and shorter, what hangs on them goes along; and every point somewhere else.

    Args:
        tree: (..., P, 3).
        lengths: (..., L) factors.
        moved: (..., P, 3), added in the end.
    """
    placed = [tree[..., 0, :]]
    for limb, origin in enumerate(ORIGINS):
        along = tree[..., limb + 1, :] - tree[..., origin, :]
        placed.append(placed[origin] + lengths[..., limb, None] * along)
    return torch.stack(placed, -2) + moved


def pose_maps(tree: Tensor, size: Size, aside: float) -> Tensor:
    """(..., L, h, w) in [0, 1]: one limb a channel; see `stage.pose_maps.maps`.

    Args:
        tree: (..., P, 3).
        size: (h, w).
        aside: metres from the hips to the picture's left and right border.
    """
    flat = tree.reshape(-1, *tree.shape[-2:])
    limbs = Segments(flat[:, list(ORIGINS)], flat[:, 1:])
    return drawn(limbs, size, aside)[0].reshape(*tree.shape[:-2], LIMBS, *size)
