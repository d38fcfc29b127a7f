"""Landmarks of a known body in known poses: what a perfect pose network would see."""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body
from retarget_cli.body.placement import posed_landmarks


def body() -> Body:
    return load_body("anny")


def random_theta(count: int, seed: int, strength: float = 0.35) -> Tensor:
    """(T, 24, 3) plausible poses: small turns of the joints that a fit can see."""
    generator = torch.Generator().manual_seed(seed)
    theta = torch.zeros(count, 24, 3)
    for joint in (0, 1, 2, 4, 5, 9, 16, 17, 18, 19):
        theta[:, joint] = strength * torch.randn(count, 3, generator=generator)
    theta[:, [4, 5]] *= torch.tensor([1.0, 0.0, 0.0])  # knees are hinges
    return theta


def seen(theta: Tensor, betas: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    """Image landmarks (T, 33, 3) with full confidence, and metric ones (T, 33, 3) about the hips."""
    world = posed_landmarks(body(), body().shaped(betas), theta)
    pixels = world[..., :2] * camera[:, None, :1] + camera[:, None, 1:]
    return torch.cat([pixels, torch.ones(*pixels.shape[:2], 1)], -1), world
