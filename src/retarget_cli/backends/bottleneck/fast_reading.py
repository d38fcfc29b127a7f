"""Volumes read at places as sums of rows: what `sampling.sampled` makes, in less time.

Reading at a place is a mean of the eight voxels around it with weights that all channels share. With channels last
those of a voxel lie side by side, a row of a table; nothing is fetched channel by channel. Axes are (rows, columns,
planes), see `fast_layers`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.bottleneck.sampling import Size, lattice


def table_of(volume: Tensor) -> Tensor:
    """(H * W * D, C) from (1, C, D, H, W)."""
    return volume[0].permute(2, 3, 1, 0).flatten(0, 2).float().contiguous()


def volume_of(rows: Tensor, size: Size) -> Tensor:
    """(1, C, H, W, D) with channels last, from (H * W * D, C) and (D, H, W)."""
    depth, height, width = size
    return rows.reshape(1, height, width, depth, -1).permute(0, 4, 1, 2, 3)


def home_of(size: Size, like: Tensor) -> Tensor:
    """(3, H * W * D): every voxel's own place."""
    return lattice(size, like).permute(3, 1, 2, 0).flatten(1).contiguous()


def resized(values: Tensor, size: Size, wanted: Size) -> Tensor:
    """(C, H' * W' * D') from (C, H * W * D), trilinear; sizes are (D, H, W)."""
    if size == wanted:
        return values
    depth, height, width = wanted
    grid = values.reshape(1, len(values), size[1], size[2], size[0])
    larger = functional.interpolate(grid, (height, width, depth), mode="trilinear", align_corners=False)
    return larger[0].flatten(1)


def read(table: Tensor, size: Size, places: Tensor) -> Tensor:
    """(P, C) of a volume of size (D, H, W) as a table, at places (3, P) of coordinates (x, y, z)."""
    depth, height, width = size
    across, right = _along(places[0], width)
    down, below = _along(places[1], height)
    away, behind = _along(places[2], depth)
    # From a voxel to the next one in each direction; where there is none, its share is 0.
    row, line, one = width * depth * (height > 1), depth * (width > 1), int(depth > 1)
    first = (down * width + across) * depth + away
    around = [y + x + z for y in (0, row) for x in (0, line) for z in (0, one)]
    rows = first[:, None] + torch.tensor(around, dtype=torch.int32)
    shares = torch.empty(rows.shape)
    columns = iter(shares.unbind(1))
    # Column by column: many short rows at once would be far slower.
    for y in (1 - below, below):
        for x in (1 - right, right):
            both = y * x
            for z in (1 - behind, behind):
                torch.mul(both, z, out=next(columns))
    return functional.embedding_bag(rows, table, mode="sum", per_sample_weights=shares)


def _along(place: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of one direction: the voxel before each place, of which there is one behind, and the share of that one."""
    at = torch.add(place, 1).mul_(count / 2).sub_(0.5).clamp_(0, count - 1)
    # A place that is no number is somewhere.
    low = at.nan_to_num_(0.0).floor().clamp_(max=max(count - 2, 0))
    return low.int(), at - low
