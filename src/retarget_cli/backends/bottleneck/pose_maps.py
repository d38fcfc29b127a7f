"""Postures as pictures, one limb a channel: what networks of two dimensions are told of a pose."""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.limbs import radii, segments
from retarget_cli.backends.bottleneck.posture import Posture
from retarget_cli.backends.bottleneck.sampling import steps
from retarget_cli.geometry.segments import nearest

Size = tuple[int, int]


def maps(posture: Posture, size: Size) -> Tensor:
    """(B, L, h, w) in [0, 1]: where every limb is, seen from the front.

    Args:
        posture: (B).
        size: (h, w) of the square's picture; however small, limbs are a pixel wide at least.
    """
    return _drawn(posture, size)[0]


def deep_maps(posture: Posture, size: Size) -> Tensor:
    """(B, 2 L, h, w): `maps`, and each of them times the depth there, positive behind the hips."""
    where, depth = _drawn(posture, size)
    return torch.cat([where, where * depth], 1)


def _drawn(posture: Posture, size: Size) -> tuple[Tensor, Tensor]:
    """(B, L, h, w) of limbs, and how deep the middle of each is."""
    like = posture.joints
    down, across = torch.meshgrid(steps(size[0], like), steps(size[1], like), indexing="ij")
    places = torch.stack([across, down], -1).reshape(-1, 2)
    found = segments(posture)
    close = nearest(places, found.starts[..., :2], found.ends[..., :2])
    pixel = 2 / min(size)
    thickness = radii(like).clamp_min(pixel / 2)[:, None]
    distance = close.squared.clamp_min(1e-12).sqrt()
    where = ((thickness - distance) / pixel + 0.5).clamp(0, 1)
    depth = close.between(found.starts[..., 2], found.ends[..., 2])
    shape = (*where.shape[:2], *size)
    return where.reshape(shape), depth.reshape(shape)
