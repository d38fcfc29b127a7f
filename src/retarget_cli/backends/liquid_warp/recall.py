"""Features of targets that come again, kept instead of computed anew."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import torch
from torch import Tensor

from retarget_cli.networks.likeness_losses import LikenessLoss

# Targets of which features are kept: 25 MB each of VGG's, at any picture size.
_MOST = 16


class Recall:
    """A loss that knows pictures again which it has seen before, by their bytes.

    Args:
        loss: what is computed.
        is_repeated: whether targets come again; where they do not, nothing is kept.
    """

    def __init__(self, loss: LikenessLoss, is_repeated: bool) -> None:
        self._loss = loss
        self._is_repeated = is_repeated
        self._kept: OrderedDict[bytes, list[Tensor]] = OrderedDict()

    def loss(self, made: Tensor, target: Tensor) -> Tensor:
        """The distance of pictures (B, 3, H, W) in [-1, 1]."""
        found: Tensor = self._loss(made, self.features(target))
        return found

    def features(self, target: Tensor) -> list[Tensor]:
        """Of every picture, from memory where it is there."""
        if not self._is_repeated:
            return self._loss.features(target)
        rows = [self._of_one(target[number : number + 1]) for number in range(target.shape[0])]
        return rows[0] if len(rows) == 1 else [torch.cat(maps) for maps in zip(*rows, strict=True)]

    def _of_one(self, picture: Tensor) -> list[Tensor]:
        content = picture.detach().float().cpu().contiguous().numpy().tobytes()
        key = hashlib.blake2b(content, digest_size=16).digest()
        if key not in self._kept:
            if len(self._kept) == _MOST:
                self._kept.popitem(last=False)
            self._kept[key] = self._loss.features(picture)
        self._kept.move_to_end(key)
        return self._kept[key]
