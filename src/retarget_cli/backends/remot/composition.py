"""The whole composition network (paper, 3.2): a coarse person and the source become a person with a soft outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.backends.remot.texture import texture_aligned
from retarget_cli.networks.composite_generator import EMPTY, CompositeGenerator, Deep, blended, on_background
from retarget_cli.networks.previous_frame import moved_by


def coarse(parts: Tensor) -> Tensor:
    """Equation 11: (B, 3, H, W) in [-1, 1], the sum of the light of regions (B, 5, 3, H, W); black adds nothing."""
    return ((parts.float() - EMPTY).sum(1) + EMPTY).clamp(-1, 1)


@dataclass(frozen=True, slots=True)
class Whole:
    """What the network makes of one frame; `raw_`: before the frame before is blended in.

    Attributes:
        person: (B, 3, H, W) in [-1, 1], on black.
        outside: (B, 1, H, W) in [0, 1], m: how much of the background is seen.
        raw_person, raw_outside: likewise.
        flow: (B, 2, H, W) in pixels: where in the frame before a pixel comes from.
        weight: (B, 1, H, W) in [0, 1], of the raw ones.
    """

    person: Tensor
    outside: Tensor
    raw_person: Tensor
    raw_outside: Tensor
    flow: Tensor
    weight: Tensor

    @classmethod
    def of(
        cls,
        network: CompositeGenerator,
        inputs: Sequence[Tensor],
        before: tuple[Tensor, Tensor] | None,
        *,
        is_aligned: bool,
        base: Tensor | None = None,
    ) -> Whole:
        """One frame.

        Person and outline are refined, not the picture with its background: so anything can be behind.

        Args:
            network: three encoders, a mask and a flow.
            inputs: the aligned source (B, 3, H, W); persons before and the coarse one (B, 9, H, W); layouts and poses
                (B, 27, H, W).
            before: person and outside of the frame before; None: this is the first.
            is_aligned: whether textures are aligned by likeness; else features are added where they are.
            base: (B, 4, H, W) person and outside of which the network makes a change; None: it makes them anew.
        """
        source, known, told = network.encoded(inputs)
        fused = texture_aligned(source, known) if is_aligned else source + known
        made = network.decoded(Deep(fused + told, known + told))
        assert made.mask is not None
        assert made.flow is not None
        assert made.weight is not None
        raw = torch.cat([made.foreground.float(), made.mask.float()], 1)
        if base is not None:
            # A change may be as large as colours and masks are apart at most.
            raw = base.float() + torch.cat([2 * raw[:, :-1], 2 * raw[:, -1:] - 1], 1)
        refined = raw
        if before is not None:
            refined = blended(raw, made.weight.float(), moved_by(torch.cat(before, 1).float(), made.flow))
        return cls(refined[:, :-1], refined[:, -1:], raw[:, :-1], raw[:, -1:], made.flow, made.weight)

    def picture(self, background: Tensor) -> Tensor:
        """Equation 15: (B, 3, H, W) in [-1, 1] before a background of that shape."""
        return on_background(self.person, self.outside, background)
