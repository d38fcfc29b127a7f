"""Small networks, and films of a coloured puppet, as the tests of REMOT need them."""

from __future__ import annotations

import torch
from tests.reference_weights import fill
from torch import Tensor

from retarget_cli.backends.remot.design import CLASSES, RemotDesign
from retarget_cli.backends.remot.film import pose_windows
from retarget_cli.backends.remot.model import Remot
from retarget_cli.networks.composite_generator import EMPTY

SIZE = (64, 48)
FRAMES = 3


def network(**changes: object) -> Remot:
    """Tiny, with filled weights, at rest."""
    made = Remot(RemotDesign(**{"resolution": 64, "width": 4, **changes}))  # type: ignore[arg-type]
    # Flow of a few pixels, colours that are not all black or white.
    made.load_state_dict(fill(made, over={"flow_head": 0.002, "head.": 0.02}), strict=False)
    return made.eval()


def puppet(x: float, top: int = 8, height: int = 48) -> Tensor:
    """(6, 64, 48): a layout of bands about a column; head above, shoes below, limbs beside."""
    rows, columns = (torch.arange(side) + 0.5 for side in SIZE)
    share = ((rows - top) / height)[:, None].expand(*SIZE)
    aside = (columns - x).abs()[None].expand(*SIZE)
    inside = (share >= 0) & (share < 1) & (aside < height / 8)
    band = (share * 4).long().clamp(0, 3) + 1
    is_limb = (share > 0.25) & (share < 0.75) & (aside >= height / 12)
    labels = torch.where(inside, torch.where(is_limb, 5, band), 0)
    return torch.nn.functional.one_hot(labels, CLASSES).permute(2, 0, 1).float()


def painted(layout: Tensor) -> Tensor:
    """(3, 64, 48) in [-1, 1] on black: every class in a colour of its own, with stripes."""
    colours = 0.7 * torch.sin(torch.arange(CLASSES * 3.0).view(CLASSES, 3) * 1.3)
    stripes = 0.2 * torch.sin(torch.arange(SIZE[0]) * 1.1)[None, :, None]
    shown = torch.einsum("khw,kc->chw", layout, colours) + stripes
    return torch.where(layout[:1] > 0.5, EMPTY, shown)


def batch(count: int = 1) -> dict[str, Tensor]:
    """A puppet that walks to the right, `count` times the same; every key of `RemotGame`."""
    layouts = torch.stack([puppet(20.0 + 3 * step) for step in range(FRAMES)])
    persons = torch.stack([painted(layout) for layout in layouts])
    masks = 1 - layouts[:, :1]
    behind = torch.linspace(-0.5, 0.5, SIZE[1]).expand(FRAMES, 3, *SIZE)
    source = puppet(28.0, 14, 40)
    flow = torch.zeros(FRAMES - 1, 2, *SIZE)
    flow[:, 0] = -3
    made = {
        "source": painted(source),
        "source_layout": source,
        "pose": (layouts[:, 1:4] - 0.5) * 2,
        "layout": layouts,
        "person": persons,
        "mask": masks,
        "picture": persons + layouts[:, :1] * (behind - EMPTY),
        "behind": behind,
        "head": torch.tensor([[14, 26, 6, 22]]).expand(FRAMES, 4),
        "flow": flow,
        "believed": masks[1:],
    }
    return {name: value[None].repeat(count, *[1] * value.dim()) for name, value in made.items()}


def windows(given: dict[str, Tensor]) -> Tensor:
    """(B, T, 9, H, W)."""
    return pose_windows(given["pose"])
