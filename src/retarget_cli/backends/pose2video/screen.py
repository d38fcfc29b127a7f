"""The green that people stand before: what a generator paints where nobody is, and how it is taken away again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.core.subject import View

# In [-1, 1].
GREEN = (-1.0, 1.0, -1.0)
# Where less of a person is seen, its colour means nothing.
_LEAST = 0.02
# What is so green, 0 to 1, is the screen and no cloth; and so many pixels beside it belong to the outline.
_PLAIN, _RIM = 0.75, 2
# Where the mask is more, a photo shows the person alone; so many of these pixels count; so much green more is noise.
_INSIDE, _MOST, _SPARE = 0.95, 0.99, 0.02


def before_green(person: Tensor) -> Tensor:
    """(..., 3, h, w) in [-1, 1]: people before solid green.

    Args:
        person: (..., 4, h, w): colours in [-1, 1] times mask, and the mask in [0, 1].
    """
    mask = person[..., 3:, :, :]
    return person[..., :3, :, :] + (1 - mask) * _green(person)


def cut_out(colours: Tensor, mask: Tensor) -> Tensor:
    """(..., 3, h, w): colours in [-1, 1] times mask, 0 where nobody is, of people before green; undoes `before_green`.

    Args:
        colours: (..., 3, h, w) in [-1, 1].
        mask: (..., 1, h, w) in [0, 1].
    """
    return colours - (1 - mask) * _green(colours)


def seen_before(colours: Tensor, mask: Tensor, own: float = 1.0) -> Tensor:
    """(B, 1, h, w): a mask of frames (B, 3, h, w) that agrees with their colours.

    Mask and colours are two things that a generator says. Where it paints green and calls it a person, or a mixture
    with too little of green in the mask, the colours are believed: what is so much greener than red or blue is that
    much screen. Away from the outline that is only so beyond the green that the person wears himself.

    Args:
        colours: (B, 3, h, w) in [-1, 1].
        mask: (B, 1, h, w) in [0, 1].
        own: how green the person is, see `own_green`; 1: as green as he likes.
    """
    greener = _greener(colours)
    is_screen = ((greener > _PLAIN) | (mask < 1 / 2)).float()
    is_near = functional.max_pool2d(is_screen, 2 * _RIM + 1, 1, _RIM) > 0
    return torch.minimum(mask, 1 - torch.where(is_near, greener, (greener - own).clamp_min(0)))


def own_green(views: Sequence[View]) -> float:
    """How much greener than red or blue a person is, 0 to 1, but for a hundredth of what is seen of him."""
    found = []
    for view in views:
        inside = view.image[view.mask > _INSIDE]
        if len(inside):
            seen = torch.from_numpy(inside).float().T[None, :, :, None] / 127.5 - 1
            found.append(float(np.quantile(_greener(seen).numpy(), _MOST)))
    return min(1.0, max(found, default=1.0) + _SPARE)


def taken_away(colours: Tensor, mask: Tensor) -> Tensor:
    """(..., 3, h, w) in [0, 1]: the person's own colours times mask, the green of soft outlines taken out of them.

    Args:
        colours: (..., 3, h, w) in [-1, 1], before green.
        mask: (..., 1, h, w) in [0, 1].
    """
    own = cut_out(colours, mask) / mask.clamp_min(_LEAST)
    return (own.clamp(-1, 1) / 2 + 0.5) * mask


def _greener(colours: Tensor) -> Tensor:
    """(B, 1, h, w) in [0, 1]: by how much (B, 3, h, w) in [-1, 1] are greener than red or blue."""
    return (colours[:, 1:2] - torch.maximum(colours[:, :1], colours[:, 2:])).clamp(0, 2) / 2


def _green(like: Tensor) -> Tensor:
    return torch.tensor(GREEN, dtype=like.dtype, device=like.device)[:, None, None]
