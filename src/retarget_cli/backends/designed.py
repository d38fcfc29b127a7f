"""Methods whose network's form lies in words: weights carry them, and options say them where there are no weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from retarget_cli.backends.trainable import Trainable
from retarget_cli.backends.words import BASE, UNTRAINED, Words, settled
from retarget_cli.weights.checkpoints import find_weights, lineage_of, read_weights
from retarget_cli.weights.state import fitted


@dataclass(frozen=True, slots=True)
class DesignedOptions(ABC):
    """Options some of which are the words of a design.

    A child that adds fields calls this class by its name, since classes with slots do not know `super()`.
    """

    command: ClassVar[str] = "retarget train"
    free: ClassVar[tuple[str, ...]] = ()

    weights: str = BASE
    """a weights file, a run of `retarget train`, or the name of an imported file; base: those that come along; none:
    untrained"""

    @abstractmethod
    def said(self) -> dict[str, str]:
        """What of the design the user has said."""

    @abstractmethod
    def usual(self) -> Words:
        """The design where nobody says anything."""

    def words(self, known: Words | None) -> dict[str, str]:
        """The design: the weights' where there are any, else as said, else as usual; see `settled`.

        Args:
            known: the design that lies in a weights file, or None.

        Raises:
            UsageError: an option contradicts the weights, or others.
        """
        return settled(self.said(), self.usual(), known, self.command, self.free)


class Designed(Trainable):
    """A method with one network that words describe; a child says how it is made of them, and of which type it is.

    Attributes:
        name: of the method.
        network: on the device, all of it `generator`.
    """

    name: ClassVar[str]
    network: nn.Module

    def __init__(self, options: DesignedOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self._options = options
        self._lineage: dict[str, str] = {}
        if options.weights == UNTRAINED:
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
            ValueError, KeyError, UsageError: there is none of these words.
        """

    def _take(self, state: Mapping[str, Tensor], design: Words, name: str) -> None:
        words = self._options.words(design)
        self.network = fitted(partial(self._made, words), state, name).to(self.device).eval()
        self._words = words

    @property
    def generator(self) -> nn.Module:
        """See `Trainable`: all of the network."""
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
