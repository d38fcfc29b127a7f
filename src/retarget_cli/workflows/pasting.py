"""A performer that moves a part of a picture, with the rest about it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.base import Comparing, Performer, Window
from retarget_cli.core.errors import BackendError
from retarget_cli.core.footage import Footage
from retarget_cli.core.subject import Image
from retarget_cli.workflows.cropping import Box, seam


class Pasted(Comparing):
    """What a performer makes of a part, laid into the whole picture; the seam between them is soft.

    Args:
        part: of a subject of the box's size.
        picture: (H, W, 3) uint8, the whole.
        box: where the part is in it.
    """

    def __init__(self, part: Performer, picture: Image, box: Box) -> None:
        height, width = picture.shape[:2]
        self._part, self._box = part, box
        whole = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float() / 255
        self._whole = torch.cat([whole, torch.ones(1, height, width)])
        self._seam = torch.from_numpy(seam(box, (height, width)))

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`."""
        for made in self._part.perform(driving):
            yield self._pasted(made)

    def apart(self, footage: Footage) -> list[float]:
        """See `Comparing`."""
        if not isinstance(self._part, Comparing):
            raise BackendError("this method can't tell how far driving frames are from the source")
        return self._part.apart(footage)

    def _pasted(self, made: Tensor) -> Tensor:
        """(T, 4, H, W), opaque, of (T, 4, h, w)."""
        box, whole = self._box, self._whole.to(made.device)
        out = whole.expand(len(made), *whole.shape).clone()
        here = out[:, :3, box.y : box.y + box.height, box.x : box.x + box.width]
        share = made[:, 3:] * self._seam.to(made.device)
        here += (made[:, :3] - here) * share
        return out
