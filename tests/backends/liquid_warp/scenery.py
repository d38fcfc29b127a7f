"""A made-up person in a made-up place, as batches of the liquid warping generator have them."""

from __future__ import annotations

import torch
from torch import Tensor


def batch(side: int = 64, count: int = 1, sources: int = 2) -> dict[str, Tensor]:
    """One person seen in `sources` pictures and once more, shifted; every key of `LiquidWarpGame`."""
    shifts = [round(side * 0.04 * number) for number in range(sources + 1)]
    place = _waves(side, 0.3)
    masks = torch.stack([_outside(side, shift) for shift in shifts])  # 1 on the background
    cloth = _waves(side, 1.1).flip(0)
    pictures = torch.stack(
        [mask * place + (1 - mask) * cloth.roll(shift, -1) for mask, shift in zip(masks, shifts, strict=True)]
    )
    conditions = torch.cat([_ramp(side).expand(sources + 1, 2, side, side) * (1 - masks), masks], 1)
    seen = torch.cat([pictures * (1 - masks), conditions], 1)
    made = {
        "sources": seen[:-1],
        "flows": torch.stack([_flow(side, shifts[-1] - shift, masks[-1]) for shift in shifts[:-1]]),
        "target_input": torch.cat([cloth.roll(shifts[-1], -1) * (1 - masks[-1]), conditions[-1]]),
        "background_input": torch.cat([place * masks[0], masks[0]]),
        "real_sources": pictures[:-1],
        "real_target": pictures[-1],
        "real_background": place,
        "silhouettes": masks,
        "head": torch.tensor([side // 3, 2 * side // 3, side // 8, side // 3]),
        "body": torch.tensor([side // 5, 4 * side // 5, side // 8, 7 * side // 8]),
    }
    return {name: value[None].repeat(count, *[1] * value.dim()) for name, value in made.items()}


def _waves(side: int, pace: float) -> Tensor:
    """(3, side, side) in [-0.9, 0.9]."""
    steps = torch.arange(side) * (6 / side) * pace
    return 0.9 * torch.stack([torch.sin(2 * steps[None] + k + steps[:, None] * (k - 1)) for k in range(3)])


def _ramp(side: int) -> Tensor:
    """(1, 2, side, side): where a pixel is, in [-1, 1]."""
    line = torch.linspace(-1, 1, side)
    return torch.stack([line[None].expand(side, side), line[:, None].expand(side, side)])[None]


def _outside(side: int, shift: int) -> Tensor:
    """(1, side, side): 0 in an ellipse."""
    across, down = _ramp(side)[0]
    return ((((across - 2 * shift / side) / 0.4) ** 2 + (down / 0.7) ** 2) > 1).float()[None]


def _flow(side: int, shift: int, mask: Tensor) -> Tensor:
    """(side, side, 2): to the source, -2 on the background."""
    centre = (2 * torch.arange(side) + 1) / side - 1
    to = torch.stack([(centre - 2 * shift / side)[None].expand(side, side), centre[:, None].expand(side, side)], -1)
    return torch.where(mask[0][..., None] > 0, torch.tensor(-2.0), to)
