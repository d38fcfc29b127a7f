"""Pictures of people, each in a frame of its own."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.stage.frame import Frame
from retarget_cli.core.subject import Image, View


def seen_person(view: View, frame: Frame) -> Tensor:
    """(4, h, w): colours of the person in [-1, 1], 0 outside, and the mask in [0, 1]."""
    mask = torch.from_numpy(view.mask)[None].float()
    return _shares(frame.cut(torch.cat([colours(view.image) * mask, mask])))


def seen_whole(image: Image, frame: Frame) -> Tensor:
    """(3, h, w): everything in the frame in [-1, 1]; 0 beyond the picture."""
    return frame.cut(colours(image)).clamp(-1, 1)


def colours(image: Image) -> Tensor:
    """(3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 127.5 - 1


def _shares(picture: Tensor) -> Tensor:
    """Sums of weights may be a shade more than 1, which no logarithm of a loss takes."""
    return torch.cat([picture[:3].clamp(-1, 1), picture[3:].clamp(0, 1)])
