"""The game of the bottleneck: who wants what, and that wanting it leads there."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.backends.bottleneck.puppet_scenes import batch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.bottleneck.blocks import convolution
from retarget_cli.backends.bottleneck.game import BottleneckGame
from retarget_cli.backends.bottleneck.losses import LossWeights
from retarget_cli.backends.bottleneck.model import Bottleneck, BottleneckDesign
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Phase
from retarget_cli.core.errors import WeightsError
from retarget_cli.networks.multiscale_discriminator import Judgement
from retarget_cli.training.loop import Fit, FitOptions
from retarget_cli.training.turn import Locks
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.store import Store

CPU = torch.device("cpu")
TINY = BottleneckDesign(resolution=64, width=4, channels=2)
KNOWN = {"perceptual", "reconstruction", "mask", "background"}


@pytest.fixture
def bare(tmp_path: Path) -> Store:
    """A store without weights."""
    return Store([Place("here", tmp_path)], Ledger(tmp_path / "checked.json"))


def game_of(
    bare: Store, phase: Phase = Phase.TRAIN, design: BottleneckDesign = TINY, *, rotations: bool = True,
    adversarial: float = 1.0, weights: LossWeights | None = None,
) -> BottleneckGame:  # fmt: skip
    torch.manual_seed(0)
    return BottleneckGame(
        Bottleneck(design), phase, CPU, rotations=rotations, adversarial=adversarial, discriminator_width=4,
        weights=weights, store=bare,
    )  # fmt: skip


def two_people(sources: int = 2) -> dict[str, Tensor]:
    """Two examples that have nothing in common but the puppet: of the second what was the last is the first."""
    one = batch(sources=sources)
    other = {
        name: value.flip(1) if name.startswith(("pictures", "source")) else value.clone() for name, value in one.items()
    }
    for name in ("target_full", "behind", "background"):
        other[name] = -other[name]
    other["target_joints"], other["target_bones"] = one["source_joints"][:, 1], one["source_bones"][:, 1]
    return {name: torch.cat([one[name], other[name]]) for name in one}


def posture_of(given: dict[str, Tensor], row: int) -> Posture:
    return Posture(given["source_joints"][:, row], given["source_bones"][:, row])


def test_terms_of_both_players(bare: Store) -> None:
    game, scene, kept = game_of(bare), batch(count=2), dict[str, Tensor]()
    assert list(game.players) == [GENERATOR, DISCRIMINATOR]
    terms = game.losses(GENERATOR, scene, kept)
    assert set(terms) == KNOWN | {"person", "whole", "rotation", "matching"}
    assert all(value.dim() == 0 and torch.isfinite(value) for value in terms.values())
    assert set(kept) == {"person", "whole", "rotation"}
    assert not any(value.requires_grad for value in kept.values())
    words = game.losses(DISCRIMINATOR, scene, kept)
    assert set(words) == {f"{name}_{what}" for name in kept for what in ("true", "made")}


def test_everybody_learns_in_his_turn_and_nobody_else(bare: Store) -> None:
    game, scene, kept = game_of(bare), batch(), dict[str, Tensor]()
    locks = Locks(game)
    for player in game.players:
        with locks.only(player):
            torch.stack(list(game.losses(player, scene, kept).values())).sum().backward()
        for name, network in game.players.items():
            found = {key for key, each in network.named_parameters() if each.grad is not None}
            network.zero_grad()
            assert found == (set(dict(network.named_parameters())) if name == player else set()), (player, name)


def test_the_networks_are_run_once_a_step(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    game, kept = game_of(bare), dict[str, Tensor]()
    game.losses(GENERATOR, batch(), kept)
    for name in ("encode", "places", "decode"):
        monkeypatch.setattr(game.network, name, None)
    game.losses(DISCRIMINATOR, batch(), kept)


def test_who_plays_when(bare: Store) -> None:
    def opponents(game: BottleneckGame) -> list[str]:
        assert game.opponents is not None
        return [name for name, _ in game.opponents.named_children()]

    assert opponents(game_of(bare)) == ["person", "whole", "rotation"]
    assert opponents(game_of(bare, rotations=False)) == ["person", "whole"]
    assert opponents(game_of(bare, Phase.PERSONALIZE)) == ["person"]
    plain = game_of(bare, design=replace(TINY, background=False))
    assert opponents(plain) == ["person", "rotation"]
    terms = plain.losses(GENERATOR, batch(), {})
    assert set(terms) == KNOWN - {"background"} | {"person", "rotation", "matching"}


def test_without_opponents(bare: Store) -> None:
    game, kept = game_of(bare, adversarial=0), dict[str, Tensor]()
    assert list(game.players) == [GENERATOR]
    assert set(game.losses(GENERATOR, batch(), kept)) == KNOWN


def test_weights_multiply_their_terms(bare: Store) -> None:
    factors = LossWeights(2, 3, 4, 50, 60, 7, 8)
    found = []
    for weights, adversarial in ((LossWeights(), 1.0), (factors, 0.5)):
        game, kept = game_of(bare, weights=weights, adversarial=adversarial), dict[str, Tensor]()
        torch.manual_seed(1)
        found.append({**game.losses(GENERATOR, batch(), kept), **game.losses(DISCRIMINATOR, batch(), kept)})
    ratios = {
        "person": 1, "whole": 1.5, "rotation": 2, "matching": 2.5, "perceptual": 6, "reconstruction": 7, "mask": 8,
        "person_true": 1, "person_made": 1, "whole_true": 1.5, "whole_made": 1.5, "rotation_true": 2,
        "rotation_made": 2,
    }  # fmt: skip
    for name, ratio in ratios.items():
        assert (found[1][name] / found[0][name]).item() == pytest.approx(ratio, rel=1e-4), name


def test_perfection_leaves_only_the_opponents(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    game, given = game_of(bare), batch()
    scene = game.scene(given)
    masks = given["pictures"][:, :, 3:].flatten(0, 1)
    perfect = replace(
        scene, person=given["target"][:, :3], confidence=given["target"][:, 3:], whole=given["target_full"],
        background=given["background"], again=given["pictures"][:, 0, :3],
        masks=[functional.adaptive_avg_pool2d(masks, level.shape[-2:]) for level in scene.masks],
    )  # fmt: skip
    monkeypatch.setattr(game, "scene", lambda _: perfect)
    terms = game.losses(GENERATOR, given, {})
    assert all(terms[name].item() == pytest.approx(0, abs=1e-4) for name in (*KNOWN, "matching"))
    # L1 of the first source made again, and of what its own volumes say of the masks, by hand.
    worse = replace(perfect, again=perfect.again + 0.25, masks=[1 - each for each in perfect.masks])
    monkeypatch.setattr(game, "scene", lambda _: worse)
    terms = game.losses(GENERATOR, given, {})
    assert terms["reconstruction"].item() == pytest.approx(0.25)
    wrong = torch.stack([(1 - 2 * each).abs().mean() for each in perfect.masks]).mean()
    assert terms["mask"].item() == pytest.approx(wrong.item(), rel=1e-4)
    assert terms["perceptual"].item() == pytest.approx(0, abs=1e-4)
    for part in ("person", "whole"):
        changed = replace(perfect, **{part: -getattr(perfect, part)})
        monkeypatch.setattr(game, "scene", lambda _, changed=changed: changed)
        assert game.losses(GENERATOR, given, {})["perceptual"].item() > 0.1, part


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_opponents_say_1_of_true_and_0_of_made(bare: Store, monkeypatch: pytest.MonkeyPatch, said: float) -> None:
    game, given, kept = game_of(bare, adversarial=0.5), batch(), dict[str, Tensor]()
    assert game.opponents is not None
    same = [Judgement((torch.zeros(1),), torch.full((1, 1, 2, 2), said))]
    for name in ("of_person", "of_whole", "of_rotation"):
        monkeypatch.setattr(game.opponents, name, lambda *_: same)
    wanted = game.losses(GENERATOR, given, kept)
    assert [wanted[name].item() for name in ("person", "whole", "rotation")] == pytest.approx([0.5 * (1 - said)] * 3)
    words = game.losses(DISCRIMINATOR, given, kept)
    for name, value in words.items():
        assert value.item() == pytest.approx(0.5 * (said if name.endswith("made") else 1 - said)), name


def test_the_target_is_moved_and_decoded(bare: Store) -> None:
    game, given = game_of(bare), two_people()
    network = game.network
    with torch.no_grad():
        scene = game.scene(given)
        for row in range(2):
            one = {name: value[row : row + 1] for name, value in given.items()}
            views = [(one["pictures"][:, number], posture_of(one, number)) for number in range(2)]
            target = Posture(one["target_joints"], one["target_bones"])
            volumes = network.moved(network.aggregated(views), network.places(*views[0], target), target)
            made = network.decode(volumes)
            assert network.background is not None
            behind = network.background(one["behind"])
            whole = made.confidence * made.colour + (1 - made.confidence) * behind
            torch.testing.assert_close(scene.whole[row : row + 1], whole, atol=1e-4, rtol=1e-3)


def test_all_sources_are_in_the_first_ones_pose(bare: Store) -> None:
    game, given = game_of(bare), two_people(sources=3)
    pairs = [(given["pictures"][:, row], posture_of(given, row)) for row in range(3)]
    with torch.no_grad():
        _, found = game._volumes(given)
        wanted = game.network.aggregated(pairs)
    for mine, theirs in zip(found.levels, wanted.levels, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_random_turns_come_from_torchs_own_numbers(bare: Store) -> None:
    game, given = game_of(bare), batch()
    turns = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        kept: dict[str, Tensor] = {}
        game.losses(GENERATOR, given, kept)
        turns.append(kept["rotation"])
    torch.testing.assert_close(turns[0], turns[1], atol=0, rtol=0)
    assert not torch.equal(turns[0], turns[2])
    angles = []
    game._seen = lambda volumes, yaw: angles.append(yaw) or yaw  # type: ignore[method-assign, assignment, func-returns-value]
    torch.manual_seed(0)
    _, volumes = game._volumes(given)
    for _ in range(200):
        game._turned(volumes.expand(4))
    spread = torch.cat(angles)
    assert len(spread) == 800
    assert spread.abs().max() <= math.pi
    # Uniform: a quarter in every quarter.
    assert torch.histc(spread, 4, -math.pi, math.pi).min() > 150


def test_not_turned_the_volume_gives_the_person_again(bare: Store) -> None:
    game, given = game_of(bare), batch()
    with torch.no_grad():
        _, volumes = game._volumes(given)
        torch.testing.assert_close(
            game._seen(volumes, torch.zeros(1)), game._person(volumes), atol=1e-5, rtol=1e-4
        )  # fmt: skip


def test_what_stood_in_for_the_missing_network_is_noted(bare: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        game = game_of(bare)
    assert [note.split()[0] for note in game.notes] == ["vgg19"]
    assert "sphere" not in caplog.text


def test_a_damaged_network_is_an_error(bare: Store, tmp_path: Path) -> None:
    (tmp_path / "vgg19-dcbb9e9d.pth").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="damaged"):
        game_of(bare)


def test_the_picture_for_the_eye(bare: Store) -> None:
    scene = batch(count=2)
    shown = game_of(bare).picture(scene)
    assert shown.shape == (2, 3, 64, 256)
    assert 0 <= shown.min() <= shown.max() <= 1
    assert not shown.requires_grad
    torch.testing.assert_close(shown[..., :64], scene["pictures"][:, 0, :3] / 2 + 0.5)
    torch.testing.assert_close(shown[..., 192:], scene["target_full"] / 2 + 0.5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_loop_plays_it(bare: Store, precision: str) -> None:
    game = game_of(bare)
    fit = Fit(game, FitOptions(2, precision=precision), CPU)  # type: ignore[arg-type]
    before = {name: value.clone() for name, value in game.network.state_dict().items()}
    steps = list(fit.run(iter([batch(), batch()])))
    assert [set(step.losses) for step in steps] == [{GENERATOR, DISCRIMINATOR}] * 2
    assert any(not torch.equal(before[name], value) for name, value in game.network.state_dict().items())


@pytest.mark.parametrize("planes", [1, 2, 3, 4])
def test_flat_volumes_learn_in_half_precision(planes: int) -> None:
    torch.manual_seed(0)
    volume, layer = torch.randn(2, 16, planes, 4, 4), convolution(3, 16, 16)
    found = []
    for is_half in (False, True):
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            layer(volume).float().square().sum().backward()
        found.append(next(layer.parameters()).grad)
    assert found[0] is not None
    torch.testing.assert_close(found[1], found[0], atol=0.02 * found[0].abs().max().item(), rtol=0)


@pytest.mark.slow
def test_one_scene_of_the_puppet_is_learned_by_heart(bare: Store) -> None:
    design = BottleneckDesign(resolution=64, width=12, channels=8, photo=False)
    game, given, began = game_of(bare, Phase.PERSONALIZE, design), batch(sources=2), time.perf_counter()
    game.rates = {name: replace(rate, learning=2e-3) for name, rate in game.rates.items()}
    fit = Fit(game, FitOptions(300, has_decay=True), CPU)
    for _ in fit.run(iter([given] * 300)):
        pass
    with torch.no_grad():
        made = game.scene(given)
    error = ((made.whole - given["target_full"]) / 2).square().mean()
    assert -10 * error.log10() > 28, f"{time.perf_counter() - began:.0f} s"
