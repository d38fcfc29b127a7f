"""The loop: players move in turn, step after step. It prints nothing and writes nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from retarget_cli.backends.trainable import GENERATOR, Batch, Game
from retarget_cli.core.errors import BackendError, UsageError
from retarget_cli.training.average import Average
from retarget_cli.training.processes import Precision, open_accelerator
from retarget_cli.training.snapshot import load_snapshot, take_snapshot
from retarget_cli.training.turn import Locks, Turn

# Of all steps so many, a share, are taken at the full rate; then it sinks to so much of it (paper, 4.2).
_CONSTANT, _LAST = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to learn.

    Attributes:
        steps: in all, those before a resume included.
        accumulate: batches whose gradients are added up in each step.
        precision: of the networks; weights stay fp32.
        ema: decay of the generator's running mean, in [0, 1); 0: none.
        clip: largest norm of a player's gradient; 0: any.
        has_decay: the rates are kept for a quarter of the steps and then sink linearly to a tenth (paper, 4.2); in each
            part of a game that is played in parts.
    """

    steps: int
    accumulate: int = 1
    precision: Precision = "fp32"
    ema: float = 0.0
    clip: float = 0.0
    has_decay: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1 or self.accumulate < 1:
            raise UsageError(f"--steps {self.steps}, --accumulate {self.accumulate}: expected at least 1")
        if not 0 <= self.ema < 1 or self.clip < 0:
            raise UsageError(f"--ema {self.ema} must be in [0, 1), --clip {self.clip} 0 or more")


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a step.

    Attributes:
        number: how many steps are done, from 1.
        losses: player -> weighted term -> mean over the step's batches and all processes.
        seconds: that it took, waiting for its batches included.
    """

    number: int
    losses: dict[str, dict[str, float]]
    seconds: float


class Fit:
    """A game being played.

    Args:
        game: the networks, and what each wants.
        options: how to learn.
        device: where; see `processes.open_accelerator` about many processes.

    Attributes:
        number: steps that are done.
    """

    def __init__(self, game: Game, options: FitOptions, device: torch.device) -> None:
        self.game, self.options, self.number = game, options, 0
        self.accelerator = open_accelerator(device, options.precision)
        self._locks = Locks(game)
        self._optimizers: dict[str, Adam] = {}
        self._turns: dict[str, torch.nn.Module] = {}
        self._bare: dict[str, Turn] = {}
        self._prepared = {}
        for player, network in game.players.items():
            network.to(self.accelerator.device)
            rate, bare = game.rates[player], Turn(game, player)
            optimizer = Adam(self._locks.parameters(player), lr=rate.learning, betas=rate.betas, fused=True)
            self._bare[player], self._optimizers[player] = bare, optimizer
            self._turns[player], self._prepared[player] = self.accelerator.prepare(bare, optimizer)
        self.average = Average(game.players[GENERATOR], options.ema)

    @property
    def device(self) -> torch.device:
        """Where this process computes."""
        return self.accelerator.device

    @property
    def rank(self) -> int:
        """Number of this process; 0 writes."""
        return int(self.accelerator.process_index)

    def any(self, is_so: bool) -> bool:
        """Whether it is so in any of the processes; all of them must ask."""
        if self.accelerator.num_processes == 1:
            return is_so
        return bool(self.accelerator.reduce(torch.tensor(float(is_so), device=self.device), "sum").item())

    def weights(self) -> dict[str, Tensor]:
        """The generator's running mean, or its weights where none is kept."""
        return self.average.weights()

    def state(self) -> dict[str, Tensor]:
        """Everything that resuming needs, by name: networks, optimizers, mean, step, random numbers."""
        return take_snapshot(self.game, self._optimizers, self.average, self.number, self.accelerator.scaler)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state` was taken.

        Raises:
            WeightsError: it is of another game.
        """
        self.number = load_snapshot(state, self.game, self._optimizers, self.average, self.accelerator.scaler)

    def run(self, batches: Iterator[Batch]) -> Iterator[Step]:
        """Steps until there are `options.steps`, or the batches end.

        Args:
            batches: the first is that of the step after `number`; `options.accumulate` of them go into each step.

        Raises:
            BackendError: a loss is not finite. The weights are then spoiled; what was saved before is not.
        """
        while self.number < self.options.steps:
            began = time.perf_counter()
            drawn = [batch for _, batch in zip(range(self.options.accumulate), batches, strict=False)]
            if len(drawn) < self.options.accumulate:
                return
            losses = self._step([self._moved(batch) for batch in drawn])
            self.average.update(self.number)
            self.number += 1
            yield Step(self.number, losses, time.perf_counter() - began)

    def _step(self, drawn: list[Batch]) -> dict[str, dict[str, float]]:
        self.game.approach(self.number, self.options.steps)
        kept: list[dict[str, Tensor]] = [{} for _ in drawn]
        terms: dict[tuple[str, str], Tensor] = {}
        for player in self.game.players:
            with self._locks.only(player):
                for name, value in self._move(player, drawn, kept).items():
                    terms[player, name] = value
        return self._told(terms)

    def _move(self, player: str, drawn: list[Batch], kept: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """One player's turn: gradients of all batches, one update; returns the terms' means."""
        turn, optimizer = self._turns[player], self._prepared[player]
        sums: dict[str, Tensor] = {}
        for row, batch in enumerate(drawn):
            self._bare[player].kept = kept[row]
            with self._syncing(turn, row + 1 == len(drawn)):
                losses = turn(batch)
                self.accelerator.backward(torch.stack([*losses.values()]).sum() / len(drawn))
            for name, value in losses.items():
                sums[name] = sums.get(name, 0) + value.detach().float() / len(drawn)
        if self.options.clip:
            self.accelerator.unscale_gradients(optimizer)
            clip_grad_norm_(self._locks.parameters(player), self.options.clip)
        for group in self._optimizers[player].param_groups:
            group["lr"] = self.game.rates[player].learning * self._decay()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return sums

    def _syncing(self, turn: torch.nn.Module, is_last: bool) -> AbstractContextManager[None]:
        """Processes exchange gradients once a step."""
        return nullcontext() if is_last else self.accelerator.no_sync(turn)

    def _decay(self) -> float:
        if not self.options.has_decay:
            return 1.0
        way = (self.game.way(self.number, self.options.steps) - _CONSTANT) / (1 - _CONSTANT)
        return 1.0 - (1 - _LAST) * max(0.0, way)

    def _moved(self, batch: Batch) -> Batch:
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}

    def _told(self, terms: Mapping[tuple[str, str], Tensor]) -> dict[str, dict[str, float]]:
        """Terms as numbers; one transfer for all."""
        together = torch.stack(list(terms.values()))
        if self.accelerator.num_processes > 1:
            together = self.accelerator.reduce(together, "mean")
        losses: dict[str, dict[str, float]] = {player: {} for player in self.game.players}
        for (player, name), value in zip(terms, together.tolist(), strict=True):
            if not math.isfinite(value):
                raise BackendError(
                    f"the loss {player}/{name} is {value} in step {self.number + 1}",
                    "go on from the last checkpoint with a lower --rate, --clip 1 or --precision fp32",
                )
            losses[player][name] = value
        return losses
