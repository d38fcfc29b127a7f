"""From people and poses to what the networks take: pictures in the person's own square, postures in its cube."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.stage import pictures
from retarget_cli.backends.stage.frame import Frame
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import View

# The person's square that sizes in pixels are given for.
USUAL = 256
# How far beyond the person's outline nothing of a background is believed: the side of a smaller square.
_RIM = 11
# What a mask must say at least where somebody is.
_SOMEBODY = 0.05


def square(camera: FloatArray, side: int) -> Frame:
    """S x S pixels about a person seen by a camera (3,)."""
    return Frame.of(camera, (side, side))


def seen_person(view: View, side: int) -> Tensor:
    """(4, S, S): colours of the person in [-1, 1], 0 outside, and the mask in [0, 1]."""
    return pictures.seen_person(view, square(view.camera, side))


def seen_behind(view: View, frame: Frame) -> Tensor:
    """(4, S, S): what `emptied` makes of a square of the view's picture."""
    mask = frame.cut(torch.from_numpy(view.mask)[None].float())
    return emptied(pictures.seen_whole(view.image, frame), mask, frame.size[0] / USUAL)


def emptied(picture: Tensor, mask: Tensor, scale: float) -> Tensor:
    """(4, H, W): a picture (3, H, W) in [-1, 1] without the person, 0 there; and 1 where the person was, else 0.

    Args:
        picture: of any size.
        mask: (1, H, W) of the person; a rim around it goes as well.
        scale: of the picture, to one in which the person's square has 256 pixels.
    """
    rim = 2 * max(1, round(_RIM * scale / 2)) + 1
    gone = functional.max_pool2d((mask > _SOMEBODY).float()[None], rim, 1, rim // 2)[0]
    return torch.cat([picture * (1 - gone), gone])
