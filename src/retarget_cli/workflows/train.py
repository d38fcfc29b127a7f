"""Train a method's networks on many people: the whole way, from clips to weights."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from retarget_cli.backends.registry import backend_class, known_backends, make_backend
from retarget_cli.backends.trainable import GENERATOR, Batch, Game, Phase, Trainable
from retarget_cli.backends.words import UNTRAINED, WEIGHTS_OPTION
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import BackendError, Interrupted, RetargetError, UsageError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.perception.cache import Cache
from retarget_cli.training.album import Album
from retarget_cli.training.checkpoint import Checkpoints
from retarget_cli.training.config import check_same, write_config
from retarget_cli.training.draw import Drawer
from retarget_cli.training.loop import Fit, Step
from retarget_cli.training.processes import is_first_process
from retarget_cli.weights.checkpoints import Label, read_weights, write_weights
from retarget_cli.workflows.others import other_clips, read_others
from retarget_cli.workflows.train_albums import albums as make_albums
from retarget_cli.workflows.train_loader import Loader
from retarget_cli.workflows.train_options import TrainOptions, recorded
from retarget_cli.workflows.train_run import CHECKPOINTS, CONFIG, WEIGHTS, RunFolder, open_folder
from retarget_cli.workflows.train_stop import Stop

# Examples in a sample picture, at most.
_SAMPLES = 4
# What torch says where a picture has become a single pixel, of which no batch statistics can be taken.
_TOO_SMALL = "more than 1 value per channel"
# What the game tells of its losses, in a checkpoint.
_NOTES = "notes"


class Watcher(Protocol):
    """Looks on; called in the caller's thread."""

    def step(self, step: Step, steps: int) -> None:
        """A step of so many is done."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came of a training.

    Attributes:
        folder: of the run.
        weights: file of the generator.
        steps: that are done in all; resumed: so many of them before this time.
        seconds: that this time took.
        albums, pictures: that were learned from.
        losses: of the last step: player -> term -> value.
        device: that was used.
        notes: what a reader of the weights must know.
    """

    folder: Path
    weights: Path
    steps: int
    resumed: int
    seconds: float
    albums: int
    pictures: int
    losses: dict[str, dict[str, float]]
    device: str
    notes: tuple[str, ...]


def train(options: TrainOptions, cache: Cache, progress: Progress, watcher: Watcher) -> TrainResult:
    """Train until `options.fit.steps` are done.

    Args:
        options: what is to be.
        cache: albums are kept in its folder.
        progress: is told about albums, and what else one should know.
        watcher: is told about steps.

    Raises:
        UsageError: an option is impossible, the method can't learn, or a run was begun with other options.
        InputError: there is nothing to learn from.
        OutputError: something can't be written; the last checkpoint stays.
        BackendError: a loss is not finite, or memory does not suffice; the last checkpoint stays.
        Interrupted: the user stopped it; a checkpoint was saved.
    """
    began = time.perf_counter()
    check_trainable(options.backend)
    others = _others(options)
    device = choose_device(options.device).device
    if is_first_process():
        open_folder(options.output, options.may_resume)
    torch.manual_seed(options.seed)
    backend = open_backend(options, device)
    game = opened_game(backend, options.rate)
    fit = Fit(game, options.fit, device)
    with fit.accelerator.main_process_first():  # the others find what it has made
        found = make_albums(
            options.data, options.drawn, options.seed, options.draw.size, cache.folder / "albums", options.workers,
            progress if fit.rank == 0 else Silence(), backend.spec.is_led_by_pixels, backend.span() is not None,
        )  # fmt: skip
        films = read_others(others, found[0].body, cache, progress)
    run = _Run(options, backend, game, fit, found, films)
    resumed = run.begin()
    losses = run.play(progress, watcher)
    return TrainResult(
        options.output, options.output / WEIGHTS, fit.number, resumed, time.perf_counter() - began, len(found),
        sum(map(len, found)), losses, str(fit.device), tuple(game.notes),
    )  # fmt: skip


def check_trainable(name: str) -> None:
    """Refuse a method that can't learn.

    Raises:
        UsageError: it can't, and which can.
    """
    if issubclass(backend_class(name), Trainable):
        return
    able = []
    for known in sorted(known_backends()):
        try:
            if issubclass(backend_class(known), Trainable):
                able.append(known)
        except RetargetError:
            continue  # one that is not installed rightly can't be offered
    raise UsageError(f"{name} has nothing that could learn", f"these have: {', '.join(able) or 'none'}")


def _others(options: TrainOptions) -> list[Path]:
    """Others' clips and motion files.

    Raises:
        UsageError: the method learns nothing from them.
        InputError: one is not there, or a folder holds none.
    """
    if options.driving and not backend_class(options.backend).spec.is_taught_by_film:
        raise UsageError(f"--driving: --backend {options.backend} learns nothing from others' postures", "leave it out")
    return other_clips(options.driving)


def open_backend(options: TrainOptions, device: torch.device) -> Trainable:
    """The method with fresh networks, or with the weights that were given.

    Raises:
        UsageError: an option is wrong, or contradicts the given weights.
        WeightsError: the given weights are not there, damaged or of another network.
    """
    chosen = backend_class(options.backend)
    settings = {WEIGHTS_OPTION: UNTRAINED, **options.settings}
    if chosen.spec.is_led_by_pixels:  # to be used at the size that it was trained at
        settings.setdefault("resolution", str(options.draw.size))
    state, label = None, None
    if options.initial is not None:
        state, label = read_weights(options.initial, options.backend)
        known = {each.name for each in fields(chosen.options)}
        settings = {**{name: text for name, text in label.design.items() if name in known}, **settings}
    backend = make_backend(options.backend, settings, device)
    assert isinstance(backend, Trainable)
    if state is not None and label is not None:
        backend.begin(state, label.design, str(options.initial))
    return backend


def opened_game(backend: Trainable, rate: float | None) -> Game:
    """The game, at another rate where one was given."""
    game = backend.game(Phase.TRAIN)
    if rate is not None:
        game.rates = {player: replace(each, learning=rate) for player, each in game.rates.items()}
    return game


class _Run:
    """One training from here to its end."""

    def __init__(
        self, options: TrainOptions, backend: Trainable, game: Game, fit: Fit, albums: Sequence[Album],
        others: Sequence[FloatArray],
    ) -> None:  # fmt: skip
        self._options, self._backend, self._game, self._fit = options, backend, game, fit
        self._albums, self._others = albums, others
        self._folder: RunFolder | None = None

    def begin(self) -> int:
        """Write the options of a new run, or take up one that was begun; returns the steps that are done."""
        output, fit = self._options.output, self._fit
        told = recorded(self._options, self._albums, fit.accelerator.num_processes)
        if fit.rank == 0:
            if (output / CONFIG).is_file():
                check_same(output / CONFIG, told)
            write_config(output / CONFIG, told)
        fit.accelerator.wait_for_everyone()
        kept = Checkpoints(output / CHECKPOINTS)
        newest = kept.newest()
        if newest is not None:
            state, about = kept.load(newest)
            self._check_losses(about)
            fit.load_state(state)
        if fit.rank:
            torch.manual_seed(self._options.seed + 1000 * fit.rank + fit.number)
        return fit.number

    def _check_losses(self, told: dict[str, str]) -> None:
        """Refuse to go on with other losses, such as those whose network has been pulled since."""
        before, now = told.get(_NOTES), _as_text(self._game.notes)
        if before is not None and before != now:
            raise UsageError(
                f"the losses are others than those that {self._options.output} was begun with: {now}, before {before}",
                "let the same files of weights be found (--weights DIR), or begin a new run",
            )

    def play(self, progress: Progress, watcher: Watcher) -> dict[str, dict[str, float]]:
        """Learn to the end; returns the last step's losses."""
        options, fit = self._options, self._fit
        draw = options.draw
        workers = options.workers or os.cpu_count() or 1
        losses: dict[str, dict[str, float]] = {}
        with ExitStack() as stack:
            stop = stack.enter_context(Stop(is_led=fit.accelerator.num_processes > 1))
            drawer = Drawer(self._albums, draw, options.seed, fit.rank, self._backend.span(), self._others)
            loader = stack.enter_context(Loader(self._backend, drawer, workers, fit.device.type == "cuda"))
            shown: Batch | None = None
            if fit.rank == 0:
                self._folder = stack.enter_context(RunFolder(options.output, fit.number))
                if not self._folder.has_board:
                    progress.note("losses go to losses.csv alone: TensorBoard is not installed")
                shown = stack.enter_context(self._sample_loader()).batch(0)
            if fit.number >= options.fit.steps:
                return losses
            if shown is not None and not fit.number and options.sample_every:
                self._sample(shown)
            for step in self._steps(loader.batches(fit.number * options.fit.accumulate)):
                losses = step.losses
                is_stopped = fit.any(stop.is_asked)
                is_over = is_stopped or step.number == options.fit.steps
                if self._folder is not None and shown is not None:
                    self._keep(self._folder, step, is_over, shown)
                    watcher.step(step, options.fit.steps)
                if is_stopped and step.number < options.fit.steps:
                    raise Interrupted(
                        f"{step.number} of {options.fit.steps} steps are done and saved in {options.output}",
                        "add --resume to the same command to go on",
                    )
        return losses

    def _steps(self, batches: Iterator[Batch]) -> Iterator[Step]:
        try:
            yield from self._fit.run(batches)
        except ValueError as error:
            if _TOO_SMALL not in str(error):
                raise
            raise BackendError(
                "the pictures are too small for this network to learn from one alone", "use a larger --size or --batch"
            ) from error
        except torch.OutOfMemoryError as error:
            raise BackendError(
                f"{self._fit.device} has not enough memory to learn", "use a smaller --batch, --size or --sources"
            ) from error

    def _keep(self, folder: RunFolder, step: Step, is_over: bool, shown: Batch) -> None:
        """Write what is due after a step."""
        folder.log(step)
        if is_over or _is_due(step.number, self._options.sample_every):
            self._sample(shown)
        if is_over or _is_due(step.number, self._options.save_every):
            folder.flush()
            told = {"backend": self._options.backend, "steps": str(step.number), _NOTES: _as_text(self._game.notes)}
            folder.checkpoints.save(step.number, self._fit.state(), told)
            write_weights(self._options.output / WEIGHTS, self._fit.weights(), self._label(step.number))

    def _label(self, number: int) -> Label:
        options = self._options
        names = [path.resolve().name for path in options.data]
        if options.drawn:
            names.append(f"{options.drawn} clips of `retarget synth`, seed {options.seed}")
        counts = f"{len(self._albums)} albums, {sum(map(len, self._albums))} pictures"
        about = f"`retarget train {options.backend}` on {', '.join(names)}: {counts}"
        if options.initial is not None:
            about += f", begun with {options.initial.name}"
        return Label(options.backend, self._backend.design(), tuple(self._game.notes), number, about)

    def _sample_loader(self) -> Loader:
        """Draws what the sample pictures show: always the same people, as they are."""
        draw = self._options.draw
        plain = replace(draw, batch=min(draw.batch, _SAMPLES), zoom=0.0, jitter=0.0, theta_noise=0.0, camera_noise=0.0)
        drawer = Drawer(self._albums, plain, self._options.seed + 1, span=self._backend.span(), others=self._others)
        return Loader(self._backend, drawer, 1)

    @torch.no_grad()
    def _sample(self, shown: Batch) -> None:
        """A sample picture; neither the training's random numbers nor what its norms remember are touched."""
        assert self._folder is not None
        device = self._fit.device
        learning = [each for each in self._game.players[GENERATOR].modules() if each.training]
        batch: dict[str, Tensor] = {name: tensor.to(device) for name, tensor in shown.items()}
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            for each in learning:
                each.training = False
            try:
                self._folder.sample(self._fit.number, self._game.picture(batch))
            finally:
                for each in learning:
                    each.training = True


def _as_text(notes: Sequence[str]) -> str:
    return json.dumps(list(notes))


def _is_due(number: int, every: int) -> bool:
    return every > 0 and number % every == 0
