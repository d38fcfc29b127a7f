"""From rendered RGBA to pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import numpy as np
from torch import Tensor

from retarget_cli.core.subject import Image
from retarget_cli.workflows.background import Background
from retarget_cli.workflows.compose import cut_out, over


def composed(
    rendered: Iterable[tuple[Fraction, Tensor]],
    background: Background,
    size: tuple[int, int],
    start: Callable[[], Fraction] | None = None,
) -> Iterator[tuple[Fraction, Image]]:
    """The person over the background: (time, (H, W, 3) uint8), or (H, W, 4) where the background is transparent.

    Args:
        rendered: (time, RGBA (4, H, W) in [0, 1], straight alpha).
        background: asked for each frame at its time since the first.
        size: (height, width).
        start: time of the result's first frame, asked once there is a frame; by default that of the first given.
    """
    began: Fraction | None = None
    for time, frame in rendered:
        if began is None:
            began = time if start is None else start()
        plate = background.at(time - began)
        out = np.empty((*size, 4 if plate is None else 3), np.uint8)
        pixels = frame.cpu().numpy()
        if plate is None:
            cut_out(pixels, out)
        else:
            over(pixels, plate, out)
        yield time, out
