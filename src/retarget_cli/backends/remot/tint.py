"""What regions are painted upon: the source's colours, smoothed, where the layout has the region.

Beyond the paper, whose region GAN has to find out by itself that colours come from the source.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.networks.composite_generator import EMPTY

# A window's sides, as a share of the picture's height; it slides over the picture twice.
_WINDOW = 1 / 12
# How much a region's mean colour counts, in pixels of a window, and the whole person's against it.
_MEAN, _PERSON = 0.02, 1e-3


def tinted(masks: Tensor, person: Tensor, layout: Tensor) -> Tensor:
    """(B, 5, 3, H, W) in [-1, 1], each region on black: near where the source shows it, its colours there.

    Elsewhere it has the region's mean colour, or, where the source does not show it at all, the person's.

    Args:
        masks: (B, 5, 1, H, W) in [0, 1], where the regions are to be.
        person: (B, 3, H, W) in [-1, 1] on black, the source where the layout is (equation 4).
        layout: (B, 6, H, W) in [0, 1], its regions.
    """
    with torch.autocast(person.device.type, enabled=False):
        shares = layout[:, 1:, None].float()
        light = shares * (person[:, None].float() - EMPTY)
        both = torch.cat([light, shares], 2)
        whole = both.sum((1, 3, 4), keepdim=True)
        means = both.sum((3, 4), keepdim=True) + _PERSON * whole
        means = means[:, :, :3] / means[:, :, 3:].clamp_min(1e-6)
        near = _smoothed(both)
        colours = (near[:, :, :3] + _MEAN * means) / (near[:, :, 3:] + _MEAN)
        return masks.float() * colours + EMPTY


def _smoothed(planes: Tensor) -> Tensor:
    """(B, 5, C, H, W): means of windows; beyond the border there is nothing."""
    flat = planes.flatten(0, 1)
    reach = max(1, round(flat.shape[-2] * _WINDOW / 2))
    for _ in range(2):  # a window is its columns' mean of its rows' means, a tenth of the sums
        flat = functional.avg_pool2d(flat, (2 * reach + 1, 1), 1, (reach, 0))
        flat = functional.avg_pool2d(flat, (1, 2 * reach + 1), 1, (0, reach))
    return flat.view(*planes.shape)
