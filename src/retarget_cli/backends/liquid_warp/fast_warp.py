"""Source features brought to the target's place, as sums over their pixels: each a row of a table.

What grid sampling with zero padding makes of a feature (C, h, w) is, at every pixel, a sum of four rows of the table
(h * w, C), with weights that all channels and all levels of this size share. Rows lie together in memory; and the
weights take in what the blocks do with the sources: their sum, their mean, or attention.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.liquid_warp.generator import resized_flow


@dataclass(frozen=True, slots=True)
class Taps:
    """Which rows make a pixel, for B targets and S sources.

    Attributes:
        rows: (B * h * w, S, 4) int32, of a table of all sources, (S * h * w, C).
        weights: (B * h * w, S, 4) bilinear, 0 outside.
        size: (h, w).
    """

    rows: Tensor
    weights: Tensor
    size: tuple[int, int]

    def summed(self, table: Tensor, shares: Tensor | None = None) -> Tensor:
        """(B, C, h, w) channels last: the sum over the sources.

        Args:
            table: (S * h * w, C).
            shares: (B * h * w, S) of the sources; None: 1.
        """
        weights = self.weights if shares is None else self.weights * shares[..., None]
        flat = _sums(self.rows.flatten(1), weights.flatten(1), table)
        height, width = self.size
        return flat.reshape(-1, height, width, flat.shape[1]).permute(0, 3, 1, 2)

    def each(self, table: Tensor) -> Tensor:
        """(B * h * w, S, C): every source's own."""
        flat = _sums(self.rows.flatten(0, 1), self.weights.flatten(0, 1), table)
        return flat.reshape(*self.rows.shape[:2], flat.shape[1])


def _sums(rows: Tensor, weights: Tensor, table: Tensor) -> Tensor:
    """(N, C): of rows (N, K) with weights (N, K)."""
    return functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)


def taps_of(flows: Tensor, height: int, width: int) -> Taps:
    """The four pixels around every place that flows (B, S, H, W, 2) lead to, at a size."""
    batch, sources = flows.shape[:2]
    grid = resized_flow(flows.flatten(0, 1), height, width).reshape(batch, sources, -1, 2).transpose(1, 2)
    grid = grid.reshape(-1, sources, 2)
    sides = grid.new_tensor([width, height])
    # Kept near the picture, so that no place is too large for a whole number; all beyond its edge is 0 anyway.
    place = (((grid + 1) * sides - 1) / 2).clamp(-2, max(height, width) + 1)
    low = place.floor()
    upper = place - low
    near = torch.stack([low, low + 1], -1)  # (N, S, xy, low or high)
    share = torch.stack([1 - upper, upper], -1)
    share = share * ((near >= 0) & (near < sides[:, None]))
    near = near.clamp_min(0).minimum(sides[:, None] - 1).int()
    first = torch.arange(sources, dtype=torch.int32, device=grid.device)[:, None, None] * (height * width)
    rows = near[:, :, 1, :, None] * width + near[:, :, 0, None, :] + first
    weights = share[:, :, 1, :, None] * share[:, :, 0, None, :]
    return Taps(rows.flatten(2), weights.flatten(2), (height, width))


def table_of(feature: Tensor) -> Tensor:
    """(S * h * w, C) from (S, C, h, w)."""
    return feature.permute(0, 2, 3, 1).reshape(-1, feature.shape[1]).contiguous()
