"""Learning one person, step after step, in a thread of its own: a run that is stopped ends at the end of a step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.trainable import Batch, Game, Phase, Rate, Trainable
from retarget_cli.core.errors import BackendError, UsageError
from retarget_cli.core.example import Example
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image
from retarget_cli.training.loop import Fit, FitOptions, Step
from retarget_cli.workflows.overlap import overlapped

Precision = Literal["auto", "fp32", "bf16", "fp16"]
# Examples that are kept ready: about 10 MB each at 256 pixels, and a tenth of a step to make again.
_KEPT = 16


class Watcher(Protocol):
    """Looks on while somebody is learned; called in the caller's thread.

    Attributes:
        wants_pictures: whether `picture` is of any use; making one costs about a third of a step.
    """

    wants_pictures: bool

    def step(self, step: Step, steps: int) -> None:
        """A step of so many is done."""

    def picture(self, number: int, picture: Image) -> None:
        """What the networks make after so many steps: source, made and true side by side, (H, K * W, 3)."""


class Examples(Protocol):
    """What is drawn from, by numbers from 0 on; equal numbers give equal examples."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Example: ...


class Counting:
    """A watcher that only counts, for who shows nothing else."""

    wants_pictures = False

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, step: Step, steps: int) -> None:
        self._progress.stage("personalize", step.number, steps)

    def picture(self, number: int, picture: Image) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class LessonOptions:
    """How somebody is learned.

    Attributes:
        steps: in all, those before a resume included.
        rate: Adam's learning rate of all players; None: the method's own.
        seed: of the order of views, of their variations, and of the opponents' first weights.
        variations: of every view, moved and scaled (`variations`); 0: the views alone, as liquid warping was published.
        precision: of the networks; auto: bf16 on CUDA, else fp32.
        save_every: steps from one saving to the next; 0: only when it is stopped.
        picture_every: steps from one picture to the next; 0: none.
        strength: how far the kept weights go from those it began with, 0, to those of the last step, 1; None: as the
            method has it, mostly halfway, where it began with trained weights, else all the way. The mean of both has
            what was learned without what few pictures make a network forget (Wortsman et al., "Robust fine-tuning of
            zero-shot models", CVPR 2022).
        has_decay: the rate sinks, see `FitOptions.has_decay`.
    """

    steps: int = 100
    rate: float | None = None
    seed: int = 0
    variations: int = 12
    precision: Precision = "auto"
    save_every: int = 50
    picture_every: int = 0
    strength: float | None = None
    has_decay: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """What came of a step (None: before the first), and a picture where one was due."""

    step: Step | None
    picture: Image | None = None


class Lesson:
    """A generator on its way to one person.

    Args:
        backend: its generator is changed.
        examples: what is drawn from, their variations among them.
        options: how.
    """

    def __init__(self, backend: Trainable, examples: Examples, options: LessonOptions) -> None:
        self.options = options
        self._backend, self._examples = backend, examples
        self._game = _game(backend, options.rate)
        fit = FitOptions(
            options.steps, precision=resolved(options.precision, backend.device), has_decay=options.has_decay
        )
        self.fit = Fit(self._game, fit, backend.device)
        self._batches: dict[int, Batch] = {}
        self.strength = _strength(backend, options.strength)
        self._base = {name: weight.detach().clone() for name, weight in self.fit.weights().items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the weights must know."""
        return self._game.notes

    @property
    def rates(self) -> Mapping[str, Rate]:
        """Of every player."""
        return self._game.rates

    @property
    def number(self) -> int:
        """How many steps are done."""
        return self.fit.number

    @property
    def is_over(self) -> bool:
        """Whether all steps are done."""
        return self.fit.number >= self.options.steps

    def weights(self) -> dict[str, Tensor]:
        """What is kept of the generator: see `LessonOptions.strength`."""
        tuned = self.fit.weights()
        return {name: _between(base, tuned[name].detach(), self.strength) for name, base in self._base.items()}

    def room(self) -> int:
        """Bytes that keeping the state takes, about: weights and two moments of each."""
        return 3 * sum(4 * each.numel() for network in self._game.players.values() for each in network.parameters())

    def resume(self, state: dict[str, Tensor]) -> None:
        """Go on where a state was taken.

        Raises:
            WeightsError: it is of another lesson.
            UsageError: more steps were done than are wanted now.
        """
        self.fit.load_state(state)
        if self.number > self.options.steps:
            raise UsageError(
                f"--steps {self.options.steps}: {self.number} steps were done before it was stopped",
                f"give --steps {self.number} or more, or add --restart to begin anew",
            )

    def moments(self, keep: Callable[[], None]) -> Iterator[Moment]:
        """Learn; what is left of the steps.

        Args:
            keep: called at the end of every `save_every`th step but the last: only between two steps do networks,
                optimizers and random numbers belong together.

        Raises:
            BackendError: a loss is not finite, or memory does not suffice.
        """
        every, device = self.options.picture_every, self._backend.device
        if device.type == "cuda" and device.index is not None:
            torch.cuda.set_device(device)  # each thread has its own
        try:
            if every and not self.number:
                yield Moment(None, self._picture())
            for step in self.fit.run(self._drawn()):
                if self.options.save_every and step.number % self.options.save_every == 0 and not self.is_over:
                    keep()
                is_due = every and (step.number % every == 0 or self.is_over)
                yield Moment(step, self._picture() if is_due else None)
        except torch.OutOfMemoryError as error:
            raise BackendError(
                f"{self._backend.device} has not enough memory to learn", "use a smaller --size, or --device cpu"
            ) from error

    def _drawn(self) -> Iterator[Batch]:
        for row in draws(self.options.seed, len(self._examples), self.number):
            yield self._batch(row)

    def _batch(self, row: int) -> Batch:
        """An example as a batch of one, on the device; the last ones are kept."""
        if row not in self._batches:
            if len(self._batches) == _KEPT:
                del self._batches[next(iter(self._batches))]
            tensors = self._backend.tensors(self._examples[row])
            self._batches[row] = {name: each[None].to(self._backend.device) for name, each in tensors.items()}
        return self._batches[row]

    def _picture(self) -> Image:
        """Always of the first example, so that one sees it change."""
        shown = self._game.picture(self._batch(0))[0].detach().float().clamp(0, 1)
        return (shown * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def _game(backend: Trainable, rate: float | None) -> Game:
    game = backend.game(Phase.PERSONALIZE)
    if rate is not None:
        game.rates = {player: replace(each, learning=rate) for player, each in game.rates.items()}
    return game


def _strength(backend: Trainable, asked: float | None) -> float:
    if asked is not None:
        return asked
    return backend.personal_strength if "sha256" in backend.lineage() else 1.0


def _between(base: Tensor, tuned: Tensor, share: float) -> Tensor:
    return torch.lerp(base, tuned, share) if base.is_floating_point() else tuned


def draws(seed: int, count: int, start: int) -> Iterator[int]:
    """Numbers in [0, count), uniform, without end; each depends on the seed and its place alone."""
    for place in itertools.count(start):
        yield int(np.random.default_rng([seed, place]).integers(count))


def resolved(precision: Precision, device: torch.device) -> Literal["fp32", "bf16", "fp16"]:
    """The precision that is used: `auto` is bf16 where a CUDA device has it, else fp32."""
    if precision != "auto":
        return precision
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def learn(lesson: Lesson, watcher: Watcher, keep: Callable[[], None], progress: Progress) -> None:
    """Learn to the end. Whatever ends it early, the lesson is then at the end of a step.

    Args:
        lesson: what is left of it.
        watcher: looks on, in this thread.
        keep: see `Lesson.moments`.
        progress: told that a step is waited for when the user has stopped it.
    """
    with overlapped(lesson.moments(keep), ahead=1) as moments:
        try:
            for moment in moments:
                if moment.step is not None:
                    watcher.step(moment.step, lesson.options.steps)
                if moment.picture is not None:
                    watcher.picture(0 if moment.step is None else moment.step.number, moment.picture)
        except KeyboardInterrupt:
            progress.note("stopping at the end of this step; what was learned is kept")
            raise


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers of torch from a seed; afterwards they go on as if nothing had been."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
