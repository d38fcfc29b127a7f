"""Generators of films: several encoders summed; a raw picture, and the frame before moved by a flow, blended.

Wang et al., Video-to-video synthesis (vid2vid), 2018; REMOT (Yang et al., 2022), equations 2a-c and 11-15. What the
raw picture is made of and what flow, weight and mask are made of may be sums of different encoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from retarget_cli.networks.previous_frame import moved_by
from retarget_cli.networks.residual_generator import Decoder, Encoder, Head, TrunkDesign, residuals, ups

End = Literal["tanh", "softmax"]
# What a picture has where there is nothing: black.
EMPTY = -1.0
# A sigmoid makes 0.98 of it.
_RAW = 4.0


def _published() -> TrunkDesign:
    return TrunkDesign(levels=3, before=5, after=4, norm="batch")


@dataclass(frozen=True, slots=True)
class CompositeDesign:
    """What the generator's form depends on.

    Attributes:
        inputs: channels of what each encoder sees.
        moving: which of the encoders flow, weight and mask come from; None: all.
        outputs: channels of the picture.
        end: what makes numbers of the picture: `tanh` colours in [-1, 1], `softmax` shares that sum up to 1.
        has_flow: whether the frame before is moved and blended in.
        has_mask: whether there is a soft mask of the background.
        flow_scale: pixels of flow for every 1 that its head says; twice as many where pictures are twice as large.
        trunk: of encoders and decoders.
    """

    inputs: tuple[int, ...]
    moving: tuple[int, ...] | None = None
    outputs: int = 3
    end: End = "tanh"
    has_flow: bool = True
    has_mask: bool = False
    flow_scale: float = 20.0
    trunk: TrunkDesign = field(default_factory=_published)


@dataclass(frozen=True, slots=True)
class Deep:
    """Sums of encoders, (B, deepest, H / step, W / step) each.

    Attributes:
        appearance: what the picture comes from.
        motion: what flow, weight and mask come from.
    """

    appearance: Tensor
    motion: Tensor

    def plus(self, other: Fine) -> Deep:
        """With the features of a generator for smaller pictures."""
        motion = self.motion if other.motion is None else self.motion + other.motion
        return Deep(self.appearance + other.appearance, motion)


@dataclass(frozen=True, slots=True)
class Fine:
    """Features of both decoders, (B, width, H, W) each; a generator for larger pictures may take them in."""

    appearance: Tensor
    motion: Tensor | None


@dataclass(frozen=True, slots=True)
class Composed:
    """What is made of one frame.

    Attributes:
        picture: (B, outputs, H, W), the frame before blended in.
        raw: without it.
        flow: (B, 2, H, W) in pixels, to the right and down: where in the frame before a pixel comes from.
        weight: (B, 1, H, W) in [0, 1], of the raw picture.
        mask: (B, 1, H, W) in [0, 1], of the background.
        foreground: (B, outputs, H, W): what the raw picture is without a background.
        fine: features before the heads.
    """

    picture: Tensor
    raw: Tensor
    flow: Tensor | None
    weight: Tensor | None
    mask: Tensor | None
    foreground: Tensor
    fine: Fine


class CompositeGenerator(nn.Module):
    """Encoders, and two ways to decode their sums: appearance and motion.

    The forms of the papers: vid2vid has inputs (18, 6); REMOT's layout GAN (6, 9, 12), `moving` (1, 2), six outputs and
    `softmax`; its region GAN (1, 9) and no flow; its whole composition (3, 9, 27), `moving` (1, 2) and a mask.

    Args:
        design: its form.
        align_corners: see `moved_by`.
    """

    def __init__(self, design: CompositeDesign, align_corners: bool = True) -> None:
        super().__init__()
        self.design, self.align_corners = design, align_corners
        trunk, is_moving = design.trunk, design.has_flow or design.has_mask
        self.encoders = nn.ModuleList(Encoder(channels, trunk) for channels in design.inputs)
        self.appearance, self.head = Decoder(trunk), Head(trunk.width, design.outputs)
        self.motion = residuals(trunk, trunk.after) if is_moving else None
        self.flow_up = ups(trunk) if design.has_flow else None
        self.flow_head = Head(trunk.width, 2) if design.has_flow else None
        self.weight_head = Head(trunk.width, 1) if design.has_flow else None
        self.mask_up = ups(trunk) if design.has_mask else None
        self.mask_head = Head(trunk.width, 1) if design.has_mask else None

    def forward(
        self,
        inputs: Sequence[Tensor],
        previous: Tensor | None = None,
        background: Tensor | None = None,
        coarse: Fine | None = None,
    ) -> Composed:
        """One frame of every film of the batch.

        Args:
            inputs: for each encoder (B, its channels, H, W), both sides multiples of the trunk's `step`.
            previous: (B, outputs, H, W), the frame before; None: this is the first, and the raw picture is the result.
            background: (B, outputs, H, W), where there is a mask; without one the foreground stays on black.
            coarse: features of a generator for pictures half as large, where this one is for the fine detail.
        """
        deep = self.summed(self.encoded(inputs))
        return self.decoded(deep if coarse is None else deep.plus(coarse), previous, background)

    def encoded(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """(B, deepest, H / step, W / step) of every encoder."""
        return [encoder(each) for encoder, each in zip(self.encoders, inputs, strict=True)]

    def summed(self, encoded: Sequence[Tensor]) -> Deep:
        """What both ways begin with: equations 2a and 2b."""
        whole = _sum(encoded)
        chosen = self.design.moving
        return Deep(whole, whole if chosen is None else _sum([encoded[index] for index in chosen]))

    def decoded(self, deep: Deep, previous: Tensor | None = None, background: Tensor | None = None) -> Composed:
        """The frame from sums of encoders, which may have been aligned before they were summed; see `forward`."""
        shown = self.appearance(deep.appearance)
        foreground = self._ended(self.head(shown))
        moving = None if self.motion is None else self.motion(deep.motion)
        mask = self._mask(moving)
        raw = foreground if mask is None or background is None else on_background(foreground, mask, background)
        flow, weight, features = self._flow(moving)
        picture = raw
        if previous is not None and flow is not None and weight is not None:
            picture = blended(raw, weight, moved_by(previous, flow, self.align_corners))
        return Composed(picture, raw, flow, weight, mask, foreground, Fine(shown, features))

    def _ended(self, made: Tensor) -> Tensor:
        return made.float().softmax(1) if self.design.end == "softmax" else torch.tanh(made)

    def _mask(self, moving: Tensor | None) -> Tensor | None:
        if moving is None or self.mask_up is None or self.mask_head is None:
            return None
        return torch.sigmoid(self.mask_head(self.mask_up(moving)))

    def _flow(self, moving: Tensor | None) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Flow, weight, and the features that they come from."""
        if moving is None or self.flow_up is None or self.flow_head is None or self.weight_head is None:
            return None, None, None
        features = self.flow_up(moving)
        flow = self.design.flow_scale * self.flow_head(features).float()
        return flow, torch.sigmoid(self.weight_head(features)), features


def on_background(foreground: Tensor, mask: Tensor, background: Tensor) -> Tensor:
    """Equation 15, where the background is 1 in `mask`; the foreground is black there, and black adds nothing."""
    return foreground + mask * (background - EMPTY)


def start_raw(network: CompositeGenerator) -> None:
    """What is made counts at first; the frame before gains weight when flow has been learned.

    Otherwise half of every frame is the one before it, not moved yet, and all that moves is blurred.
    """
    if network.weight_head is not None:
        bias = network.weight_head.conv.bias
        assert bias is not None
        nn.init.constant_(bias, _RAW)


def blended(raw: Tensor, weight: Tensor, moved: Tensor) -> Tensor:
    """Equation 2c: the raw picture by its weight, the frame before by what is left."""
    return raw * weight + moved * (1 - weight)


def _sum(features: Sequence[Tensor]) -> Tensor:
    total = features[0]
    for each in features[1:]:
        total = total + each
    return total
