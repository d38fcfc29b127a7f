"""What the background network paints behind the person of a photo (eq. 3): once a subject, in place of the plate."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.inputs import USUAL, emptied
from retarget_cli.backends.stage.frame import REACH, Size
from retarget_cli.backends.stage.pictures import colours
from retarget_cli.core.subject import Image, View

# The sides of the network's picture: so many times the person's square at most, and so many pixels at least.
_MOST, _LEAST = 4, 8


def painted_plate(network: nn.Module, view: View, side: int, device: torch.device) -> Image:
    """(H, W, 3): the photo as it is, and where the person was, the network's picture.

    The network sees all of the photo, the person about as large as in training.

    Args:
        network: G_bg.
        view: the photo.
        side: S, pixels of the person's square in training.
        device: where the network is.
    """
    size = view.image.shape[0], view.image.shape[1]
    small, factor = _picture_size(size, float(view.camera[0]), side)
    photo = torch.cat([colours(view.image), torch.from_numpy(view.mask)[None].float()])
    shrunk = _resized(photo, small)
    given = emptied(shrunk[:3], shrunk[3:], 2 * REACH * float(view.camera[0]) * factor / USUAL)
    with torch.inference_mode():
        painted = network(given[None].to(device))[0].float().cpu()
    gone = _resized(given[3:], size)
    plate = photo[:3] * (1 - gone) + _resized(painted, size) * gone
    return ((plate.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).numpy().astype(np.uint8)


def _picture_size(size: Size, scale: float, side: int) -> tuple[Size, float]:
    """(height, width) of the network's picture of a canvas with `scale` pixels a metre; and how much smaller it is."""
    factor = min(1.0, side / (2 * REACH * max(scale, 1e-3)), _MOST * side / max(size))
    height, width = (max(_LEAST, round(each * factor)) for each in size)
    return (height, width), factor


def _resized(picture: Tensor, size: Size) -> Tensor:
    """(C, H, W) of another size."""
    return functional.interpolate(picture[None], size, mode="bilinear", antialias=True)[0]
