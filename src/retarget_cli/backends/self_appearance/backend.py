"""The backends of the family: weights, and the way from pictures to a performer. None of them knows of people."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn

from retarget_cli.backends.base import Backend, Performer, Spec
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.first_order import FirstOrder
from retarget_cli.backends.self_appearance.model import SelfAppearance
from retarget_cli.backends.self_appearance.options import (
    BASE,
    NONE,
    ArticulatedOptions,
    FamilyOptions,
    FirstOrderOptions,
    SelfAppearanceOptions,
    articulated_design,
    first_order_design,
    self_appearance_design,
)
from retarget_cli.backends.self_appearance.performer import (
    ArticulatedPuppet,
    FirstOrderPuppet,
    LedPerformer,
    Puppet,
    SelfAppearancePuppet,
    views_of,
)
from retarget_cli.core.subject import Subject
from retarget_cli.weights.checkpoints import find_weights, read_weights
from retarget_cli.weights.state import load_into

Network = TypeVar("Network", bound=nn.Module)


class Family(Backend):
    """What they have in common.

    Args:
        options: of the backend.
        device: where it computes.
    """

    name: ClassVar[str]

    def __init__(self, options: FamilyOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self._resolution = options.resolution
        words: dict[str, str] = {}
        state: dict[str, Tensor] = {}
        told = ""
        if options.weights != NONE:
            path = find_weights(self.name, "" if options.weights == BASE else options.weights)
            state, label = read_weights(path, self.name)
            words, told = dict(label.design), path.name
        self.network = self._made(words)
        if told:
            load_into(self.network, state, told)
        self.network.to(device).eval()

    @abstractmethod
    def _made(self, words: dict[str, str]) -> nn.Module:
        """The network of a design."""

    @abstractmethod
    def _puppet(self, views: Tensor) -> Puppet:
        """Of pictures (V, 3, h, w), the source first."""

    def prepare(self, subject: Subject) -> Performer:
        """Encode the pictures."""
        with torch.inference_mode():
            puppet = self._puppet(views_of(subject, self._resolution, self.device))
        return LedPerformer(puppet, subject.size, self._resolution, self.device)


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

    def _made(self, words: dict[str, str]) -> nn.Module:
        return FirstOrder(*first_order_design(words))

    def _puppet(self, views: Tensor) -> Puppet:
        return FirstOrderPuppet(self.network, views)


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

    def _made(self, words: dict[str, str]) -> nn.Module:
        return Articulated(*articulated_design(words))

    def _puppet(self, views: Tensor) -> Puppet:
        return ArticulatedPuppet(self.network, views)


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

    def __init__(self, options: SelfAppearanceOptions, device: torch.device) -> None:
        self._said = options
        super().__init__(options, device)

    def _made(self, words: dict[str, str]) -> nn.Module:
        return SelfAppearance(*self_appearance_design(words, self._said))

    def _puppet(self, views: Tensor) -> Puppet:
        return SelfAppearancePuppet(self.network, views[: 1 + self._said.references])
