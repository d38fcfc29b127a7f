"""A puppet of coloured limbs in several poses before a place, as batches of the bottleneck's game have them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.stage.limbs import LIMBS
from retarget_cli.backends.stage.pose_maps import maps
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.backends.stage.posture import Posture

CPU = torch.device("cpu")
# Rotations of root, shoulders and hips in radians, one row a picture: the first stands, the last is the target.
_TURNS = ((0.0, 1.0, 0.1), (0.9, 0.4, 0.3), (-0.6, 0.7, 0.0), (0.3, 0.2, 0.5))
_SHOULDERS, _HIPS = (16, 17), (1, 2)


def postures(count: int) -> Posture:
    """(count) of one made-up body."""
    theta = np.zeros((count, 24, 3), np.float32)
    for row, (root, arms, legs) in enumerate((*_TURNS[: count - 1], _TURNS[-1])):
        theta[row, 0, 1] = root
        theta[row, _SHOULDERS[0], 2], theta[row, _SHOULDERS[1], 2] = arms, -arms
        theta[row, _HIPS[0], 0], theta[row, _HIPS[1], 0] = legs, -legs
    return Poser("anny", np.zeros(27, np.float32)).posture(theta, CPU)


def batch(side: int = 64, count: int = 1, sources: int = 2) -> dict[str, Tensor]:
    """`count` times the same; every key of `BottleneckGame`."""
    found = postures(sources + 1)
    drawn = maps(found, (side, side))
    mask = drawn.amax(1, keepdim=True)
    paint = 0.8 * torch.sin(torch.arange(LIMBS * 3.0).view(LIMBS, 3) * 1.7)
    colours = torch.einsum("blhw,lc->bchw", drawn / drawn.sum(1, keepdim=True).clamp_min(1e-6), paint)
    people = torch.cat([colours * mask, mask], 1)
    place = _place(side)
    gone = (mask[:1] > 0).float()
    made = {
        "pictures": people[:-1],
        "source_joints": found.joints[:-1],
        "source_bones": found.bones[:-1],
        "target": people[-1],
        "target_joints": found.joints[-1],
        "target_bones": found.bones[-1],
        "target_full": people[-1, :3] + (1 - mask[-1]) * place,
        "behind": torch.cat([place * (1 - gone[0]), gone[0]]),
        "background": place,
    }
    return {name: value[None].repeat(count, *[1] * value.dim()) for name, value in made.items()}


def _place(side: int) -> Tensor:
    """(3, side, side) in [-0.6, 0.6]."""
    steps = torch.arange(side) * (6 / side)
    return 0.6 * torch.stack([torch.sin(steps[None] + k + steps[:, None] * (k - 1)) for k in range(3)])
