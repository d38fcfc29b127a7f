"""The same weights wherever they are made: numpy's streams by name of the tensor, scaled so that signals live on."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def values(name: str, shape: tuple[int, ...]) -> Tensor:
    """Numbers for a tensor of a state dict."""
    stream = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith(("running_var", "bn.weight", "fc.1.weight")) or name == "last_bn.weight":
        drawn = stream.uniform(0.5, 1.5, shape)
    elif len(shape) > 1:
        drawn = stream.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    else:
        drawn = stream.standard_normal(shape) * 0.1
    return torch.from_numpy(np.asarray(drawn, dtype=np.float32))


def filled(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of the same names and shapes."""
    return {name: values(name, tuple(value.shape)) for name, value in state.items() if "num_batches" not in name}


def picture(shape: tuple[int, ...]) -> Tensor:
    """Smooth colours in [0, 1]."""
    grid = torch.meshgrid(*(torch.arange(length, dtype=torch.float64) for length in shape), indexing="ij")
    steps = (0.9, 1.7, 0.31, 0.17, 0.11)
    wave = sum(axis * step for axis, step in zip(grid, steps, strict=False))
    return (torch.as_tensor(wave).sin() * 0.5 + 0.5).float()
