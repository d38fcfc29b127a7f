"""Motion that evolves: the recorded solvers, both ways to gradients, and what an untrained one does."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tests.reference_weights import SHARED, fill
from torch import Tensor

from retarget_cli.backends.self_appearance.evolution import Evolution, EvolutionOptions, FlowChange, Solver
from retarget_cli.core.errors import UsageError

RECORD = SHARED / "parity" / "ode.npz"
NAMES = {"first": "c1", "second": "c2", "last": "c3"}


def recorded() -> tuple[dict[str, Tensor], FlowChange]:
    """The record, and F_E with its weights."""
    if not RECORD.is_file():
        pytest.skip("../shared is not there")
    with np.load(RECORD) as file:
        record = {name: torch.from_numpy(file[name]) for name in file.files if file[name].dtype.kind == "f"}
        (made,) = json.loads(str(file["det"]))
    change = FlowChange()
    named = {name: tuple(value.shape) for name, value in change.state_dict().items()}
    theirs = {f"{NAMES[name.split('.')[0]]}.{name.split('.')[1]}": shape for name, shape in named.items()}
    weights = list(fill(theirs, made["seed"], made["gain"]).values())
    change.load_state_dict(dict(zip(named, weights, strict=True)))
    return record, change


def evolution(change: FlowChange, solver: Solver, **more: object) -> Evolution:
    made = Evolution(EvolutionOptions(solver, **more))  # type: ignore[arg-type]
    made.change = change
    return made


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
def test_fixed_steps_agree_with_the_record(solver: Solver) -> None:
    record, change = recorded()
    with torch.no_grad():
        ours = evolution(change, solver, steps=4)(record["x0"])
    assert (ours - record[solver]).abs().max() < 1e-5
    assert (record[solver] - record["x0"]).abs().max() > 0.1


@pytest.mark.parametrize(("tolerance", "name"), [(1e-6, "dopri5"), (1e-3, "dopri5_1e-3")])
def test_adaptive_steps_agree_with_the_record(tolerance: float, name: str) -> None:
    record, change = recorded()
    with torch.no_grad():
        ours = evolution(change, "dopri5", tolerance=tolerance)(record["x0"])
    assert (ours - record[name]).abs().max() < (1e-4 if tolerance < 1e-4 else 2e-3)


@pytest.mark.parametrize("solver", ["rk4", "dopri5"])
def test_both_ways_to_gradients_agree(solver: Solver) -> None:
    torch.manual_seed(0)
    change = FlowChange()
    for weights in change.parameters():
        torch.nn.init.normal_(weights, std=0.15)
    start = torch.randn(1, 2, 12, 10)
    found = []
    for has_adjoint in (False, True):
        motion = start.clone().requires_grad_()
        made = evolution(change, solver, has_adjoint=has_adjoint, tolerance=1e-6, steps=16)
        made(motion).square().sum().backward()
        assert motion.grad is not None
        assert change.first.weight.grad is not None
        found.append((motion.grad, change.first.weight.grad.clone()))
        change.zero_grad()
    for direct, adjoint in zip(*found, strict=True):
        assert (direct - adjoint).norm() < 1e-4 * direct.norm()


def test_untrained_or_off_it_changes_nothing() -> None:
    motion = torch.randn(2, 2, 7, 9)
    assert torch.equal(Evolution(EvolutionOptions())(motion), motion)
    off = evolution(FlowChange(), "off")
    torch.nn.init.ones_(off.change.last.weight)
    assert off(motion) is motion
    on = evolution(off.change, "euler", steps=1)
    assert not torch.allclose(on(motion), motion)


def test_more_steps_come_nearer_to_the_truth() -> None:
    torch.manual_seed(0)
    change = FlowChange()
    torch.nn.init.normal_(change.last.weight, std=0.3)
    motion = torch.randn(1, 2, 8, 8)
    with torch.no_grad():
        truth = evolution(change, "dopri5", tolerance=1e-7)(motion)
        errors = [float((evolution(change, "euler", steps=n)(motion) - truth).abs().max()) for n in (1, 4, 16)]
        fine = float((evolution(change, "rk4", steps=4)(motion) - truth).abs().max())
    assert errors[0] > errors[1] > errors[2] > fine


@pytest.mark.parametrize("said", [{"solver": "magic"}, {"steps": 0}, {"tolerance": 0.0}])
def test_impossible_options_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="expected"):
        EvolutionOptions(**said)  # type: ignore[arg-type]


def told_change(channels: int = 5) -> FlowChange:
    torch.manual_seed(1)
    change = FlowChange(channels)
    for weights in change.parameters():
        torch.nn.init.normal_(weights, std=0.15)
    return change


@pytest.mark.parametrize("solver", ["rk4", "dopri5"])
def test_both_ways_to_gradients_agree_about_what_it_is_told(solver: Solver) -> None:
    change = told_change()
    start, features = torch.randn(1, 2, 12, 10), torch.randn(1, 5, 12, 10)
    found = []
    for has_adjoint in (False, True):
        seen = features.clone().requires_grad_()
        made = evolution(change, solver, has_adjoint=has_adjoint, tolerance=1e-6, steps=16)
        made(start, seen).square().sum().backward()
        assert seen.grad is not None
        assert change.context is not None
        assert change.context.weight.grad is not None
        found.append((seen.grad, change.context.weight.grad.clone()))
        change.zero_grad()
    for direct, adjoint in zip(*found, strict=True):
        assert direct.norm() > 0
        assert (direct - adjoint).norm() < 1e-4 * direct.norm()


def test_what_it_is_told_moves_one_motion_otherwise() -> None:
    made = evolution(told_change(), "rk4")
    motion = torch.zeros(2, 2, 6, 6)
    with torch.no_grad():
        one, other = made(motion, torch.ones(2, 5, 6, 6)), made(motion, -torch.ones(2, 5, 6, 6))
    assert not torch.allclose(one, other)
    assert torch.equal(Evolution(EvolutionOptions(), 5)(motion, torch.ones(2, 5, 6, 6)), motion)
