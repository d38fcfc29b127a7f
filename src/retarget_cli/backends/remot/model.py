"""All three networks, and the way of one frame through them.

    layout GAN         eq. 2      source layout, poses, layouts before       -> layout, by the frame before refined
    global alignment   eq. 4      the source, and where the layout is        -> the source there
    region GAN         eq. 3, 5   one region of each at a time               -> five regions, one batch
    sum                eq. 11     the regions                                -> a coarse person
    whole composition  eq. 12-15  the source there, coarse person, layouts   -> person and soft mask, refined likewise

Pictures are in [-1, 1] and black, -1, where nobody is. Nothing is learned through what one network gives to another:
each has its own truth, and the paper trains them one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.remot.alignment import Extent, aligned
from retarget_cli.backends.remot.composition import Whole, coarse
from retarget_cli.backends.remot.design import CLASSES, COLOURS, REGIONS, RemotDesign
from retarget_cli.backends.remot.past import Moment, Past
from retarget_cli.backends.remot.tint import tinted
from retarget_cli.networks.composite_generator import EMPTY, Composed, CompositeGenerator, start_raw
from retarget_cli.networks.residual_generator import start_small, start_still


@dataclass(frozen=True, slots=True)
class Source:
    """Who is shown, in B pictures.

    Attributes:
        person: (B, 3, H, W) in [-1, 1], on black.
        layout: (B, 6, H, W) in [0, 1].
        extent: where the persons are.
        encoded: (B, deepest, H / 8, W / 8), E_1 of the layout GAN, the same for all frames.
    """

    person: Tensor
    layout: Tensor
    extent: Extent
    encoded: Tensor


@dataclass(frozen=True, slots=True)
class Made:
    """One frame.

    Attributes:
        moment: what later frames are made with.
        layout: the layout GAN's.
        parts: (B, 5, 3, H, W) of the region GAN.
        coarse: (B, 3, H, W), their sum.
        whole: of the composition network; None without one.
    """

    moment: Moment
    layout: Composed
    parts: Tensor
    coarse: Tensor
    whole: Whole | None

    @property
    def person(self) -> Tensor:
        """(B, 3, H, W) in [-1, 1], on black."""
        return self.moment.person

    @property
    def outside(self) -> Tensor:
        """(B, 1, H, W) in [0, 1], of the background."""
        return self.moment.outside


class Remot(nn.Module):
    """The region-to-whole framework.

    Args:
        design: its form.
    """

    def __init__(self, design: RemotDesign) -> None:
        super().__init__()
        self.design = design
        self.layout = CompositeGenerator(design.layout)
        self.region = CompositeGenerator(design.region)
        self.whole = CompositeGenerator(design.whole) if design.has_composition else None
        start_small(self)
        if design.is_residual:
            self._start_where_they_are()

    def _start_where_they_are(self) -> None:
        """At first regions are the source's colours, the whole is their sum, and no frame has anything of another."""
        start_still(self.region.head)
        start_raw(self.layout)
        if self.whole is not None:
            assert self.whole.mask_head is not None
            start_still(self.whole.head)
            start_still(self.whole.mask_head)
            start_raw(self.whole)

    def source(self, person: Tensor, layout: Tensor) -> Source:
        """What frames need of the source.

        Args:
            person: (B, 3, H, W) in [-1, 1], on black.
            layout: (B, 6, H, W) in [0, 1].
        """
        return Source(person, layout, Extent.of(1 - layout[:, :1]), self.layout.encoders[0](layout))

    def past(self, pose: Tensor) -> Past:
        """Before a film's first frame, of which the pose (B, 3, H, W) is given."""
        return Past.before(pose, CLASSES, REGIONS)

    def frame(self, source: Source, pose: Tensor, past: Past, *, is_given: bool = False) -> tuple[Made, Past]:
        """One frame of every film of the batch, and what the next one is made with.

        Args:
            source: who is shown.
            pose: (B, 3, H, W) in [-1, 1], limbs in colour on black.
            past: the two frames before.
            is_given: nothing is learned of layouts and regions.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not is_given):
            laid = self.laid(source, pose, past)
            layout = laid.picture.detach()
            there = self.there(source, layout)
            parts = self.parts(layout, there, past)
        sum_of_parts = coarse(parts).detach()
        whole = None
        if self.whole is not None:
            whole = self.composed(there[0], sum_of_parts, layout, pose, past)
        person, outside = (sum_of_parts, layout[:, :1]) if whole is None else (whole.person, whole.outside)
        moment = Moment(pose, layout, parts, person, outside).remembered()
        return Made(moment, laid, parts, sum_of_parts, whole), past.then(moment)

    def laid(self, source: Source, pose: Tensor, past: Past) -> Composed:
        """Equation 2: the layout (B, 6, H, W) in the pose."""
        network = self.layout
        encoded = [source.encoded, network.encoders[1](past.poses(pose)), network.encoders[2](past.layouts)]
        return network.decoded(network.summed(encoded), past.newer.layout if past.is_known else None)

    def there(self, source: Source, layout: Tensor) -> tuple[Tensor, Tensor]:
        """Equation 4: the source's person (B, 3, H, W) and layout (B, 6, H, W) where the target's layout is."""
        if not self.design.has_alignment:
            return source.person, source.layout
        target = Extent.of(1 - layout[:, :1])
        light = torch.cat([source.person - EMPTY, source.layout[:, 1:]], 1)
        moved = aligned(light, source.extent, target)
        regions = moved[:, COLOURS:]
        classes = torch.cat([(1 - regions.sum(1, keepdim=True)).clamp_min(0), regions], 1)
        return moved[:, :COLOURS] + EMPTY, classes

    def parts(self, layout: Tensor, there: tuple[Tensor, Tensor], past: Past) -> Tensor:
        """Equation 5: (B, 5, 3, H, W), all regions in one batch.

        Args:
            layout: (B, 6, H, W) of the target.
            there: see `there`.
            past: the two frames before.
        """
        masks = layout[:, 1:, None]
        known = torch.cat([past.newer.parts, past.older.parts, regions_of(*there)], 2)
        made = self.region([masks.flatten(0, 1), known.flatten(0, 1)]).picture.unflatten(0, (-1, REGIONS))
        return tinted(masks, *there) + 2 * made if self.design.is_residual else made

    def composed(self, there: Tensor, sum_of_parts: Tensor, layout: Tensor, pose: Tensor, past: Past) -> Whole:
        """Equations 12 to 15, without the background."""
        assert self.whole is not None
        told = torch.cat([past.layouts, layout, past.poses(pose)], 1)
        known = torch.cat([past.persons, sum_of_parts], 1)
        before = (past.newer.person, past.newer.outside) if past.is_known else None
        base = torch.cat([sum_of_parts, layout[:, :1]], 1) if self.design.is_residual else None
        return Whole.of(self.whole, (there, known, told), before, is_aligned=self.design.has_texture, base=base)


def regions_of(person: Tensor, layout: Tensor) -> Tensor:
    """(B, 5, 3, H, W): a person (B, 3, H, W) taken apart by a layout (B, 6, H, W), each region on black."""
    return layout[:, 1:, None] * (person[:, None] - EMPTY) + EMPTY
