"""Postures as pictures, one limb a channel: what networks of two dimensions are told of a pose."""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.backends.stage.frame import REACH, Size, steps
from retarget_cli.backends.stage.limbs import Segments, radii, segments
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.geometry.segments import nearest


def maps(posture: Posture, size: Size, aside: float = 0.0) -> Tensor:
    """(B, L, h, w) in [0, 1]: where every limb is, seen from the front.

    Args:
        posture: (B).
        size: (h, w) of the frame's picture; however small, limbs are a pixel wide at least.
        aside: metres from the hips to the frame's left and right border; 0: as many as make pixels square.
    """
    return drawn(segments(posture), size, aside)[0]


def deep_maps(posture: Posture, size: Size) -> Tensor:
    """(B, 2 L, h, w): `maps`, and each of them times the depth there, positive behind the hips."""
    where, depth = drawn(segments(posture), size)
    return torch.cat([where, where * depth], 1)


def drawn(found: Segments, size: Size, aside: float = 0.0) -> tuple[Tensor, Tensor]:
    """(B, L, h, w) of limbs, and how deep the middle of each is; see `maps`."""
    like, wide = found.starts, aside / REACH or size[1] / size[0]
    down, across = torch.meshgrid(steps(size[0], like), wide * steps(size[1], like), indexing="ij")
    places = torch.stack([across, down], -1).reshape(-1, 2)
    close = nearest(places, found.starts[..., :2], found.ends[..., :2])
    pixel = 2 * max(1 / size[0], wide / size[1])
    thickness = radii(like).clamp_min(pixel / 2)[:, None]
    distance = close.squared.clamp_min(1e-12).sqrt()
    where = ((thickness - distance) / pixel + 0.5).clamp(0, 1)
    depth = close.between(found.starts[..., 2], found.ends[..., 2])
    shape = (*where.shape[:2], *size)
    return where.reshape(shape), depth.reshape(shape)
