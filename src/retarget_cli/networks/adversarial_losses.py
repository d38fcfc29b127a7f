"""Least squares games between a generator and discriminators.

Mao et al., Least squares generative adversarial networks, 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# What a discriminator should say of the real and of the made, and what the generator wants it to say: "LSGAN-110".
REAL, MADE, WANTED = 1.0, -1.0, 0.0


def least_squares(scores: Sequence[Tensor], label: float) -> Tensor:
    """The mean squared distance to the label; every discriminator's map counts the same."""
    return torch.stack([(score.float() - label).square().mean() for score in scores]).mean()
