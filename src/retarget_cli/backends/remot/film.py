"""A short film made from its beginning, as a step of training needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from retarget_cli.backends.remot.composition import Whole, coarse
from retarget_cli.backends.remot.design import BEFORE
from retarget_cli.backends.remot.model import Remot
from retarget_cli.backends.remot.past import Moment
from retarget_cli.backends.remot.stages import Stage
from retarget_cli.backends.trainable import Batch
from retarget_cli.networks.composite_generator import Composed, on_background

# Of the classes, for the eye: background, head, top, bottom, shoes, limbs.
_COLOURS = ((-1.0, -1, -1), (1, 0, -1), (-1, 1, -1), (-1, -1, 1), (1, 1, -1), (1, 0, 1))


@dataclass(slots=True)
class Film:
    """What the networks that learn made of T frames; lists are empty where a network does not learn.

    Attributes:
        layouts: of the layout GAN.
        parts: (B, 5, 3, H, W) each, of the region GAN.
        sums: (B, 3, H, W) each, of these.
        wholes: of the whole composition.
    """

    layouts: list[Composed] = field(default_factory=list)
    parts: list[Tensor] = field(default_factory=list)
    sums: list[Tensor] = field(default_factory=list)
    wholes: list[Whole] = field(default_factory=list)

    @property
    def pictures(self) -> Tensor:
        """(B, T, 6, H, W) layouts."""
        return torch.stack([made.picture for made in self.layouts], 1)

    @property
    def regions(self) -> Tensor:
        """(B, T, 5, 3, H, W)."""
        return torch.stack(self.parts, 1)

    @property
    def persons(self) -> Tensor:
        """(B, T, 3, H, W) of the whole composition, on black."""
        return torch.stack([made.person for made in self.wholes], 1)

    @property
    def outside(self) -> Tensor:
        """(B, T, 1, H, W)."""
        return torch.stack([made.outside for made in self.wholes], 1)

    def shown(self, behind: Tensor) -> Tensor:
        """(B, T, 3, H, W): persons before what is behind them (B, T, 3, H, W)."""
        return on_background(self.persons, self.outside, behind)


def films(network: Remot, batch: Batch, stage: Stage) -> Film:
    """What the networks of a stage make of a batch, each frame with those made before it.

    Layouts learn alone; regions learn from true layouts; the whole learns from what the others make.
    """
    if stage is Stage.LAYOUT:
        return _layouts(network, batch)
    if stage is Stage.REGION:
        return _regions(network, batch)
    film = _frames(network, batch, is_given=stage is Stage.WHOLE)
    if stage is Stage.WHOLE:
        film.layouts, film.parts = [], []
    return film


def _layouts(network: Remot, batch: Batch) -> Film:
    source = network.source(batch["source"], batch["source_layout"])
    film, past = Film(), network.past(batch["pose"][:, 0])
    for pose in batch["pose"].unbind(1):
        film.layouts.append(network.laid(source, pose, past))
        layout = film.layouts[-1].picture.detach()
        past = past.then(Moment(pose, layout, past.newer.parts, past.newer.person, past.newer.outside))
    return film


def _regions(network: Remot, batch: Batch) -> Film:
    with torch.no_grad():  # of the layout GAN, which this stage does not need, but a source has it
        source = network.source(batch["source"], batch["source_layout"])
    film, past = Film(), network.past(batch["pose"][:, 0])
    for pose, layout in zip(batch["pose"].unbind(1), batch["layout"].unbind(1), strict=True):
        film.parts.append(network.parts(layout, network.there(source, layout), past))
        film.sums.append(coarse(film.parts[-1]).detach())
        past = past.then(Moment(pose, layout, film.parts[-1], film.sums[-1], layout[:, :1]).remembered())
    return film


def _frames(network: Remot, batch: Batch, *, is_given: bool) -> Film:
    with torch.set_grad_enabled(torch.is_grad_enabled() and not is_given):
        source = network.source(batch["source"], batch["source_layout"])
    film, past = Film(), network.past(batch["pose"][:, 0])
    for pose in batch["pose"].unbind(1):
        made, past = network.frame(source, pose, past, is_given=is_given)
        film.layouts.append(made.layout)
        film.parts.append(made.parts)
        film.sums.append(made.coarse)
        if made.whole is not None:
            film.wholes.append(made.whole)
    return film


def pose_windows(poses: Tensor) -> Tensor:
    """(B, T, 9, H, W): of poses (B, T, 3, H, W), those of t-2, t-1 and t; before the first, the first."""
    first = [poses[:, :1]] * BEFORE
    long = torch.cat([*first, poses], 1)
    count = poses.shape[1]
    return torch.cat([long[:, start : start + count] for start in range(BEFORE + 1)], 2)


def palette(layout: Tensor, colours: Sequence[tuple[float, float, float]] = _COLOURS) -> Tensor:
    """(B, 3, H, W) in [-1, 1] of shares (B, 6, H, W), for the eye."""
    return torch.einsum("bkhw,kc->bchw", layout.float(), layout.new_tensor(colours).float())
