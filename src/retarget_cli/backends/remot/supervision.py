"""What flow should be learned: how a person moved between two real pictures, by dense inverse search."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from retarget_cli.core.subject import Image
from retarget_cli.perception.optical_flow import OpticalFlow


def true_flow(persons: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Flow of each frame but the first to the one before.

    Args:
        persons: (T, 3, H, W) in [-1, 1], on black, each in its own frame: as the networks see and refine them.
        masks: (T, 1, H, W) in [0, 1].

    Returns:
        (T - 1, 2, H, W) in pixels, to the right and down; (T - 1, 1, H, W): 1 on the person where the way there and
        back ends where it began, else 0.
    """
    search = OpticalFlow()
    frames = [_image(person) for person in persons]
    found = [search.believed(now, before) for before, now in pairwise(frames)]
    flow = torch.stack([torch.from_numpy(each).permute(2, 0, 1) for each, _ in found])
    believed = torch.stack([torch.from_numpy(each)[None] for _, each in found])
    return flow, (believed & (masks[1:] > 0.5)).float()


def _image(person: Tensor) -> Image:
    """(H, W, 3)."""
    shown = ((person.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).numpy()
    return np.ascontiguousarray(shown.astype(np.uint8))
