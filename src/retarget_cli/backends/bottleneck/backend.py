"""The flow-guided transformable bottleneck: volumes of features, moved by three-dimensional flow."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import Tensor

from retarget_cli.backends.base import Performer, Signal, Spec
from retarget_cli.backends.bottleneck.designs import design_of
from retarget_cli.backends.bottleneck.examples import build_tensors
from retarget_cli.backends.bottleneck.game import BottleneckGame
from retarget_cli.backends.bottleneck.model import Bottleneck
from retarget_cli.backends.bottleneck.options import MOST_VIEWS, NETWORK, BottleneckOptions
from retarget_cli.backends.bottleneck.painting import painted_plate
from retarget_cli.backends.bottleneck.performer import BottleneckPerformer
from retarget_cli.backends.designed import Designed
from retarget_cli.backends.trainable import Game, Phase
from retarget_cli.backends.words import HALF, ON, Words
from retarget_cli.core.errors import BackendError
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Subject


class BottleneckBackend(Designed):
    """Flow guided transformable bottleneck networks; see docs/bottleneck.md."""

    name = "bottleneck"
    spec: ClassVar[Spec] = Spec(
        summary="volumes of features out of up to eight photos, moved by three-dimensional flow",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.BODY}),
        window=4,
        weights=(name,),
        paper="Flow Guided Transformable Bottleneck Networks for Motion Retargeting (Ren et al., CVPR 2021)",
        license="Apache-2.0; body data CC0",
        is_volumetric=True,
    )
    options: ClassVar[type] = BottleneckOptions
    network: Bottleneck
    _options: BottleneckOptions

    def _made(self, words: Words) -> Bottleneck:
        return Bottleneck(design_of(words))

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
