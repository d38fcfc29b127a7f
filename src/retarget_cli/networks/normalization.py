"""Normalizations that a network may be built with, by their names in options."""

from __future__ import annotations

from typing import Literal

from torch import nn

Norm = Literal["instance", "batch"]


def normalization(norm: Norm, channels: int) -> nn.Module:
    """A layer of (B, channels, H, W).

    Args:
        norm: `instance`: without affine, of each picture by itself; `batch`: affine, with statistics that are kept.
        channels: of what is normalized.
    """
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.InstanceNorm2d(channels)
