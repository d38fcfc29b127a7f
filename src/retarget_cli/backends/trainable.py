"""What a method offers that can learn, beyond what it takes to animate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from torch import Tensor, nn

from retarget_cli.backends.base import Backend
from retarget_cli.core.errors import UsageError
from retarget_cli.core.example import Example, Span
from retarget_cli.core.subject import Subject
from retarget_cli.weights.state import load_into

Batch = Mapping[str, Tensor]
# What players of a game are called; the first one learns what is shown.
GENERATOR, DISCRIMINATOR = "generator", "discriminator"


class Phase(Enum):
    """`TRAIN` on many people; `PERSONALIZE` on the pictures of one."""

    TRAIN = "train"
    PERSONALIZE = "personalize"


@dataclass(frozen=True, slots=True)
class Rate:
    """How a player learns: Adam's learning rate, and its betas."""

    learning: float
    betas: tuple[float, float] = (0.9, 0.999)


class Game(ABC):
    """One training: the networks that move in turn in every step, and what each of them wants.

    Attributes:
        players: in the order of their turns; the generator is called `generator` and comes first.
        rates: of every player.
        notes: what a reader of the weights must know, such as a loss that stood in for another.
    """

    players: Mapping[str, nn.Module]
    rates: Mapping[str, Rate]
    notes: tuple[str, ...] = ()

    def approach(self, number: int, steps: int) -> None:  # noqa: B027  # most games are the same from start to end
        """Called before every step.

        A game that is played in parts finds out here which one is on; what it does must depend on nothing else, so
        that a run goes on as if it had never been stopped.

        Args:
            number: steps that are done.
            steps: that there will be in all.
        """

    def way(self, number: int, steps: int) -> float:
        """How far on the part is that is played after `number` of `steps`, 0 to 1: rates that sink do so in each part.

        Most games are of one part.
        """
        return number / steps

    @abstractmethod
    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """Weighted terms by name, scalars; the player minimises their sum.

        Args:
            player: whose turn it is; only its parameters get gradients.
            batch: tensors of `Trainable.tensors`, stacked, on the device.
            kept: empty at the first player's turn; what one leaves here (detached), later ones of the same step find.
        """

    @abstractmethod
    def picture(self, batch: Batch) -> Tensor:
        """(B, 3, H, K * W) in [0, 1]: for the eye, source, what is made and target side by side. No gradients."""


class Trainable(Backend):
    """A backend with networks that can be trained and personalised.

    Attributes:
        personal_strength: how far a personalisation of trained weights goes, unless the user says so: 0 to 1, see
            `LessonOptions.strength`.
    """

    personal_strength: ClassVar[float] = 0.5

    @property
    @abstractmethod
    def generator(self) -> nn.Module:
        """What is kept as weights; on the backend's device."""

    @abstractmethod
    def design(self) -> dict[str, str]:
        """The options, as `--set` has them, that the generator's form depends on: they are kept with the weights."""

    def adopt(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        """Take other weights in place of those that it has, such as a personalised generator's.

        Args:
            state: of `generator`, in any floating precision.
            design: what `design()` said where the weights come from.
            name: where they come from; for messages.

        Raises:
            UsageError: an option contradicts the design.
            WeightsError: they are not those of this network.
        """
        own = self.design()
        for key in sorted({*own, *design}):
            if own.get(key) != design.get(key):
                raise UsageError(
                    f"{name} is of {key}={design.get(key)}, not {key}={own.get(key)}", f"leave --set {key} as it was"
                )
        load_into(self.generator, state, name)

    def begin(self, state: Mapping[str, Tensor], design: Mapping[str, str], name: str) -> None:
        """Begin a training with other weights; as `adopt`, but a method may leave parts untrained that they lack."""
        self.adopt(state, design, name)

    def lineage(self) -> dict[str, str]:
        """Where the weights of `generator` come from, for people: such as `base`, `sha256`, `license`, `notes`."""
        return {}

    def span(self) -> Span | None:
        """What of the target's clip examples must tell; None: pictures by themselves are all that is learned from.

        With a span a personalisation learns from every frame of a clip, not from a few views of it.
        """
        return None

    @abstractmethod
    def tensors(self, example: Example) -> dict[str, Tensor]:
        """One example as CPU tensors without a batch dimension; equal keys and shapes for examples of equal form.

        Called in worker threads and processes; draws no random numbers.
        """

    @abstractmethod
    def game(self, phase: Phase) -> Game:
        """A training of `generator` against fresh opponents."""

    def personal_examples(self, subject: Subject) -> list[Example]:
        """What personalisation draws from, uniformly: every view once as the target, of sources that all share.

        Sources are the most frontal half and the most backward half of the views, as the liquid warping code has it;
        of one view, the view itself.
        """
        return [Example(subject, view, subject.plate) for view in subject.views]
