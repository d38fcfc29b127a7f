"""The game of pose2video: which stage learns when, who wants what, and that wanting it leads there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.backends.pose2video.films import CPU, TINY, batch
from torch.nn import functional

from retarget_cli.backends.pose2video.design import ASIDE, Design
from retarget_cli.backends.pose2video.examples import FRAMES
from retarget_cli.backends.pose2video.game import LossWeights, Pose2VideoGame
from retarget_cli.backends.pose2video.model import Pose2Video
from retarget_cli.backends.pose2video.skeleton import pose_maps
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR
from retarget_cli.training.loop import Fit, FitOptions
from retarget_cli.training.turn import Locks
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.store import Store

OPPOSED = {"paired", "temporal", "matching"}


@pytest.fixture
def bare(tmp_path: Path) -> Store:
    """A store without weights."""
    return Store([Place("here", tmp_path)], Ledger(tmp_path / "checked.json"))


def game_of(bare: Store, design: Design = TINY, **said: object) -> Pose2VideoGame:
    torch.manual_seed(0)
    return Pose2VideoGame(Pose2Video(design), CPU, discriminator_width=4, store=bare, **said)  # type: ignore[arg-type]


def moved(game: Pose2VideoGame) -> dict[str, set[str]]:
    """Of every player the parts whose parameters get gradients in its turn."""
    kept: dict[str, torch.Tensor] = {}
    locks, found = Locks(game), {}
    for player, network in game.players.items():
        with locks.only(player):
            torch.stack([*game.losses(player, batch(game.network.design), kept).values()]).sum().backward()
        found[player] = {
            name.split(".")[0] for name, each in network.named_parameters() if each.grad is not None and each.grad.any()
        }
        others = [each for name, other in game.players.items() if name != player for each in other.parameters()]
        assert all(each.grad is None for each in others)
        network.zero_grad()
    return found


@pytest.mark.parametrize("number", [0, 9])
def test_terms_of_both_players(bare: Store, number: int) -> None:
    game, kept = game_of(bare), dict[str, torch.Tensor]()
    game.approach(number, 10)
    terms = game.losses(GENERATOR, batch(), kept)
    assert set(terms) == OPPOSED | {"perceptual", "mask", "person", "unpaired"}
    assert all(value.dim() == 0 and torch.isfinite(value) for value in terms.values())
    assert not any(value.requires_grad for value in kept.values())
    assert set(game.losses(DISCRIMINATOR, batch(), kept)) == {"paired", "temporal", "unpaired"}


def test_nobody_elses_poses_nobody_to_judge_them(bare: Store) -> None:
    for game, given in (
        (game_of(bare), batch(has_others=False)), (game_of(bare, is_unpaired=False), batch()),
    ):  # fmt: skip
        kept: dict[str, torch.Tensor] = {}
        assert "unpaired" not in game.losses(GENERATOR, given, kept)
        assert set(game.losses(DISCRIMINATOR, given, kept)) == {"paired", "temporal"}
    alone = game_of(bare, adversarial=0)
    assert list(alone.players) == [GENERATOR]
    assert set(alone.losses(GENERATOR, batch(), {})) == {"perceptual", "mask", "person"}


def test_the_first_stage_learns_then_the_second(bare: Store) -> None:
    """In each turn one stage's generator and opponents move, and the others stay."""
    game = game_of(bare, share=0.3)
    found = []
    for number in (0, 2, 3, 9):
        game.approach(number, 10)
        found.append(moved(game))
    first = {GENERATOR: {"first"}, DISCRIMINATOR: {"0"}}
    second = {GENERATOR: {"second"}, DISCRIMINATOR: {"1"}}
    assert found == [first, first, second, second]


def test_each_stage_goes_its_own_way(bare: Store) -> None:
    """So that with a sinking rate the second one does not begin where the first one's has ended."""
    two, one = game_of(bare, share=0.4), game_of(bare, replace(TINY, stages=1))
    assert [two.way(number, 10) for number in range(10)] == pytest.approx(
        [0, 1 / 4, 2 / 4, 3 / 4, 0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]
    )
    assert one.way(5, 10) == 0.5


def test_half_the_size_comes_first_where_there_is_an_enhancer(bare: Store) -> None:
    design = replace(TINY, is_enhanced=True)
    game = game_of(bare, design)
    sizes, parts = [], []
    for number in range(0, 20, 5):
        game.approach(number, 20)
        sizes.append(tuple(game.scene(batch(design)).made.colours.shape[-2:]))
        game.losses(GENERATOR, batch(design), {})["perceptual"].backward()
        touched = [name for name, each in game.network.named_parameters() if each.grad is not None]
        parts.append({".".join(name.split(".")[:3]) for name in touched})
        game.network.zero_grad()
    assert sizes == [(16, 8), (32, 16), (16, 8), (32, 16)]
    assert parts[0] == {"first.generator.coarse", "first.small_head.conv"}
    assert {"first.generator.coarse", "first.generator.fine", "first.generator.head"} == parts[1]
    assert {name.split(".")[0] for name in parts[2] | parts[3]} == {"second"}


def test_the_second_stage_sees_what_the_first_makes(bare: Store) -> None:
    """The frames that it is given are those that stage I makes of the poses about each, one by one."""
    game = game_of(bare, augments=False)
    game.approach(9, 10)
    given = batch()
    seen = game.scene(given).given.reshape(2, FRAMES, TINY.seen, 3, *TINY.size)
    maps = pose_maps(given["points"], TINY.size, ASIDE)
    for frame in range(FRAMES):
        for place in range(TINY.seen):
            stack = maps[:, frame + place : frame + place + TINY.seen].flatten(1, 2)
            assert torch.allclose(seen[:, frame, place], game.network.first(stack).colours, atol=1e-5)


def test_causal_frames_know_nothing_of_what_comes(bare: Store) -> None:
    """Table 5's baseline: poses that come later change nothing."""
    for is_causal in (True, False):
        design = replace(TINY, is_causal=is_causal, stages=1)
        game, given = game_of(bare, design, augments=False), batch(design)
        before = game.scene(given).made.colours
        given["points"][:, -1] = given["points"][:, 0]
        apart = (game.scene(given).made.colours - before).abs().reshape(2, FRAMES, -1).amax((0, 2))
        # The last pose told is the last frame's own, or the one behind it.
        assert (apart > 0).tolist() == [False, False, True]
        assert given["points"].shape[1] == FRAMES + (1 if is_causal else 2)


def test_losses_by_hand(bare: Store) -> None:
    game = game_of(bare, augments=False, weights=LossWeights(2.0, 3.0, 5.0, 7.0), adversarial=0.5)
    kept: dict[str, torch.Tensor] = {}
    given = batch(has_others=False)
    terms = game.losses(GENERATOR, given, kept)
    with torch.no_grad():
        scene = game.scene(given)
    true = given["pictures"].flatten(0, 1)
    assert terms["mask"].item() == pytest.approx(5 * functional.l1_loss(scene.made.mask, true[:, 3:]).item(), rel=1e-5)
    green = torch.tensor([-1.0, 1, -1])[:, None, None]
    cut = scene.made.colours - (1 - scene.made.mask) * green
    assert terms["person"].item() == pytest.approx(7 * functional.l1_loss(cut, true[:, :3]).item(), rel=1e-5)
    opponents = game.opponents[0]  # type: ignore[index]
    with torch.no_grad():
        judged = opponents.of_films(scene.made.colours)
        pairs = opponents.of_pairs(scene.given, scene.made.colours)
        real = opponents.of_pairs(scene.given, scene.true[:, :3])
    assert judged[0].score.shape[0] == 2  # a film each
    believed = sum(float((each.score - 1).square().mean()) for each in judged)
    assert terms["temporal"].item() == pytest.approx(0.5 * believed, rel=1e-5)
    errors = [
        float((one.score - 1).square().mean() + other.score.square().mean()) / 2
        for one, other in zip(real, pairs, strict=True)
    ]
    told = game.losses(DISCRIMINATOR, given, kept)
    assert told["paired"].item() == pytest.approx(0.5 * sum(errors), rel=1e-5)


def test_augmentation_is_drawn_anew_and_repeats_from_a_seed(bare: Store) -> None:
    game, found = game_of(bare), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(game.scene(batch()).given)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_recursion_sees_the_frame_before(bare: Store) -> None:
    design = Design(resolution=32, width=4, levels=1, blocks=1, context=0, stages=1, is_recursive=True)
    game = game_of(bare, design, augments=False)
    given = batch(design)
    frames = game.scene(given).made.colours.reshape(2, FRAMES, 3, *design.size)
    maps = pose_maps(given["points"], design.size, ASIDE)
    again = game.network.first(torch.cat([maps[:, 1], frames[:, 0]], 1)).colours
    assert torch.allclose(frames[:, 1], again, atol=1e-5)


def test_pictures_are_for_the_eye(bare: Store) -> None:
    game = game_of(bare)
    state = torch.get_rng_state()
    shown = game.picture(batch())
    assert shown.shape == (2, 3, 32, 4 * 16)
    assert 0 <= float(shown.min()) <= float(shown.max()) <= 1
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.slow
def test_one_clip_is_learned_by_heart(bare: Store) -> None:
    design = Design(resolution=32, width=12, levels=2, blocks=2, context=1)
    game = game_of(bare, design, augments=False, adversarial=0.1)
    game.rates = {name: replace(rate, learning=1e-3) for name, rate in game.rates.items()}
    given = batch(design, has_others=False)
    fit = Fit(game, FitOptions(160), CPU)
    for _ in fit.run(iter(lambda: given, None)):
        pass
    with torch.no_grad():
        scene = game.scene(given)
    assert float((scene.made.colours - scene.true[:, :3]).square().mean()) < 0.04
    outline = (scene.made.mask > 0.5) == (scene.true[:, 3:] > 0.5)
    assert float(outline.float().mean()) > 0.97
