"""The loop: it learns, resuming is the same as not stopping, and a larger batch is the same as several."""

from __future__ import annotations

import math

import pytest
import torch
from tests.training.toy_game import ToyGame, batch_of, batches_from, generator_of, seeded_game
from torch import Tensor

from retarget_cli.backends.trainable import Batch
from retarget_cli.core.errors import BackendError, UsageError, WeightsError
from retarget_cli.training.loop import Fit, FitOptions, Step

CPU = torch.device("cpu")


def copied(fit: Fit) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in fit.state().items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


def test_one_batch_is_overfitted() -> None:
    fit = Fit(seeded_game(), FitOptions(400), CPU)
    steps = list(fit.run(iter([batch_of(0)] * 400)))
    assert [step.number for step in steps] == list(range(1, 401))
    assert steps[-1].losses["generator"]["l1"] < 0.1 * steps[0].losses["generator"]["l1"]
    assert set(steps[0].losses["critic"]) == {"true", "made"}
    assert all(step.seconds > 0 for step in steps)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_resuming_is_the_same_as_not_stopping(precision: str) -> None:
    options = FitOptions(9, accumulate=2, precision=precision, ema=0.9, clip=0.5, has_decay=True)  # type: ignore[arg-type]
    torch.manual_seed(3)
    whole = Fit(seeded_game(noise=0.1), options, CPU)
    list(whole.run(batches_from(0)))
    first = Fit(seeded_game(noise=0.1), options, CPU)
    run = first.run(batches_from(0))
    for _ in range(4):
        next(run)
    kept = copied(first)
    torch.manual_seed(99)
    second = Fit(ToyGame(generator_of(), noise=0.1), options, CPU)
    second.load_state(kept)
    assert second.number == 4
    assert [step.number for step in second.run(batches_from(8))] == [5, 6, 7, 8, 9]
    assert_same(copied(whole), copied(second))


def test_what_is_loaded_is_a_copy() -> None:
    fit = Fit(seeded_game(), FitOptions(3, ema=0.9), CPU)
    list(fit.run(batches_from(0)))
    kept = copied(fit)
    again = Fit(seeded_game(), FitOptions(6, ema=0.9), CPU)
    before = {name: tensor.clone() for name, tensor in kept.items()}
    again.load_state(kept)
    list(again.run(batches_from(3)))
    assert_same(kept, before)


def test_accumulation_is_a_larger_batch() -> None:
    together = Fit(seeded_game(has_norm=False), FitOptions(3), CPU)
    apart = Fit(seeded_game(has_norm=False), FitOptions(3, accumulate=2), CPU)
    wholes = [batch_of(number, 4) for number in range(3)]
    halves = [{name: each[at : at + 2] for name, each in whole.items()} for whole in wholes for at in (0, 2)]
    one, other = list(together.run(iter(wholes))), list(apart.run(iter(halves)))
    for left, right in zip(one, other, strict=True):
        for player, terms in left.losses.items():
            assert terms == pytest.approx(right.losses[player], rel=1e-4)
    states = together.state(), apart.state()
    # The optimizer's moments too: Adam's steps alone do not tell how large a gradient was.
    for name in (each for each in states[0] if each.startswith(("network", "adam"))):
        torch.testing.assert_close(states[0][name], states[1][name], rtol=1e-3, atol=1e-5)


def test_batches_that_end_leave_no_half_step() -> None:
    fit = Fit(seeded_game(), FitOptions(5, accumulate=2), CPU)
    assert len(list(fit.run(iter([batch_of(0)] * 3)))) == 1
    assert fit.number == 1


class Nosy(ToyGame):
    """Looks at which parameters learn."""

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        for name, network in self.players.items():
            learning = {each.requires_grad for each in network.parameters()}
            assert learning == ({True} if name == player else {False}) or name == "generator"
        assert not next(self.players["generator"].parameters()).requires_grad  # frozen by the game, and kept so
        return super().losses(player, batch, kept)


def test_only_the_player_whose_turn_it_is_learns() -> None:
    generator = generator_of()
    frozen = next(generator.parameters())
    frozen.requires_grad_(False)
    before = frozen.clone()
    fit = Fit(Nosy(generator), FitOptions(2), CPU)
    list(fit.run(batches_from(0)))
    assert torch.equal(frozen, before)
    assert all(each.requires_grad for each in fit.game.players["critic"].parameters())
    assert all(each.grad is None for network in fit.game.players.values() for each in network.parameters())


class Spoiled(ToyGame):
    """A loss that stops being a number."""

    count = 0

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        found = super().losses(player, batch, kept)
        self.count += 1
        return {**found, "made": found["made"] * math.nan} if player == "critic" and self.count >= 6 else found


def test_a_loss_that_is_no_number_is_named() -> None:
    fit = Fit(Spoiled(generator_of()), FitOptions(9), CPU)
    done: list[Step] = []
    with pytest.raises(BackendError, match="critic/made is nan in step 3"):
        done.extend(fit.run(batches_from(0)))


def test_the_rate_sinks_after_a_quarter() -> None:
    fit = Fit(seeded_game(), FitOptions(8, has_decay=True), CPU)
    rates = []
    for _ in fit.run(batches_from(0)):
        rates.append(fit._optimizers["generator"].param_groups[0]["lr"])
    assert rates[:3] == [0.01] * 3
    assert rates[3:] == pytest.approx([0.01 * (1 - 0.9 * way / 6) for way in range(1, 6)])


class Parted(ToyGame):
    """Of two parts of four steps each."""

    def way(self, number: int, steps: int) -> float:
        return number % 4 / 4


def test_the_rate_sinks_in_every_part_anew() -> None:
    fit = Fit(Parted(generator_of()), FitOptions(8, has_decay=True), CPU)
    rates = [fit._optimizers["critic"].param_groups[0]["lr"] for _ in fit.run(batches_from(0))]
    assert rates == pytest.approx([0.01, 0.01, 0.007, 0.004] * 2)


def test_gradients_are_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    fit = Fit(seeded_game(), FitOptions(1, clip=1e-3), CPU)
    for optimizer in fit._optimizers.values():
        step = optimizer.step

        def seen(*args: object, step: object = step, optimizer: object = optimizer) -> None:
            found = [each.grad for group in optimizer.param_groups for each in group["params"]]  # type: ignore[attr-defined]
            norms.append(float(torch.stack([each.norm() for each in found]).norm()))
            step(*args)  # type: ignore[operator]

        monkeypatch.setattr(optimizer, "step", seen)
    list(fit.run(batches_from(0)))
    assert norms == pytest.approx([1e-3, 1e-3], rel=1e-3)


def test_the_mean_follows_the_weights() -> None:
    fit = Fit(seeded_game(), FitOptions(3, ema=0.5), CPU)
    generator = fit.game.players["generator"]
    seen = [{name: each.clone() for name, each in generator.state_dict().items()}]
    for _ in fit.run(batches_from(0)):
        seen.append({name: each.clone() for name, each in generator.state_dict().items()})
    mean = seen[0]["0.weight"]
    for number, after in enumerate(seen[1:]):
        decay = min(0.5, (1 + number) / (10 + number))
        mean = decay * mean + (1 - decay) * after["0.weight"]
    torch.testing.assert_close(fit.weights()["0.weight"], mean)
    assert torch.equal(fit.weights()["1.num_batches_tracked"], seen[-1]["1.num_batches_tracked"])


def test_a_state_of_another_game_is_refused() -> None:
    fit = Fit(seeded_game(), FitOptions(2, ema=0.9), CPU)
    other = Fit(ToyGame(generator_of(width=8)), FitOptions(2, ema=0.9), CPU)
    with pytest.raises(WeightsError, match=r"generator is another network: .*weight"):
        fit.load_state(other.state())
    unaveraged = Fit(seeded_game(), FitOptions(2), CPU)
    with pytest.raises(WeightsError, match="averaged"):
        fit.load_state(unaveraged.state())
    with pytest.raises(WeightsError, match="how many steps"):
        fit.load_state({})


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"accumulate": 0}, {"ema": 1.0}, {"clip": -1.0}])
def test_impossible_options(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        FitOptions(**{"steps": 1, **wrong})  # type: ignore[arg-type]


def test_half_precision_needs_a_gpu() -> None:
    with pytest.raises(UsageError, match="fp16"):
        Fit(seeded_game(), FitOptions(1, precision="fp16"), CPU)
