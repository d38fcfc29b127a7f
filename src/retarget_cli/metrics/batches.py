"""Pictures through a network, few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

PIXELS_AT_ONCE = 2**19
"""Of all pictures that a network sees together: VGG's first maps of these take 0.3 GB."""


def parts(pictures: Tensor, device: torch.device) -> Iterator[tuple[slice, Tensor]]:
    """(which, pictures (n, 3, H, W) float32 in [0, 255] on the device), in order."""
    size = max(1, PIXELS_AT_ONCE // (pictures.shape[-2] * pictures.shape[-1]))
    for start in range(0, len(pictures), size):
        chosen = slice(start, start + size)
        yield chosen, pictures[chosen].to(device, torch.float32)


def signed(pictures: Tensor) -> Tensor:
    """[0, 255] -> [-1, 1]."""
    return pictures / 127.5 - 1


def normalized(pictures: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """(N, 3, H, W) in [0, 255] -> less the mean and over the deviation, both of RGB in [0, 1]."""
    shape = (3, 1, 1)
    return (pictures / 255 - pictures.new_tensor(mean).view(shape)) / pictures.new_tensor(deviation).view(shape)


def resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 3, H, W) -> (N, 3, *size), bilinear, with smoothing where it shrinks."""
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size=size, mode="bilinear", align_corners=False, antialias=True)
