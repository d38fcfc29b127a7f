"""The flow-guided transformable bottleneck: volumes of features, moved by three-dimensional flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from retarget_cli.backends.base import Performer, Signal, Spec
from retarget_cli.backends.bottleneck.designs import design_of
from retarget_cli.backends.bottleneck.examples import build_tensors
from retarget_cli.backends.bottleneck.game import BottleneckGame
from retarget_cli.backends.bottleneck.model import Bottleneck
from retarget_cli.backends.bottleneck.options import BASE, HALF, MOST_VIEWS, NETWORK, NONE, ON, BottleneckOptions
from retarget_cli.backends.bottleneck.painting import painted_plate
from retarget_cli.backends.bottleneck.performer import BottleneckPerformer
from retarget_cli.backends.trainable import Game, Phase, Trainable
from retarget_cli.core.errors import BackendError
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Subject
from retarget_cli.weights.checkpoints import find_weights, lineage_of, read_weights
from retarget_cli.weights.state import fitted

NAME = "bottleneck"


class BottleneckBackend(Trainable):
    """Flow guided transformable bottleneck networks; see docs/bottleneck.md."""

    spec: ClassVar[Spec] = Spec(
        summary="volumes of features out of up to eight photos, moved by three-dimensional flow",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.BODY}),
        window=4,
        weights=(NAME,),
        paper="Flow Guided Transformable Bottleneck Networks for Motion Retargeting (Ren et al., CVPR 2021)",
        license="Apache-2.0; body data CC0",
        is_volumetric=True,
    )
    options: ClassVar[type] = BottleneckOptions

    def __init__(self, options: BottleneckOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self._options = options
        self._lineage: dict[str, str] = {}
        if options.weights == NONE:
            self._words = options.words(None)
            self.network = Bottleneck(design_of(self._words)).to(device).eval()
            return
        path = find_weights(NAME, "" if options.weights == BASE else options.weights)
        state, about = read_weights(path, NAME)
        self._take(state, about.design, path.name)
        self._lineage = lineage_of(path, about)

    def _take(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        words = self._options.words(design)
        self.network = fitted(partial(_built, words), state, name).to(self.device).eval()
        self._words = words

    @property
    def generator(self) -> nn.Module:
        """See `Trainable`: all networks."""
        return self.network

    def design(self) -> dict[str, str]:
        """See `Trainable`."""
        return dict(self._words)

    def adopt(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        """See `Trainable`."""
        self._take(state, design, name)
        self._lineage = {"base": name}

    def lineage(self) -> dict[str, str]:
        """See `Trainable`."""
        return dict(self._lineage)

    def prepare(self, subject: Subject) -> Performer:
        """Encode the views that are used and aggregate them (eq. 2): what frames cost does not depend on how many."""
        used = replace(subject, views=subject.views[: self._options.references])
        return BottleneckPerformer(self.network, used, self.device, self._options.precision == HALF)

    def painted_behind(self, subject: Subject) -> Subject:
        """The subject before the background that the background network paints, where that is asked for."""
        if self._options.background != NETWORK:
            return subject
        if self.network.background is None:
            raise BackendError("these weights have no background network", "leave --set background=network out")
        plate = painted_plate(
            self.network.background, subject.primary, self.network.design.resolution, self.device
        )
        return replace(subject, plate=plate)

    def tensors(self, example: Example) -> dict[str, Tensor]:
        """See `Trainable`; keys as in `build_tensors`."""
        return build_tensors(example, self.network.design.resolution, self._options.references)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        options = self._options
        return BottleneckGame(
            self.network, phase, self.device, rotations=options.rotations == ON, adversarial=options.adversarial,
            discriminator_width=options.discriminator_width,
        )  # fmt: skip

    def personal_examples(self, subject: Subject) -> list[Example]:
        """Every view as the target, of all that are used as sources."""
        chosen = replace(subject, views=subject.views[: self._options.references])
        return [Example(chosen, view, subject.plate) for view in subject.views[:MOST_VIEWS]]


def _built(words: Mapping[str, str]) -> Bottleneck:
    return Bottleneck(design_of(words))
