"""The green that people stand before: what a generator paints where nobody is, and how it is taken away again."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# In [-1, 1].
GREEN = (-1.0, 1.0, -1.0)
# Where less of a person is seen, its colour means nothing.
_LEAST = 0.02
# What is so green, 0 to 1, is the screen and no cloth; and so many pixels beside it belong to the outline.
_PLAIN, _RIM = 0.75, 2


def before_green(person: Tensor) -> Tensor:
    """(..., 3, h, w) in [-1, 1]: people before solid green.

    Args:
        person: (..., 4, h, w): colours in [-1, 1] times mask, and the mask in [0, 1].
    """
    mask = person[..., 3:, :, :]
    return person[..., :3, :, :] + (1 - mask) * _green(person)


def seen_before(colours: Tensor, mask: Tensor) -> Tensor:
    """(B, 1, h, w): a mask of frames (B, 3, h, w) that agrees with their colours along the outline.

    Mask and colours are two things that a generator says. Where it paints green and calls it a person, or a mixture
    with too little of green in the mask, the colours are believed: what is so much greener than red or blue is that
    much screen. Away from the outline a person may be as green as he likes.
    """
    greener = (colours[:, 1:2] - torch.maximum(colours[:, :1], colours[:, 2:])).clamp_min(0) / 2
    is_screen = ((greener > _PLAIN) | (mask < 1 / 2)).float()
    is_near = functional.max_pool2d(is_screen, 2 * _RIM + 1, 1, _RIM) > 0
    return torch.where(is_near, torch.minimum(mask, 1 - greener), mask)


def taken_away(colours: Tensor, mask: Tensor) -> Tensor:
    """(..., 3, h, w) in [0, 1]: the person's own colours times mask, the green of soft outlines taken out of them.

    Args:
        colours: (..., 3, h, w) in [-1, 1], before green.
        mask: (..., 1, h, w) in [0, 1].
    """
    own = (colours - (1 - mask) * _green(colours)) / mask.clamp_min(_LEAST)
    return (own.clamp(-1, 1) / 2 + 0.5) * mask


def _green(like: Tensor) -> Tensor:
    return torch.tensor(GREEN, dtype=like.dtype, device=like.device)[:, None, None]
