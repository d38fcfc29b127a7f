"""A made-up body in poses that are drawn at random, or in one turned about the vertical."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.stage.poser import Poser
from retarget_cli.backends.stage.posture import Posture


def poses(count: int, seed: int = 0, strength: float = 0.4) -> Posture:
    """(count), all joints bent a little; strength 0: at rest."""
    theta = strength * np.random.default_rng(seed).standard_normal((count, 24, 3))
    return posed(theta)


def turned_poses(yaw: list[float], seed: int = 0) -> Posture:
    """One pose with other roots, which turn by so many radians about the vertical from the viewer's side."""
    theta = 0.4 * np.random.default_rng(seed).standard_normal((1, 24, 3)).repeat(len(yaw), 0)
    theta[:, 0] = np.stack([np.zeros(len(yaw)), yaw, np.zeros(len(yaw))], -1)
    return posed(theta)


def posed(theta: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Posture:
    """Of (B, 24, 3)."""
    return Poser("anny", np.zeros(27, np.float32)).posture(theta.astype(np.float32), torch.device("cpu"))


def picture(count: int, side: int, seed: int = 0) -> Tensor:
    """(count, 4, side, side): anything, with a disc in the middle for the person."""
    generator = torch.Generator().manual_seed(seed)
    across = torch.linspace(-1, 1, side)
    disc = ((across[:, None].square() + across.square()) < 0.5).float().expand(count, 1, -1, -1)
    colours = torch.rand(count, 3, side, side, generator=generator) * 2 - 1
    return torch.cat([colours * disc, disc], 1)
