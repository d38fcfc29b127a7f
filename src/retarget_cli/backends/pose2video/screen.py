"""The green that people stand before: what a generator paints where nobody is, and how it is taken away again."""

from __future__ import annotations

import math
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
# Along the outline: how much more the inside counts, how far it spreads, how wide the outline is, and next to nothing.
_INNER, _FAR, _WIDE, _NOTHING = 6, 1.5, 3, 1e-5
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


def taken_away(colours: Tensor, mask: Tensor, own: float = 1.0) -> Tensor:
    """(B, 4, h, w) in [0, 1]: the person without the green, colours times mask, and the mask.

    Along the outline a picture so small tells neither colour nor mask by itself. There the person is coloured as just
    inside, and the mask is how far from green towards that colour a pixel lies, where the generator's is not less.

    Args:
        colours: (B, 3, h, w) in [-1, 1], before green.
        mask: (B, 1, h, w) in [0, 1].
        own: see `seen_before`.
    """
    seen, green = seen_before(colours, mask, own), _green(colours)
    plain = (cut_out(colours, seen) / seen.clamp_min(_LEAST)).clamp(-1, 1)
    inner = (1 - _blurred(1 - seen, 1)).clamp(0, 1) ** _INNER * seen + _NOTHING
    spread = _blurred(plain * inner, _FAR) / _blurred(inner, _FAR)
    rim = (_WIDE * _blurred((seen < 1 / 2).float(), 1)).clamp(0, 1)
    person = plain + rim * (spread - plain)
    way = person - green
    share = ((colours - green) * way).sum(-3, keepdim=True) / way.square().sum(-3, keepdim=True).clamp_min(_NOTHING)
    found = torch.where(rim > 0, torch.minimum(mask, share.clamp(0, 1)), seen)
    return torch.cat([(person / 2 + 0.5) * found, found], -3)


def _blurred(pictures: Tensor, sigma: float) -> Tensor:
    """(B, C, h, w), with a Gaussian of so many pixels."""
    reach = math.ceil(3 * sigma)
    places = torch.arange(-reach, reach + 1, device=pictures.device)
    line = torch.exp(-((places / sigma) ** 2) / 2)
    line = (line / line.sum()).expand(pictures.shape[1], 1, 1, -1)
    padded = functional.pad(pictures, (reach, reach, reach, reach), mode="replicate")
    across = functional.conv2d(padded, line, groups=len(line))
    return functional.conv2d(across, line.transpose(-1, -2), groups=len(line))


def _greener(colours: Tensor) -> Tensor:
    """(B, 1, h, w) in [0, 1]: by how much (B, 3, h, w) in [-1, 1] are greener than red or blue."""
    return (colours[:, 1:2] - torch.maximum(colours[:, :1], colours[:, 2:])).clamp(0, 2) / 2


def _green(like: Tensor) -> Tensor:
    return torch.tensor(GREEN, dtype=like.dtype, device=like.device)[:, None, None]
