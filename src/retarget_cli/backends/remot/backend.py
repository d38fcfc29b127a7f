"""REMOT: layouts, then regions, then the whole person, frame after frame."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from retarget_cli.backends.base import Performer, Signal, Spec
from retarget_cli.backends.designed import Designed
from retarget_cli.backends.remot.design import RemotDesign
from retarget_cli.backends.remot.examples import SPAN, build_tensors
from retarget_cli.backends.remot.game import RemotGame
from retarget_cli.backends.remot.model import Remot
from retarget_cli.backends.remot.options import RemotOptions
from retarget_cli.backends.remot.performer import RemotPerformer
from retarget_cli.backends.trainable import Game, Phase
from retarget_cli.backends.words import HALF, Words
from retarget_cli.core.example import Example, Span
from retarget_cli.core.subject import Subject


class RemotBackend(Designed):
    """A region-to-whole framework; see docs/remot.md."""

    name = "remot"
    spec: ClassVar[Spec] = Spec(
        summary="layout, five regions, then the whole person; each frame with the two before",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.PARSING, Signal.BODY}),
        window=4,
        weights=(name,),
        paper="REMOT: A Region-to-Whole Framework for Realistic Human Motion Transfer (Yang et al., ACM MM 2022)",
        license="Apache-2.0; body data CC0",
        is_frame_by_frame=False,
    )
    options: ClassVar[type] = RemotOptions
    network: Remot
    _options: RemotOptions

    def _made(self, words: Words) -> Remot:
        return Remot(RemotDesign.of(words))

    def prepare(self, subject: Subject) -> Performer:
        """Take the first view apart; the others are not looked at (paper: one source image)."""
        return RemotPerformer(self.network, subject, self.device, self._options.precision == HALF)

    def span(self) -> Span:
        """See `Trainable`: films of three frames."""
        return SPAN

    def tensors(self, example: Example) -> dict[str, Tensor]:
        """See `Trainable`; keys as in `build_tensors`."""
        return build_tensors(example, self.network.design.size)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        options = self._options
        return RemotGame(
            self.network, phase, self.device, stages=options.stages, adversarial=options.adversarial,
            discriminator_width=options.discriminator_width,
        )  # fmt: skip
