"""The backend: options, weights, and the way from a subject to a performer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from retarget_cli.backends.base import Performer, Signal, Spec
from retarget_cli.backends.liquid_warp.clothed import ClothedFlow
from retarget_cli.backends.liquid_warp.clothes import clothed
from retarget_cli.backends.liquid_warp.examples import build_tensors
from retarget_cli.backends.liquid_warp.game import LiquidWarpGame
from retarget_cli.backends.liquid_warp.generator import Generator
from retarget_cli.backends.liquid_warp.inputs import Cast, Poser, build_sources, network_size, resized
from retarget_cli.backends.liquid_warp.options import CLOTHED, WARP, LiquidWarpOptions, described
from retarget_cli.backends.liquid_warp.performer import LiquidWarpPerformer
from retarget_cli.backends.trainable import Game, Phase, Trainable
from retarget_cli.backends.words import BASE, UNTRAINED, Words
from retarget_cli.core.errors import BackendError, InputError
from retarget_cli.core.example import Example
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Subject, View, Worn
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.weights.checkpoints import find_weights, lineage_of, read_weights
from retarget_cli.weights.state import fitted

NAME = "liquid-warp"
# Source pictures that are used at most (paper, 3.5).
MOST = 8


class LiquidWarp(Trainable):
    """Attentional liquid warping GAN; see docs/liquid-warp.md."""

    spec: ClassVar[Spec] = Spec(
        summary="warps features of up to eight photos along the body's surface into a network",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.BODY}),
        window=4,
        weights=("liquid-warp",),
        paper="Liquid Warping GAN with Attention (Liu et al., TPAMI 2021)",
        license="Apache-2.0; body data CC0",
    )
    options: ClassVar[type] = LiquidWarpOptions

    def __init__(self, options: LiquidWarpOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self._options = options
        self._lineage: dict[str, str] = {}
        self._generator: Generator | None = None
        if options.strategy != WARP:
            self._load()

    def _load(self) -> None:
        options = self._options
        if options.weights == UNTRAINED:
            self._generator = Generator(options.design(None)).to(self.device)
            return
        path = find_weights(NAME, "" if options.weights == BASE else options.weights)
        state, about = read_weights(path, NAME)
        self._take(state, about.design, path.name)
        self._lineage = lineage_of(path, about)

    def _take(self, state: Mapping[str, Tensor], design: Words, name: str) -> None:
        def build() -> Generator:
            form = self._options.design(design)
            if form.depth > len(state):
                raise ValueError(f"a depth of {form.depth} is more than it holds")
            return Generator(form)

        self._generator = fitted(build, state, name).to(self.device).eval()

    @property
    def generator(self) -> nn.Module:
        """See `Trainable`."""
        return self._network()

    def _network(self) -> Generator:
        if self._generator is None:
            raise BackendError("--set strategy=warp: there is no network in it", "leave the option out")
        return self._generator

    def design(self) -> dict[str, str]:
        """See `Trainable`."""
        return described(self._network().design)

    def adopt(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        """See `Trainable`."""
        self._take(state, design, name)
        self._lineage = {"base": name}

    def lineage(self) -> dict[str, str]:
        """See `Trainable`."""
        return dict(self._lineage)

    def prepare(self, subject: Subject) -> Performer:
        """Take the sources apart and encode them."""
        size = network_size(subject.size, self._options.resolution)
        own = self._cast(subject)
        casts = [own] if subject.worn is None else clothed(own, subject.worn, self._cast)
        sources = build_sources(casts, size, visible_only=self._options.visible_only)
        figure = ClothedFlow(own.views, own.poser, size) if self._options.flow == CLOTHED else None
        return LiquidWarpPerformer(self._generator, sources, own.poser, figure)

    def _cast(self, subject: Subject) -> Cast:
        return Cast(subject.views[:MOST], Poser(subject.body, subject.betas, subject.size, self.device))

    def dress(self, subject: Subject, garment: Subject, parts: Parts = Parts.ALL) -> Subject:
        """The clothes are put on in the network, each person by a flow of his own (paper, 3.6)."""
        if subject.size != garment.size or subject.body != garment.body:
            raise InputError(
                f"garment of {garment.size[1]}x{garment.size[0]}, source of {subject.size[1]}x{subject.size[0]}",
                "prepare both at the same size and with the same body",
            )
        if self._options.flow == CLOTHED:  # the figure is cut out of one person's photo
            return super().dress(subject, garment, parts)
        return replace(subject, worn=Worn(garment, parts))

    def painted_behind(self, subject: Subject) -> Subject:
        """The subject before the background that the background stream makes, where that is asked for."""
        if self._options.background != "network":
            return subject
        stream = self._network().background
        if stream is None:
            raise BackendError("these weights have no background stream", "leave --set background=network out")
        cast = replace(self._cast(subject), views=subject.views[:1])
        sources = build_sources([cast], network_size(subject.size, self._options.resolution))
        with torch.inference_mode():
            made = stream(sources.background[None])[0].permute(1, 2, 0).cpu().numpy()
        plate = resized(np.ascontiguousarray((made + 1) * 127.5), subject.size)
        return replace(subject, plate=plate.round().clip(0, 255).astype(np.uint8))

    def tensors(self, example: Example) -> dict[str, Tensor]:
        """See `Trainable`; keys as in `LiquidWarpGame`."""
        size = network_size(example.subject.size, self._options.resolution)
        is_clothed = self._options.flow == CLOTHED
        return build_tensors(example, size, visible_only=self._options.visible_only, is_clothed=is_clothed)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        return LiquidWarpGame(
            self._network(), phase, self.device, discriminator_width=self._options.discriminator_width
        )

    def personal_examples(self, subject: Subject) -> list[Example]:
        """Every view as the target, of the most frontal and the most backward ones as sources."""
        chosen = replace(subject, views=personal_sources(subject.views[:MOST], self._options.personal_sources))
        return [Example(chosen, view, subject.plate) for view in subject.views[:MOST]]


def personal_sources(views: tuple[View, ...], count: int) -> tuple[View, ...]:
    """The first half of `count` as frontal, the second as backward as there are; all, where there are fewer."""
    if len(views) <= count:
        return views
    turns = axis_angle_to_matrix(torch.from_numpy(np.stack([view.theta[0] for view in views])))
    order = torch.argsort(turns[:, 2, 2], descending=True).tolist()
    frontal = (count + 1) // 2
    return tuple(views[row] for row in (*order[:frontal], *order[len(order) - (count - frontal) :]))
