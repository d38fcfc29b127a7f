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


def table_of(volume: Tensor, room: int = 0) -> Tensor:
    """(H * W * D, C + room) from (1, C, D, H, W); there is nothing in the columns behind."""
    rows = volume[0].permute(2, 3, 1, 0).flatten(0, 2).float()
    return functional.pad(rows, (0, room)).contiguous()


def volume_of(rows: Tensor, size: Size) -> Tensor:
    """(1, C, H, W, D) with channels last, from (H * W * D, C) and (D, H, W)."""
    depth, height, width = size
    return rows.reshape(1, height, width, depth, -1).permute(0, 4, 1, 2, 3)


def home_of(size: Size, like: Tensor) -> Tensor:
    """(3, H * W * D): every voxel's own place."""
    return lattice(size, like).permute(3, 1, 2, 0).flatten(1).contiguous()


class Axes:
    """A matrix (n', n) along each axis of a volume, or None, where nothing is to be done.

    What is a sum of products of weights along the axes, as resizing and blurring are, costs least one axis at a time.
    """

    def __init__(self, rows: Tensor | None, columns: Tensor | None, planes: Tensor | None, size: Size) -> None:
        self._rows, self._columns, self._planes, self._size = rows, columns, planes, size

    @classmethod
    def resizing(cls, size: Size, wanted: Size) -> Axes:
        """From one (D, H, W) to another, trilinear."""
        pairs = zip(size, wanted, strict=True)
        planes, rows, columns = (None if old == new else linear(old, new) for old, new in pairs)
        return cls(rows, columns, planes, size)

    def __call__(self, values: Tensor) -> Tensor:
        """(C, H' * W' * D') from (C, H * W * D)."""
        depth, height, width = self._size
        if self._columns is not None:
            values = self._columns @ values.reshape(-1, height, width, depth)
            width = len(self._columns)
        if self._rows is not None:
            values = self._rows @ values.reshape(-1, height, width * depth)
            height = len(self._rows)
        if self._planes is not None:
            values = values.reshape(-1, depth) @ self._planes.T
            depth = len(self._planes)
        return values.reshape(-1, height * width * depth)


def linear(length: int, wanted: int) -> Tensor:
    """(wanted, length): of every new step what it takes of the old ones."""
    every = torch.eye(length)[None]
    return functional.interpolate(every, wanted, mode="linear", align_corners=False)[0].T.contiguous()


class Flow:
    """How far voxels go, found at one size, as places in volumes of another.

    Args:
        found: (D, H, W) of the flow.
        size: (D, H, W) of the volumes.
    """

    def __init__(self, found: Size, size: Size) -> None:
        depth, height, width = size
        sides = torch.tensor([width, height, depth])[:, None]
        self._resizing, self._sides = Axes.resizing(found, size), sides / 2
        self._home = ((home_of(size, self._sides) + 1) * self._sides - 0.5).round_()

    def moved(self, moved: Tensor) -> Tensor:
        """(3, P) of the volumes' voxels, from (3, P') of the flow's; in units of the cube [-1, 1]^3."""
        return self._resizing(moved)

    def places(self, moved: Tensor) -> Tensor:
        """(3, P), counted in voxels from the middle of the first one, from (3, P')."""
        return self._resizing(moved * self._sides).add(self._home)


def read(table: Tensor, size: Size, places: Tensor) -> Tensor:
    """(P, C) of a volume of size (D, H, W) as a table, at places (3, P): x, y and z, see `Flow.places`."""
    depth, height, width = size
    last = torch.tensor([width, height, depth])[:, None] - 1
    at = places.minimum(last).clamp_min_(0)
    # The voxel before each place, of which there is one behind, and the share of that one.
    low = at.floor().minimum((last - 1).clamp_min_(0))
    across, down, away = low.unbind()
    right, below, behind = at.sub_(low).unbind()
    # A place that is no number is somewhere.
    first = torch.add(across, down, alpha=width).mul_(depth).add_(away).int().clamp_(0, len(table) - 1)
    # From a voxel to the next one in each direction; where there is none, its share is 0.
    row, line, one = width * depth * (height > 1), depth * (width > 1), int(depth > 1)
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
