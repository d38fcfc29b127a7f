"""Human motion transfer from poses in the wild: two networks that know one person by heart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from retarget_cli.backends.base import Performer, Signal, Spec
from retarget_cli.backends.designed import Designed
from retarget_cli.backends.pose2video.examples import build_tensors, span_of
from retarget_cli.backends.pose2video.face_game import FaceGame
from retarget_cli.backends.pose2video.game import Pose2VideoGame
from retarget_cli.backends.pose2video.model import Pose2Video
from retarget_cli.backends.pose2video.options import Pose2VideoOptions, design_of
from retarget_cli.backends.pose2video.performer import Pose2VideoPerformer
from retarget_cli.backends.pose2video.trunk import is_trunk, take_over
from retarget_cli.backends.trainable import Game, Phase
from retarget_cli.backends.words import BASE, HALF, ON, YES, Words
from retarget_cli.core.errors import UsageError
from retarget_cli.core.example import Example, Span
from retarget_cli.core.subject import Subject


class Pose2VideoBackend(Designed):
    """Human motion transfer from poses in the wild; see docs/pose2video.md."""

    name = "pose2video"
    spec: ClassVar[Spec] = Spec(
        summary="one person, learned from a clip of minutes: poses to film, then refined",
        needs=frozenset({Signal.POSE, Signal.MASK, Signal.BODY}),
        window=4,
        weights=(name,),
        paper="Human Motion Transfer from Poses in the Wild (Ren et al., 2020)",
        license="Apache-2.0; body data CC0",
        is_frame_by_frame=False,
        is_taught_by_film=True,
    )
    options: ClassVar[type] = Pose2VideoOptions
    network: Pose2Video
    _options: Pose2VideoOptions
    # Nothing of whoever base weights know shall be left.
    personal_strength: ClassVar[float] = 1.0

    def __init__(self, options: Pose2VideoOptions, device: torch.device) -> None:
        self._is_grown = False
        super().__init__(options, device)
        self._is_anybodys = (self._is_grown or options.weights == BASE) and options.generic != YES

    def _made(self, words: Words) -> Pose2Video:
        return Pose2Video(design_of(words))

    def _take(self, state: Mapping[str, Tensor], design: Words, name: str) -> None:
        """Of a released generator, fresh networks that begin with it."""
        self._is_grown = is_trunk(design)
        if not self._is_grown:
            super()._take(state, design, name)
            return
        words = self._options.words_about(design)
        network = self._made(words)
        take_over(network, design, state, name)
        self.network, self._words = network.to(self.device).eval(), words

    def adopt(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        """See `Trainable`."""
        super().adopt(state, design, name)
        self._is_anybodys = self._is_grown and self._options.generic != YES

    def prepare(self, subject: Subject) -> Performer:
        """Of the pictures only how green the person is counts: what he looks like lies in the weights.

        Raises:
            UsageError: these are the base weights, which know nobody in particular.
        """
        if self._is_anybodys:
            raise UsageError(
                f"{self.name} shows the person that it was tuned to, and its base weights are tuned to nobody",
                f"first `retarget personalize --backend {self.name} -s CLIP`, then --subject; or --set generic=yes",
            )
        return Pose2VideoPerformer(self.network, subject, self.device, self._options.precision == HALF)

    def span(self) -> Span:
        """See `Trainable`."""
        return span_of(self.network.design)

    def tensors(self, example: Example) -> dict[str, Tensor]:
        """See `Trainable`; keys as in `build_tensors`."""
        return build_tensors(example, self.network.design)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`: the same on many people and on one."""
        options = self._options
        kind = FaceGame if self.network.design.has_face else Pose2VideoGame
        return kind(
            self.network, self.device, augments=options.augment == ON, is_unpaired=options.unpaired == ON,
            adversarial=options.adversarial, discriminator_width=options.discriminator_width, share=options.share,
        )  # fmt: skip
