"""The first guess of a motion: K + 1 simple ones, of the background and of what is about each keypoint.

    displacements   everything about a keypoint moves as it does
    first-order     and is turned and stretched as its Jacobian says
    articulated     the same by the axes of a region, whose signs nobody knows; the background moves too

A motion (h, w, 2) says where in the source each pixel of the driving picture comes from.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from retarget_cli.backends.self_appearance.keypoints import Keypoints, inverse, product
from retarget_cli.backends.self_appearance.sampling import coordinates, steps

Kind = Literal["displacements", "first-order", "articulated"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def sparse_motions(
    kind: Kind, source: Keypoints, driving: Keypoints, height: int, width: int, background: Tensor | None = None
) -> Tensor:
    """(B, K + 1, height, width, 2); the background's comes first.

    Args:
        kind: which of the above.
        source: of one picture, or of B.
        driving: of B pictures.
        height, width: of the motions.
        background: (B, 3, 3) or (1, 3, 3), see `background_motion`; None: it stays.

    Raises:
        ValueError: the kind needs Jacobians, and there are none.
    """
    about = local_motions(source, driving, matrices(kind, source, driving), height, width)
    behind = background_motion(background, height, width, driving.place)
    return torch.cat([behind.expand(len(driving), 1, -1, -1, -1), about], 1)


def matrices(kind: Kind, source: Keypoints, driving: Keypoints) -> Tensor | None:
    """(B, K, 2, 2): what is about each keypoint, from the driving picture to the source; None: the identity."""
    if kind == "displacements":
        return None
    if source.jacobian is None or driving.jacobian is None:
        raise ValueError(f"motions of kind {kind} need Jacobians")
    found = product(source.jacobian, inverse(driving.jacobian))
    return revert_axis_swap(found) if kind == "articulated" else found


def revert_axis_swap(found: Tensor) -> Tensor:
    """Matrices (..., 2, 2) by the sign of their first element: axes of a region that point the other way mean the
    same region, and nothing turns by more than a right angle."""
    return torch.where(found[..., :1, :1] < 0, -found, found)


def local_motions(source: Keypoints, driving: Keypoints, found: Tensor | None, height: int, width: int) -> Tensor:
    """(B, K, height, width, 2): s + M (z - d) at every place z; M being the identity where `found` is None."""
    across = steps(width, driving.place) - driving.place[..., :1]
    down = steps(height, driving.place) - driving.place[..., 1:]
    if found is None:
        shape = (*driving.place.shape[:2], height, width)
        offset = torch.stack([across[:, :, None].expand(shape), down[..., None].expand(shape)], -1)
    else:  # by columns: rows and columns of the picture part
        first, second = found[..., None, None, :, 0], found[..., None, None, :, 1]
        offset = first * across[:, :, None, :, None] + second * down[:, :, :, None, None]
    return source.place[:, :, None, None] + offset


def background_motion(background: Tensor | None, height: int, width: int, like: Tensor) -> Tensor:
    """(1 or B, 1, height, width, 2).

    Args:
        background: (B, 3, 3) homographies from the driving picture to the source; None: it stays where it is.
        height, width: of the motion.
        like: has its type and device.
    """
    grid = coordinates(height, width, like)
    if background is None:
        return grid[None, None]
    homogeneous = torch.cat([grid, torch.ones_like(grid[..., :1])], -1)
    moved = product(homogeneous, background.to(grid).mT[:, None])
    return (moved[..., :2] / moved[..., 2:])[:, None]
