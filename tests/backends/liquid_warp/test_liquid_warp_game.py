"""The game of liquid warping: who wants what, and that wanting it leads there."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.backends.liquid_warp.scenery import batch
from torch import Tensor

from retarget_cli.backends.liquid_warp.discriminator import Discriminator, Scene
from retarget_cli.backends.liquid_warp.game import LiquidWarpGame
from retarget_cli.backends.liquid_warp.generator import Design, Generator, Made
from retarget_cli.backends.liquid_warp.losses import (
    LossWeights,
    composed,
    mask_distance,
    mask_smoothness,
    reconstruction,
)
from retarget_cli.backends.liquid_warp.recall import Recall
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Phase
from retarget_cli.core.errors import WeightsError
from retarget_cli.networks.likeness_losses import PixelLoss
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.store import Store

CPU = torch.device("cpu")
TINY = Design(width=4, depth=1)
TERMS = {"reconstruction", "perceptual", "face", "mask", "smoothness", "adversarial"}


@pytest.fixture
def bare(tmp_path: Path) -> Store:
    """A store without weights."""
    return Store([Place("here", tmp_path)], Ledger(tmp_path / "checked.json"))


def game_of(bare: Store, phase: Phase, design: Design = TINY) -> LiquidWarpGame:
    torch.manual_seed(0)
    return LiquidWarpGame(Generator(design), phase, CPU, store=bare, discriminator_width=4)


def made_of(scene: dict[str, Tensor], mask: Tensor) -> Made:
    """What a generator would make that knows everything, with the masks of the scene turned into `mask` of them."""
    masks = mask + 0 * scene["silhouettes"]
    return Made(
        scene["real_background"],
        scene["real_sources"],
        masks[:, :-1],
        scene["real_target"],
        masks[:, -1],
    )


def test_terms_of_both_players_in_both_phases(bare: Store) -> None:
    scene = batch(count=2)
    for phase in Phase:
        game, kept = game_of(bare, phase), dict[str, Tensor]()
        assert list(game.players) == [GENERATOR, DISCRIMINATOR]
        assert {rate.learning for rate in game.rates.values()} == {1e-4}
        terms = game.losses(GENERATOR, scene, kept)
        assert set(terms) == TERMS
        assert all(value.dim() == 0 and torch.isfinite(value) for value in terms.values())
        assert not any(value.requires_grad for value in kept.values())
        torch.stack(list(terms.values())).sum().backward()
        assert all(each.grad is not None for each in game.generator.parameters())
        game.opponents.zero_grad()
        torch.stack(list(game.losses(DISCRIMINATOR, scene, kept).values())).sum().backward()
        assert all(each.grad is not None for each in game.opponents.parameters())


def test_the_generator_is_run_once_a_step(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    game, kept = game_of(bare, Phase.TRAIN), dict[str, Tensor]()
    game.losses(GENERATOR, batch(), kept)
    monkeypatch.setattr(game.generator, "forward", None)
    game.losses(DISCRIMINATOR, batch(), kept)


def test_personalisation_has_one_opponent_and_training_four(bare: Store) -> None:
    assert [name for name, _ in game_of(bare, Phase.PERSONALIZE).opponents.named_children()] == ["whole"]
    four = game_of(bare, Phase.TRAIN).opponents
    assert [name for name, _ in four.named_children()] == ["whole", "body", "head", "background"]
    assert sum(each.numel() for each in Discriminator(Phase.TRAIN).parameters()) == 27_848_452


def test_without_a_background_stream_the_plate_stands_behind(bare: Store) -> None:
    scene = batch()
    game, kept = game_of(bare, Phase.TRAIN, replace(TINY, has_background=False)), dict[str, Tensor]()
    terms = game.losses(GENERATOR, scene, kept)
    assert set(terms) == TERMS
    assert set(kept) == {"target"}
    assert game.opponents.background is None
    game.losses(DISCRIMINATOR, scene, kept)
    made = composed(replace(made_of(scene, torch.tensor(1.0)), background=None), scene["real_background"])
    torch.testing.assert_close(made.target, scene["real_background"])
    # Half the sources' share remains, as if the background were perfect.
    shifted = replace(made, sources=scene["real_sources"] + 0.5)
    assert reconstruction(shifted, scene["real_sources"], scene["real_background"]).item() == pytest.approx(0.25)


def test_masks_are_one_on_the_background() -> None:
    scene = batch()
    behind, person = torch.tensor(1.0), torch.tensor(0.0)
    place = scene["real_background"]
    torch.testing.assert_close(composed(made_of(scene, behind), place).target, place)
    torch.testing.assert_close(composed(made_of(scene, behind), place).sources[:, 1], place)
    torch.testing.assert_close(composed(made_of(scene, person), place).target, scene["real_target"])


def test_the_mask_term_wants_the_silhouette_and_not_its_inverse() -> None:
    truth = batch()["silhouettes"]
    assert mask_distance(truth, truth).item() == pytest.approx(0, abs=1e-6)
    assert mask_distance(0.9 * truth + 0.05, truth) < mask_distance(0.9 * (1 - truth) + 0.05, truth)
    edge = torch.full((1, 1, 1, 4, 4), 0.0, requires_grad=True)
    mask_distance(edge, torch.ones_like(edge)).backward()
    assert edge.grad is not None
    assert torch.isfinite(edge.grad).all()


def test_smooth_masks_are_preferred() -> None:
    noisy = torch.rand(1, 3, 1, 16, 16)
    assert mask_smoothness(torch.full_like(noisy, 0.4)).item() == 0
    assert mask_smoothness(noisy) > 0.3


def test_perfection_leaves_only_the_opponents(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = batch()
    game = game_of(bare, Phase.TRAIN)
    perfect = Made(
        scene["real_background"],
        scene["real_sources"],
        scene["silhouettes"][:, :-1],
        scene["real_target"],
        scene["silhouettes"][:, -1],
    )
    monkeypatch.setattr(game.generator, "forward", lambda _: perfect)
    terms = game.losses(GENERATOR, scene, {})
    assert all(terms[name].item() == pytest.approx(0, abs=1e-4) for name in TERMS - {"adversarial", "smoothness"})
    assert terms["adversarial"].item() > 1e-4
    legs = scene["real_target"].clone()
    legs[..., 40:, :] *= -1
    monkeypatch.setattr(game.generator, "forward", lambda _: replace(perfect, image=legs))
    terms = game.losses(GENERATOR, scene, {})
    assert terms["face"].item() == pytest.approx(0, abs=1e-4)
    assert terms["perceptual"].item() > 0.1


def test_a_lambda_multiplies_its_term(bare: Store) -> None:
    torch.manual_seed(0)
    network = Generator(TINY)
    found = []
    for factor in (1.0, 3.0):
        torch.manual_seed(1)
        weights = LossWeights(*(factor for _ in TERMS))
        game = LiquidWarpGame(network, Phase.TRAIN, CPU, weights, bare, discriminator_width=4)
        kept: dict[str, Tensor] = {}
        terms = game.losses(GENERATOR, batch(), kept)
        found.append({**terms, **game.losses(DISCRIMINATOR, batch(), kept)})
    for name, value in found[0].items():
        assert found[1][name].item() == pytest.approx(3 * value.item(), rel=1e-5), name


def test_every_opponent_sees_its_own_part() -> None:
    torch.manual_seed(0)
    opponents = Discriminator(Phase.TRAIN, width=4)
    scene = batch(256)
    behind = torch.cat([scene["real_background"], scene["background_input"][:, 3:]], 1)
    given = Scene(
        scene["real_target"],
        scene["target_input"][:, 3:],
        scene["body"],
        scene["head"],
        behind,
    )
    with torch.no_grad():
        before = opponents(given)
        assert {name: tuple(value.shape[-2:]) for name, value in before.items()} == {
            "whole": (14, 14), "body": (6, 6), "head": (2, 2), "background": (14, 14)
        }  # fmt: skip
        for (x, y), parts in (
            ((0, 0), {"whole"}),
            ((100, 200), {"whole", "body"}),
            ((100, 40), {"whole", "body", "head"}),
        ):
            changed = given.picture.clone()
            changed[..., y : y + 8, x : x + 8] += 1
            after = opponents(replace(given, picture=changed))
            assert {name for name in before if not torch.equal(before[name], after[name])} == parts
        after = opponents(replace(given, background=behind + given.condition[:, :1]))
        assert {name for name in before if not torch.equal(before[name], after[name])} == {"background"}


@pytest.mark.parametrize("size", [(40, 24), (64, 88)])
def test_small_and_odd_pictures_are_judged(size: tuple[int, int]) -> None:
    opponents = Discriminator(Phase.TRAIN, width=4)
    height, width = size
    box = torch.tensor([[1, width - 2, 3, height // 2 + 1]])
    picture = torch.rand(1, 3, height, width)
    scores = opponents(Scene(picture, picture, box, box, torch.rand(1, 4, height, width)))
    assert all(torch.isfinite(value).all() and value.numel() for value in scores.values())


def test_missing_networks_are_warned_about_once_and_noted(bare: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        game = game_of(bare, Phase.TRAIN)
        for _ in range(2):
            game.losses(GENERATOR, batch(), {})
    assert len(caplog.records) == 1
    assert "vgg19 and sphere20a" in caplog.text
    assert [note.split()[0] for note in game.notes] == ["vgg19", "sphere20a"]


def test_a_damaged_network_is_an_error_and_not_a_missing_one(bare: Store, tmp_path: Path) -> None:
    (tmp_path / "vgg19-dcbb9e9d.pth").write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="damaged"):
        game_of(bare, Phase.TRAIN)


def test_the_picture_is_for_the_eye(bare: Store) -> None:
    scene = batch()
    shown = game_of(bare, Phase.TRAIN).picture(scene)
    assert shown.shape == (1, 3, 64, 256)
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert not shown.requires_grad
    torch.testing.assert_close(shown[..., :64], scene["real_sources"][:, 0] / 2 + 0.5)
    torch.testing.assert_close(shown[..., 192:], scene["real_target"] / 2 + 0.5)


class Counting(PixelLoss):
    """Counts pictures that it looks at."""

    seen = 0

    def extracted(self, pictures: Tensor) -> list[Tensor]:
        self.seen += pictures.shape[0]
        return super().extracted(pictures)


def test_features_of_known_targets_are_not_computed_again() -> None:
    loss, targets = Counting(), torch.rand(3, 3, 32, 32)
    recall = Recall(loss, is_repeated=True)
    first = recall.features(targets)
    assert loss.seen == 3
    again = recall.features(targets.clone().flip(0))
    assert loss.seen == 3
    torch.testing.assert_close([each.flip(0) for each in again], list(first))
    recall.features(targets + 1e-6)
    assert loss.seen == 6
    made = torch.rand(3, 3, 32, 32)
    torch.testing.assert_close(recall.loss(made, targets), loss(made, loss.features(targets)))


def test_what_is_kept_has_a_bound() -> None:
    loss = Counting()
    recall = Recall(loss, is_repeated=True)
    many = torch.rand(40, 3, 8, 8)
    recall.features(many)
    recall.features(many[-4:])
    assert loss.seen == 40
    recall.features(many[:1])
    assert loss.seen == 41


@pytest.mark.slow
def test_one_batch_is_learned_by_heart(bare: Store) -> None:
    game, scene, steps = game_of(bare, Phase.PERSONALIZE), batch(48), 300
    first = torch.optim.Adam(game.generator.parameters(), 6e-3)
    second = torch.optim.Adam(game.opponents.parameters(), 1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(first, steps)
    kept: dict[str, Tensor] = {}
    for _ in range(steps):
        kept.clear()
        for player, optimizer in ((GENERATOR, first), (DISCRIMINATOR, second)):
            optimizer.zero_grad()
            torch.stack(list(game.losses(player, scene, kept).values())).sum().backward()
            optimizer.step()
        schedule.step()
    error = ((kept["target"] - scene["real_target"]) / 2).square().mean()
    assert -10 * error.log10() > 30
