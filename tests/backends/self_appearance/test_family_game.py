"""The family's training: what is asked of the networks, and that they learn it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.backends.self_appearance.miniatures import articulated, first_order, pictures
from torch import Tensor

from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.self_appearance.game import (
    ArticulatedGame,
    FamilyGame,
    FirstOrderGame,
    SelfAppearanceGame,
    unlikeness,
)
from retarget_cli.backends.self_appearance.keypoints import Keypoints, product
from retarget_cli.backends.self_appearance.regions import Regions
from retarget_cli.backends.self_appearance.transform import random_transform
from retarget_cli.backends.trainable import Batch, Phase, Trainable
from retarget_cli.training.loop import Fit, FitOptions

CPU = torch.device("cpu")
NAMES = ("first-order", "articulated", "self-appearance")
SMALL = {"weights": "none", "keypoints": "3", "width": "8", "most": "16", "resolution": "32"}


def backend(name: str, **more: str) -> Trainable:
    torch.manual_seed(0)
    made = make_backend(name, {**SMALL, **more}, CPU)
    assert isinstance(made, Trainable)
    return made


def batch(sources: int = 2, count: int = 2, side: int = 32) -> Batch:
    found = pictures(count * (sources + 1), side, side).reshape(count, sources + 1, 3, side, side)
    return {"sources": found[:, :-1], "target": found[:, -1]}


@pytest.mark.parametrize(
    ("name", "more", "terms"),
    [
        ("first-order", {}, {"perceptual", "equivariance", "jacobian"}),
        ("articulated", {}, {"perceptual", "equivariance", "jacobian"}),
        ("self-appearance", {}, {"perceptual", "equivariance"}),
        ("self-appearance", {"initial": "first-order"}, {"perceptual", "equivariance", "jacobian"}),
        ("self-appearance", {"initial": "articulated"}, {"perceptual", "equivariance", "jacobian"}),
    ],
)
def test_what_is_asked_reaches_all_weights(name: str, more: dict[str, str], terms: set[str]) -> None:
    own = backend(name, **more)
    game = own.game(Phase.TRAIN)
    for key, weight in own.generator.named_parameters():
        if not weight.any() and key.endswith("weight"):  # zero at first, so that nothing before it would learn yet
            torch.nn.init.normal_(weight, std=0.01)
    losses = game.losses("generator", batch(), {})
    assert set(losses) == terms
    assert all(torch.isfinite(each) and each > 0 for each in losses.values())
    torch.stack([*losses.values()]).sum().backward()
    silent = [name for name, each in own.generator.named_parameters() if each.grad is None or not each.grad.any()]
    assert [name for name in silent if name.endswith("weight") and not name.startswith("avd")] == []
    assert game.picture(batch()).shape == (2, 3, 32, 96)


def test_keypoints_that_follow_a_bend_are_equivariant() -> None:
    stream = torch.Generator().manual_seed(3)
    place = torch.rand(2, 4, 2, generator=stream) - 0.5
    jacobian = torch.eye(2) + 0.3 * torch.randn(2, 4, 2, 2, generator=stream)
    transform = random_transform(2, stream, place)
    bent = Keypoints(place, jacobian)
    followed = Keypoints(transform.moved(place), product(transform.jacobian(place), jacobian))
    there = unlikeness(transform, followed, bent)
    assert there is not None
    assert there < 1e-5
    off = unlikeness(transform, replace(followed, jacobian=jacobian.flip(0)), bent)
    assert off is not None
    assert off > 0.1
    assert unlikeness(transform, Keypoints(place), Keypoints(place)) is None
    assert followed.jacobian is not None
    one = Regions(followed.place, -followed.jacobian, torch.zeros(2, 4, 2, 2))
    other = Regions(place, jacobian, torch.zeros(2, 4, 2, 2))
    signless = unlikeness(transform, one, other)
    assert signless is not None
    assert signless < 1e-5  # axes that point the other way are the same axes


def test_the_bend_is_one_of_torchs_random_numbers() -> None:
    game = FirstOrderGame(first_order(), Phase.TRAIN, CPU)
    found: list[Tensor] = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(game.losses("generator", batch(side=64), {})["equivariance"].detach())
    # Batch statistics are the batch's own: nothing that was learned before changes them.
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_an_opponent_plays_when_he_is_asked_to() -> None:
    own = backend("first-order", adversarial="0.5")
    game = own.game(Phase.TRAIN)
    assert list(game.players) == ["generator", "discriminator"]
    kept: dict[str, Tensor] = {}
    torch.manual_seed(0)
    terms = game.losses("generator", batch(side=96), kept)
    assert {"adversarial", "matching"} < set(terms)
    assert not kept["made"].requires_grad
    assert not kept["place"].requires_grad
    judged = game.losses("discriminator", batch(side=96), kept)
    assert set(judged) == {"real", "made"}
    torch.stack([*judged.values()]).sum().backward()
    assert all(each.grad is None for each in own.generator.parameters())
    assert all(each.grad is not None for each in game.players["discriminator"].parameters())
    assert list(backend("first-order").game(Phase.TRAIN).players) == ["generator"]


def test_of_one_picture_no_statistics_are_taken() -> None:
    for phase, changes in ((Phase.TRAIN, True), (Phase.PERSONALIZE, False)):
        network = articulated()
        game = ArticulatedGame(network, phase, CPU)
        before = {name: each.clone() for name, each in network.named_buffers() if "running" in name}
        game.losses("generator", batch(count=1, side=64), {})
        moved = [name for name, each in before.items() if not torch.equal(network.get_buffer(name), each)]
        assert bool(moved) is changes


def test_references_are_seen() -> None:
    own = backend("self-appearance")
    game = own.game(Phase.TRAIN)
    assert isinstance(game, SelfAppearanceGame)
    assert isinstance(game, FamilyGame)
    whole = batch(sources=3)
    with torch.no_grad():
        made, _ = game.made(whole)
        other, _ = game.made({**whole, "sources": torch.cat([whole["sources"][:, :2], whole["target"][:, None]], 1)})
    assert not torch.allclose(made.pictures, other.pictures)


def learned(name: str, steps: int, **more: str) -> tuple[float, float, float]:
    """Losses of the first and of the last steps of learning one batch, and its PSNR in the end."""
    own = backend(name, **more)
    game = own.game(Phase.TRAIN)
    game.rates = {player: replace(rate, learning=2e-3) for player, rate in game.rates.items()}
    fit = Fit(game, FitOptions(steps, has_decay=True), CPU)
    only = batch(sources=1)
    losses = [sum(step.losses["generator"].values()) for step in fit.run(iter([only] * steps))]
    with torch.no_grad():
        shown = game.picture(only)
    made, target = shown[..., 32:64], shown[..., 64:]
    return losses[0], losses[-1], float(-10 * torch.log10((made - target).square().mean()))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_learned(name: str) -> None:
    first, last, _ = learned(name, 40)
    assert last < 0.6 * first


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_learned_by_heart(name: str) -> None:
    _, _, psnr = learned(name, 900, width="24", most="64")
    assert psnr > 30
