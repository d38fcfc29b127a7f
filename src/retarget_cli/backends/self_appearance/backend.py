"""The backends of the family: weights, and the way from pictures to a performer. None of them knows of people."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from retarget_cli.backends.base import Performer, Spec
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
    BASE,
    CONTEXT,
    EVOLUTION,
    MOVES,
    NONE,
    OFF,
    RESOLUTION,
    ArticulatedOptions,
    FamilyOptions,
    FirstOrderOptions,
    SelfAppearanceOptions,
    Words,
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
from retarget_cli.backends.trainable import Game, Phase, Trainable
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Subject
from retarget_cli.weights.checkpoints import find_weights, lineage_of, read_weights
from retarget_cli.weights.state import fitted

CPU = torch.device("cpu")
# What eq. 4 and eq. 5 add to the networks that the method comes from.
_ADDED = ("evolution.", "appearance.")


class Family(Trainable):
    """What they have in common.

    Args:
        options: of the backend.
        device: where it computes.
    """

    name: ClassVar[str]

    def __init__(self, options: FamilyOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self._options = options
        self._lineage: dict[str, str] = {}
        if options.weights == NONE:
            self._words = options.words(None)
            self.network = self._made(self._words).to(device).eval()
            return
        path = find_weights(self.name, "" if options.weights == BASE else options.weights)
        state, label = read_weights(path, self.name)
        self._take(state, label.design, path.name)
        self._lineage = lineage_of(path, label)

    @abstractmethod
    def _made(self, words: Words) -> nn.Module:
        """The network of a design.

        Raises:
            ValueError: there is none of these words.
        """

    @abstractmethod
    def puppet(self, views: Tensor, precision: str = "") -> Puppet:
        """Of pictures (V, 3, h, w), the source first.

        Args:
            views: the pictures.
            precision: see `options`; empty: as the option says.
        """

    def _take(self, state: Mapping[str, Tensor], design: Words, name: str) -> None:
        words = self._options.words(design)
        self.network = fitted(partial(self._made, words), state, name).to(self.device).eval()
        self._words = words

    @property
    def most_views(self) -> int:
        """Pictures of the source that are used, at most."""
        return 1

    @property
    def generator(self) -> nn.Module:
        """See `Trainable`: all networks."""
        return self.network

    @property
    def resolution(self) -> int:
        """The network's pictures have about so many pixels, squared."""
        return int(self._words[RESOLUTION])

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
        weights=("first-order",),
        paper="First Order Motion Model for Image Animation (Siarohin et al., NeurIPS 2019)",
        license="Apache-2.0; released weights have their own",
        is_led_by_pixels=True,
    )
    options: ClassVar[type] = FirstOrderOptions
    network: FirstOrder

    def _made(self, words: Words) -> nn.Module:
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
        weights=("articulated",),
        paper="Motion Representations for Articulated Animation (Siarohin et al., CVPR 2021)",
        license="Apache-2.0; released weights have their own",
        is_led_by_pixels=True,
    )
    options: ClassVar[type] = ArticulatedOptions
    network: Articulated
    _options: ArticulatedOptions

    def _made(self, words: Words) -> nn.Module:
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
        weights=("self-appearance",),
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

    def _made(self, words: Words) -> nn.Module:
        return SelfAppearance(*self_appearance_design(words, self._options.solving(words.get(EVOLUTION, OFF))))

    def puppet(self, views: Tensor, precision: str = "") -> Puppet:
        return SelfAppearancePuppet(self.network, views[: self.most_views], precision or self._options.precision)

    def game(self, phase: Phase) -> Game:
        """See `Trainable`."""
        return SelfAppearanceGame(self.network, phase, self.device, self._options.adversarial)
