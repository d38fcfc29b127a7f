"""Global alignment (equation 4): the source brought to the size and the place of the person that is to be made."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# A class counts where it is likelier than not; and no person gets larger or smaller than by this factor.
_PERSON, _MOST = 0.5, 4.0


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the persons of B masks are.

    Attributes:
        centre: (B, 2) x, y of the middle of the box about them, pixels; the first pixel's centre is at 0.5.
        height: (B) of that box, pixels; 0 where nobody is.
    """

    centre: Tensor
    height: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> Extent:
        """Of masks (B, 1, H, W) in [0, 1]."""
        solid = mask[:, 0].float() > _PERSON
        left, right = _span(solid.any(1))
        top, bottom = _span(solid.any(2))
        return cls(torch.stack([left + right, top + bottom], 1) / 2, bottom - top)


def _span(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """(B) where the first and behind the last of places (B, N) begins; both 0 where none is occupied."""
    count = occupied.shape[1]
    places = torch.arange(count, device=occupied.device)
    first = torch.where(occupied, places, count).amin(1)
    behind = torch.where(occupied, places + 1, 0).amax(1)
    return first.minimum(behind).float(), behind.float()


def aligned(pictures: Tensor, source: Extent, target: Extent) -> Tensor:
    """(B, C, H, W): what is 0 outside of the person, scaled about its centre and moved to the target's.

    x' = R (x - c_s) + c_d with R = H_d / H_s, bilinear. Equation 4 prints the shift c_d - c_s, which lands on c_d where
    the scale is about the centre. Where either shows nobody, the picture stays.

    Args:
        pictures: (B, C, H, W), 0 where nobody is.
        source: of the persons in them.
        target: where they should be.
    """
    height, width = pictures.shape[-2:]
    is_known = (source.height > 0) & (target.height > 0)
    ratio = (target.height / source.height.clamp_min(1)).clamp(1 / _MOST, _MOST)
    ratio = torch.where(is_known, ratio, 1.0)[:, None]
    shift = torch.where(is_known[:, None], source.centre - target.centre / ratio, 0.0)
    down = torch.arange(height, device=pictures.device) + 0.5
    across = torch.arange(width, device=pictures.device) + 0.5
    x = across / ratio + shift[:, :1]
    y = down / ratio + shift[:, 1:]
    places = torch.stack(
        [(2 * x / width - 1)[:, None].expand(-1, height, -1), (2 * y / height - 1)[..., None].expand(-1, -1, width)], -1
    )
    moved = functional.grid_sample(pictures.float(), places, padding_mode="zeros", align_corners=False)
    return moved.to(pictures.dtype)
