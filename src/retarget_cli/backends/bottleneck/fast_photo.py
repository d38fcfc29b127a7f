"""The photo moved, in less time than `photo.moved_photo`: what the source alone decides is found once a subject.

What is told of every pixel is told at the body's resolution first and enlarged, all at once. Axes are (rows, columns,
planes), see `fast_layers`: a ray from the viewer is a row of a matrix.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.bottleneck.fast_reading import Axes, linear, read, table_of
from retarget_cli.backends.bottleneck.photo import ANYWHERE, NEAR, REACH, SEEN, THERE, unhidden
from retarget_cli.backends.bottleneck.sampling import Size, lattice


class FastPhoto:
    """A photo and the body in it.

    Args:
        photo: (1, CHANNELS, S, S) as `photo.first_photo` makes it.
        body: (1, 1, d, h, w), which the source's rays are stopped by.
    """

    def __init__(self, photo: Tensor, body: Tensor) -> None:
        self._photo, side = photo.float().contiguous(), photo.shape[-1]
        depth, height, width = body.shape[2:]
        self._size: Size = depth, height, width
        self._unhidden = table_of(unhidden(body.float()))
        self._near = Axes(_blur(height), _blur(width), _blur(depth), self._size)
        self._down, self._across = linear(height, side), linear(width, side).T.contiguous()
        self._home = lattice((1, side, side), photo)[0, ..., :2].permute(2, 0, 1).contiguous()

    def __call__(self, body: Tensor, moved: Tensor, places: Tensor) -> Tensor:
        """(1, CHANNELS, S, S) as the target's body shows it.

        Args:
            body: (1, P) in [0, 1], P = h * w * d.
            moved: (3, P), how far from home each voxel's place in the source's cube is.
            places: (3, P), that place, counted in voxels.
        """
        depth, height, width = self._size
        rays = body.view(-1, depth)
        through = (1 - rays).cumprod(1)
        hits = rays.clone()
        hits[:, 1:] *= through[:, :-1]
        weights = self._near(body).view(-1, depth).mul_(NEAR).add_(hits).add_(ANYWHERE)
        weights /= weights.sum(1, keepdim=True)
        seen = read(self._unhidden, self._size, places).view(-1, depth)
        ways = [(weights * each.view(-1, depth)).sum(1) for each in (*moved[:2], seen)]
        flat = torch.stack([*ways, hits.sum(1)]).view(-1, height, width)
        across, down, seen, there = self._down @ flat @ self._across
        grid = torch.stack([across, down]).add_(self._home).permute(1, 2, 0)
        made = functional.grid_sample(self._photo, grid[None], align_corners=False)
        torch.minimum(made[0, SEEN], seen, out=made[0, SEEN])
        made[0, THERE] = there
        return made


def _blur(length: int) -> Tensor:
    """(length, length): means over 2 REACH + 1 steps, fewer at the ends."""
    step = torch.arange(length)
    near = ((step[:, None] - step).abs() <= REACH).float()
    return near / near.sum(1, keepdim=True)
