"""The game: stages, terms and who learns of them."""

from __future__ import annotations

import math

import pytest
import torch
from tests.backends.remot.miniature import FRAMES, batch, network
from torch import Tensor, nn

from retarget_cli.backends.remot.design import RemotDesign
from retarget_cli.backends.remot.discriminator import FACE_SIDE, Judged, Opponents
from retarget_cli.backends.remot.game import BETAS, RemotGame
from retarget_cli.backends.remot.losses import (
    LossWeights,
    class_distance,
    flow_distance,
    gram,
    moved_distance,
    perceptual_distance,
    style_distance,
)
from retarget_cli.backends.remot.model import Remot, regions_of
from retarget_cli.backends.remot.stages import Stage, StagePlan
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Phase, Rate
from retarget_cli.core.errors import UsageError
from retarget_cli.networks.likeness_losses import NetworkLoss, PixelLoss
from retarget_cli.training.loop import Fit, FitOptions

CPU = torch.device("cpu")
_OF = {Stage.LAYOUT: "layout", Stage.REGION: "region", Stage.WHOLE: "whole"}


def opened(phase: Phase = Phase.TRAIN, stages: str = "1:1:1", adversarial: float = 1.0, **form: object) -> RemotGame:
    torch.manual_seed(0)
    return RemotGame(network(**form), phase, CPU, stages=stages, adversarial=adversarial, discriminator_width=4)


def test_shares_of_the_steps() -> None:
    plan = StagePlan.of("1:1:2")
    assert [plan.stage(number, 8) for number in (0, 1, 2, 3, 4, 7, 9)] == [
        Stage.LAYOUT, Stage.LAYOUT, Stage.REGION, Stage.REGION, Stage.WHOLE, Stage.WHOLE, Stage.WHOLE,
    ]  # fmt: skip
    assert StagePlan.of("0:1:0").stage(0, 5) is StagePlan.of("0:1:0").stage(4, 5) is Stage.REGION
    for wrong in ("", "1:2", "a:b:c", "-1:1:1", "0:0:0", "inf:1:1", "nan:1:1"):
        with pytest.raises(UsageError, match="stages"):
            StagePlan.of(wrong)


def test_rates_sink_in_each_stage() -> None:
    plan = StagePlan.of("1:0:3")
    ways = [0, 1 / 2, *(step / 6 for step in range(6)), 1]
    assert [plan.way(number, 8) for number in range(9)] == pytest.approx(ways)
    assert [plan.without_whole.way(number, 4) for number in range(4)] == pytest.approx([0, 0, 1 / 3, 2 / 3])
    assert opened().way(1, 3) == opened().way(2, 6) == 0
    assert opened().way(3, 6) == 0.5


@pytest.mark.parametrize("number", [0, 1, 2])
def test_at_each_stage_one_network_learns_and_its_opponents(number: int) -> None:
    game, given, kept = opened(), batch(), {}
    game.approach(number, 3)
    assert game.stage is (Stage.LAYOUT, Stage.REGION, Stage.WHOLE)[number]
    own = _OF[game.stage]
    states = {name: value.clone() for name, value in game.network.state_dict().items()}
    terms = game.losses(GENERATOR, given, kept)
    assert all(bool(value.isfinite()) for value in terms.values())
    torch.stack(list(terms.values())).sum().backward()
    for name, weight in game.network.named_parameters():
        assert (weight.grad is not None) == name.startswith(own + "."), name
    for name, value in game.network.state_dict().items():  # statistics of the others stay, too
        assert torch.equal(value, states[name]) or name.startswith(own + "."), name
    assert all(not value.requires_grad for value in kept.values())
    said = game.losses(DISCRIMINATOR, given, kept)
    assert set(said) == {f"{name}_told_apart" for name in ((own, "face") if own == "whole" else (own,))}
    torch.stack(list(said.values())).sum().backward()
    assert game.opponents is not None
    moved = {name.partition(".")[0] for name, weight in game.opponents.named_parameters() if weight.grad is not None}
    assert moved == ({own, "face"} if own == "whole" else {own})


@pytest.mark.parametrize("phase", [Phase.PERSONALIZE, Phase.TRAIN])
def test_together_all_learn(phase: Phase) -> None:
    game = opened(phase, "1:1:1" if phase is Phase.PERSONALIZE else "together")
    game.approach(0, 3)
    assert game.stage is Stage.ALL
    terms = game.losses(GENERATOR, batch(), {})
    torch.stack(list(terms.values())).sum().backward()
    for name, weight in game.network.named_parameters():
        assert weight.grad is not None, name
        assert bool(weight.grad.isfinite().all()), name


def test_without_composition_there_are_two_stages_and_no_opponent_of_pictures() -> None:
    game = opened(has_composition=False)
    game.approach(2, 3)
    assert game.stage is Stage.REGION
    assert game.opponents is not None
    assert game.opponents.whole is None
    assert game.opponents.face is None
    assert game.picture(batch()).shape == (1, 3, 64, 5 * 48)


def test_without_opponents_nobody_judges() -> None:
    game = opened(adversarial=0.0)
    assert set(game.players) == {GENERATOR}
    game.approach(0, 3)
    assert set(game.losses(GENERATOR, batch(), {})) == {"layout_classes", "layout_flow", "layout_moved"}


def test_the_terms_of_regions_are_a_sum_over_the_five() -> None:
    """Equations 6 and 9."""
    game, given = opened(adversarial=0.0), batch()
    game.approach(1, 3)
    film: dict[str, Tensor] = {}
    terms = game.losses(GENERATOR, given, film)
    made = film["region"].unflatten(0, (1, FRAMES, 5))
    true = torch.stack([regions_of(given["person"][:, row], given["layout"][:, row]) for row in range(FRAMES)], 1)
    by_hand = sum((made.detach()[:, :, region] - true[:, :, region]).abs().mean() for region in range(5))
    assert float(terms["region_l1"].detach()) == pytest.approx(10 * float(by_hand), rel=1e-5)


def test_the_terms_of_flow_and_classes_by_hand() -> None:
    true = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).T.reshape(1, 2, 1, 2)
    made = torch.tensor([[0.25, 0.5], [0.75, 0.5]]).reshape(1, 2, 1, 2)
    assert float(class_distance(made, true)) == pytest.approx(-(math.log(0.75) + math.log(0.5)) / 2, rel=1e-4)
    flow, wanted = torch.zeros(1, 2, 128, 4), torch.zeros(1, 2, 128, 4)
    wanted[:, 0, :64] = 3
    sure = torch.zeros(1, 1, 128, 4)
    sure[:, :, 32:96] = 1
    # Half of what is believed is off by 3 pixels in one of two directions; pixels are twice as large as at 256.
    assert float(flow_distance(flow, wanted, sure)) == pytest.approx(0.75 * 2)
    assert float(flow_distance(flow, wanted, torch.zeros_like(sure))) == 0
    given = batch()
    still, right = torch.zeros_like(given["flow"][:, 0]), given["flow"][:, 0]
    pair = given["person"][:, 0], given["person"][:, 1]
    assert float(moved_distance(right, *pair)) < 0.2 * float(moved_distance(still, *pair))


def test_style_is_of_gram_matrices() -> None:
    features = torch.randn(2, 3, 4, 5)
    by_hand = torch.einsum("bcij,bdij->bcd", features, features) / (3 * 20)
    assert torch.allclose(gram(features), by_hand, atol=1e-6)
    other = torch.randn(2, 3, 4, 5)
    apart = (gram(features) - gram(other)).abs().mean()
    assert float(style_distance([features, features], [other, features])) == pytest.approx(float(apart))


def test_a_network_sees_content_and_style_and_pixels_have_none() -> None:
    class Five(nn.Module):
        def forward(self, x: Tensor) -> list[Tensor]:
            return [x * factor for factor in range(1, 6)]

    made, true = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    loss = NetworkLoss(Five(), 32, 32)
    content = loss(made, loss.features(true))
    found = perceptual_distance(loss, made, true)
    style = style_distance(loss.extracted(made), loss.features(true))
    assert float(found - content) == pytest.approx(float(style), rel=1e-4)
    pixels = PixelLoss()
    assert torch.equal(perceptual_distance(pixels, made, true), pixels(made, pixels.features(true)))


def test_faces_are_what_lies_in_their_boxes() -> None:
    picture = torch.arange(64.0)[None, None, :, None].expand(1, 3, 64, 48)
    head = Judged(picture, picture).head(torch.tensor([[4, 20, 8, 40]]))
    assert head.shown.shape == (1, 3, FACE_SIDE, FACE_SIDE)
    assert (float(head.shown[0, 0, 0, 0]), float(head.shown[0, 0, -1, 0])) == (8, 39)
    assert len(Opponents(4).judged("face", head)) == 1


def test_opponents_that_always_say_true_want_nothing() -> None:
    game, given, kept = opened(), batch(), {}
    game.approach(2, 3)
    assert game.opponents is not None
    for part in (game.opponents.whole, game.opponents.face):
        for name, weight in part.named_parameters():  # type: ignore[union-attr]
            if "score" in name:
                nn.init.constant_(weight, float(name.endswith("bias")))
    terms = game.losses(GENERATOR, given, kept)
    assert not terms["whole_believed"].any()
    assert not terms["face_believed"].any()
    said = game.losses(DISCRIMINATOR, given, kept)
    # Of each scale the whole error about what is made, half of it counts.
    assert float(said["whole_told_apart"].detach()) == pytest.approx(1.0)
    assert float(said["face_told_apart"].detach()) == pytest.approx(0.5 * LossWeights().face)


def test_a_picture_for_the_eye_leaves_the_networks_as_they_were() -> None:
    game = opened()
    before = {name: value.clone() for name, value in game.network.state_dict().items()}
    training = [each.training for each in game.network.modules()]
    shown = game.picture(batch(2))
    assert shown.shape == (2, 3, 64, 5 * 48)
    assert 0 <= float(shown.min()) <= float(shown.max()) <= 1
    assert all(torch.equal(value, before[name]) for name, value in game.network.state_dict().items())
    assert [each.training for each in game.network.modules()] == training


def test_gone_on_with_between_stages_it_is_as_if_never_stopped() -> None:
    def played(fit: Fit) -> dict[str, Tensor]:
        list(fit.run(iter([batch()] * 3)))
        return {name: value.clone() for name, value in fit.weights().items()}

    options = FitOptions(3)
    whole = played(Fit(opened(width=2), options, CPU))
    first = Fit(opened(width=2), options, CPU)
    steps = first.run(iter([batch()]))
    next(steps)
    state = {name: value.clone() for name, value in first.state().items()}
    second = Fit(opened(width=2), options, CPU)
    second.load_state(state)
    assert second.number == 1
    gone_on = played(second)
    assert all(torch.equal(value, gone_on[name]) for name, value in whole.items())


@pytest.mark.slow
def test_one_film_is_learned_by_heart() -> None:
    """Stage after stage: the picture that three networks make together, of the film's last frame."""
    torch.manual_seed(0)
    given, made = batch(), Remot(RemotDesign(64, 8))
    game = RemotGame(made, Phase.TRAIN, CPU, stages="1:1:1", adversarial=0.1, discriminator_width=4)
    game.rates = {player: Rate(1e-3, BETAS) for player in game.rates}
    began = _apart(game.picture(given))
    list(Fit(game, FitOptions(240), CPU).run(iter([given] * 240)))
    apart = _apart(game.picture(given))
    assert -10 * math.log10(apart) > 21
    assert apart < 0.1 * began


def _apart(shown: Tensor) -> float:
    """The mean squared distance of what is made and what is true, the last two of five pictures."""
    *_, made, true = shown.chunk(5, -1)
    return float((made - true).square().mean())
