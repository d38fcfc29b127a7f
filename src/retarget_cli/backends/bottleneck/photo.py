"""The photo itself, moved: a pixel takes the colour of the place where the body's surface behind it came from.

Beyond the paper, whose volumes alone carry colours; they have a quarter of the picture's sides. Where it is known where
the body is, the flow in space says of what is first hit behind every pixel where in the source's picture it was, and
whether it was seen there.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.bottleneck.sampling import lattice, resized_places, sampled

CHANNELS = 6
"""Colours in [-1, 1], 0 outside, and mask; whether the source saw the place; whether the body is there."""

SEEN, THERE = 4, 5
"""The two channels behind colours and mask."""

# How much a place near the body counts where no ray hits it, as of hair and wide clothes; any place at all; and how
# many voxels away is near.
NEAR, ANYWHERE, REACH = 0.02, 1e-4, 2


def first_photo(picture: Tensor, body: Tensor) -> Tensor:
    """(B, CHANNELS, S, S) of a picture (B, 4, S, S) that has not been moved, and of its body (B, 1, d, h, w)."""
    with torch.autocast(picture.device.type, enabled=False):
        body = body.float()
        comes = unhidden(body)
        hits = body * comes
        seen, there = (_weights(body, hits) * comes).sum(2), hits.sum(2)
        return torch.cat([picture, _enlarged(seen, picture), _enlarged(there, picture)], 1)


def moved_photo(photo: Tensor, source: Tensor, target: Tensor, places: Tensor) -> Tensor:
    """(B, CHANNELS, S, S) as the target's body (B, 1, d, h, w) shows it.

    Args:
        photo: (B or 1, CHANNELS, S, S) of the source.
        source: (B or 1, 1, d, h, w), its body.
        target: (B, 1, d, h, w).
        places: (B, D, H, W, 3) from the target's into the source's cube.
    """
    with torch.autocast(photo.device.type, enabled=False):
        target, size = target.float(), (target.shape[2], target.shape[3], target.shape[4])
        places = resized_places(places.float(), size)
        hits = target * unhidden(target)
        weights = _weights(target, hits)
        flat = lattice(size, places)[..., :2].permute(3, 0, 1, 2)
        ways = (weights * (places[..., :2].permute(0, 4, 1, 2, 3) - flat)).sum(2)
        seen = (weights * sampled(unhidden(source.float()), places)).sum(2)
        there = _enlarged(hits.sum(2), photo)
        ways, seen = _enlarged(ways, photo), _enlarged(seen, photo)
        side = photo.shape[-1]
        home = lattice((1, side, side), places)[0, ..., :2]
        read = functional.grid_sample(
            photo.float().expand(len(ways), -1, -1, -1), home + ways.permute(0, 2, 3, 1), align_corners=False
        )
        return torch.cat([read[:, :4], torch.minimum(read[:, 4:5], seen), there], 1).to(photo.dtype)


def unhidden(body: Tensor) -> Tensor:
    """(B, 1, d, h, w): how much of a ray from the viewer comes there."""
    through = (1 - body).cumprod(2)
    return torch.cat([torch.ones_like(through[:, :, :1]), through[:, :, :-1]], 2)


def _weights(body: Tensor, hits: Tensor) -> Tensor:
    """(B, 1, d, h, w) of sum 1 along every ray: what of it is shown.

    Args:
        body: (B, 1, d, h, w).
        hits: of that shape, how likely a ray from the viewer ends there.
    """
    near = functional.avg_pool3d(body, 2 * REACH + 1, 1, REACH, count_include_pad=False)
    weights = hits + NEAR * near + ANYWHERE
    return weights / weights.sum(2, keepdim=True)


def _enlarged(flat: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(flat, like.shape[-2:], mode="bilinear", align_corners=False)
