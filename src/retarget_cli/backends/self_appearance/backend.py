"""The backends of the family: weights, and the way from pictures to a performer. None of them knows of people."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.base import Performer, Spec
from retarget_cli.backends.designed import Designed
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.designs import (
    articulated_design,
    first_order_design,
    self_appearance_design,
)
from retarget_cli.backends.self_appearance.first_order import FirstOrder
from retarget_cli.backends.self_appearance.game import ArticulatedGame, FirstOrderGame, SelfAppearanceGame
from retarget_cli.backends.self_appearance.model import SelfAppearance
from retarget_cli.backends.self_appearance.options import (
    APPEARANCE,
    CONTEXT,
    EVOLUTION,
    MOVES,
    RESOLUTION,
    ArticulatedOptions,
    FamilyOptions,
    FirstOrderOptions,
    SelfAppearanceOptions,
)
from retarget_cli.backends.self_appearance.performer import (
    ArticulatedPuppet,
    FirstOrderPuppet,
    LedPerformer,
    Puppet,
    SelfAppearancePuppet,
    laid_in,
    views_of,
)
from retarget_cli.backends.trainable import Game, Phase
from retarget_cli.backends.words import OFF, Words
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Subject

CPU = torch.device("cpu")
# What eq. 4 and eq. 5 add to the networks that the method comes from.
_ADDED = ("evolution.", "appearance.")


class Family(Designed):
    """What they have in common."""

    _options: FamilyOptions

    @abstractmethod
    def puppet(self, views: Tensor, precision: str = "") -> Puppet:
        """Of pictures (V, 3, h, w), the source first.

        Args:
            views: the pictures.
            precision: see `options`; empty: as the option says.
        """

    @property
    def most_views(self) -> int:
        """Pictures of the source that are used, at most."""
        return 1

    @property
    def resolution(self) -> int:
        """The network's pictures have about so many pixels, squared."""
        return int(self._words[RESOLUTION])

    def prepare(self, subject: Subject) -> Performer:
        """Encode the pictures."""
        with torch.inference_mode():
            puppet = self.puppet(views_of(subject, self.resolution, self.device))
        return LedPerformer(puppet, subject.size, self.resolution, self.device)

    def tensors(self, example: Example) -> dict[str, Tensor]:
        """See `Trainable`; keys as in `FamilyGame`. Pictures that are smaller than the network's stay as they are."""
        views = [view.image for view in example.subject.views[: self.most_views]]
        height, width = example.target.image.shape[:2]
        resolution = min(self.resolution, round((height * width) ** 0.5))
        pictures = laid_in(np.stack([*views, example.target.image]), resolution, CPU)
        return {"sources": pictures[:-1].contiguous(), "target": pictures[-1].contiguous()}


class FirstOrderBackend(Family):
    """The first order motion model."""

    name = "first-order"
    spec: ClassVar[Spec] = Spec(
        summary="keypoints that nobody named, with local affine motion; faces, cartoons, animals",
        window=4,
        paints_background=True,
        weights=(name,),
        paper="First Order Motion Model for Image Animation (Siarohin et al., NeurIPS 2019)",
        license="Apache-2.0; released weights have their own",
        is_led_by_pixels=True,
    )
    options: ClassVar[type] = FirstOrderOptions
    network: FirstOrder
    _options: FirstOrderOptions

    def _made(self, words: Words) -> FirstOrder:
        return FirstOrder(*first_order_design(words))

    def puppet(self, views: Tensor, precision: str = "") -> Puppet:
        return FirstOrderPuppet(self.network, views, precision or self._options.precision)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        return FirstOrderGame(self.network, phase, self.device, self._options.adversarial)


class ArticulatedBackend(Family):
    """Articulated animation."""

    name = "articulated"
    spec: ClassVar[Spec] = Spec(
        summary="regions that nobody named, moved by their principal axes; bodies, animals",
        window=4,
        paints_background=True,
        weights=(name,),
        paper="Motion Representations for Articulated Animation (Siarohin et al., CVPR 2021)",
        license="Apache-2.0; released weights have their own",
        is_led_by_pixels=True,
    )
    options: ClassVar[type] = ArticulatedOptions
    network: Articulated
    _options: ArticulatedOptions

    def _made(self, words: Words) -> Articulated:
        return Articulated(*articulated_design(words))

    def puppet(self, views: Tensor, precision: str = "") -> Puppet:
        options = self._options
        return ArticulatedPuppet(
            self.network, views, options.animation, precision or options.precision, options.camera == MOVES
        )

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        return ArticulatedGame(self.network, phase, self.device, self._options.adversarial)


class SelfAppearanceBackend(Family):
    """Self-appearance-aided differential evolution."""

    name = "self-appearance"
    spec: ClassVar[Spec] = Spec(
        summary="keypoints that nobody named, motion that evolves, appearance borrowed from the source itself",
        window=4,
        paints_background=True,
        weights=(name,),
        paper="Self-appearance-aided Differential Evolution for Motion Transfer (Liu et al., 2021)",
        license="Apache-2.0",
        is_led_by_pixels=True,
    )
    options: ClassVar[type] = SelfAppearanceOptions
    network: SelfAppearance
    _options: SelfAppearanceOptions

    def begin(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        """See `Trainable`: what eq. 4 and 5 add may be left out, or come anew; untrained it changes nothing."""
        taken = {key: value for key, value in state.items() if not key.startswith(_ADDED)}
        for part in _ADDED:
            theirs, fresh = (
                {key: value for key, value in each.items() if key.startswith(part)}
                for each in (state, self.network.state_dict())
            )
            taken |= theirs if theirs.keys() == fresh.keys() else fresh
        own = {word: self._words[word] for word in (EVOLUTION, CONTEXT, APPEARANCE)}
        self.adopt(taken, {**design, **own}, name)

    @property
    def most_views(self) -> int:
        """See `Family`."""
        return 1 + self._options.references

    def _made(self, words: Words) -> SelfAppearance:
        return SelfAppearance(*self_appearance_design(words, self._options.solving(words.get(EVOLUTION, OFF))))

    def puppet(self, views: Tensor, precision: str = "") -> Puppet:
        return SelfAppearancePuppet(self.network, views[: self.most_views], precision or self._options.precision)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        return SelfAppearanceGame(self.network, phase, self.device, self._options.adversarial)
