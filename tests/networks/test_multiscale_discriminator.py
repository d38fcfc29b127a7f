"""Discriminators at several sizes and the games with them, beside recordings of the published ones."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.networks.published import apart, filled_as, recorded
from torch import Tensor

from retarget_cli.networks.adversarial_losses import believed, matching, told_apart
from retarget_cli.networks.multiscale_discriminator import Judgement, MultiscaleDiscriminator, ScaleDiscriminator
from retarget_cli.networks.official_names import discriminator_names, face_discriminator_names

CLOSE = 1e-4


def judge(keys: str, rules: list[dict[str, Any]], which: int, *form: Any) -> MultiscaleDiscriminator:
    network = MultiscaleDiscriminator(*form)
    return filled_as(network, discriminator_names(network), keys, rules, which)


def scores(judged: list[Judgement]) -> Tensor:
    return torch.cat([each.score.flatten() for each in judged])


def as_recorded(judged: list[Judgement], arrays: dict[str, Tensor], channels: int) -> bool:
    """Of every layer the first channels were kept."""
    pairs = [
        (feature[:, :channels], arrays[f"D_s{scale}_f{layer}"])
        for scale, each in enumerate(judged)
        for layer, feature in enumerate([*each.features, each.score])
    ]
    return len(pairs) == 10 and all(apart(*pair) < CLOSE for pair in pairs)


@torch.inference_mode()
def test_features_scores_and_losses_are_as_recorded() -> None:
    arrays, rules = recorded("pix2pixhd")
    network = judge("pix2pixhd_D", rules, 3, 6)
    real, made = (network(torch.cat([arrays["x"], arrays[key]], 1)) for key in ("y", "G"))
    assert as_recorded(real, arrays, 8)
    wanted, judged_made, judged_real, matched = arrays["loss"].tolist()
    assert believed(made).item() == pytest.approx(wanted, rel=CLOSE)
    assert told_apart(real, made).item() == pytest.approx((judged_made + judged_real) / 2, rel=CLOSE)
    assert matching(made, real).item() == pytest.approx(matched, rel=CLOSE)


@torch.inference_mode()
def test_three_scales_say_what_was_recorded() -> None:
    arrays, rules = recorded("pix2pixhd")
    network = judge("pix2pixhd_D3", rules, 4, 6, 3)
    assert apart(scores(network(torch.cat([arrays["x"], arrays["G"]], 1))), arrays["D3_last"]) < CLOSE


@torch.inference_mode()
def test_two_frames_and_a_face_are_judged_as_recorded() -> None:
    arrays, rules = recorded("edn")
    network = judge("edn_D", rules, 2, 12)
    judged = network(torch.cat([arrays[key] for key in ("p0", "p1", "i0", "i1")], 1))
    assert [apart(each.score, arrays[f"D_last{scale}"]) < CLOSE for scale, each in enumerate(judged)] == [True] * 2
    face = ScaleDiscriminator(6, norm="batch")
    filled_as(face, face_discriminator_names(face), "edn_D_face", rules, 3)
    top, bottom, left, right = arrays["face_box"].int().tolist()
    seen = torch.cat([arrays["p1"], arrays["final1"]], 1)[..., top:bottom, left:right]
    assert apart(face(seen), arrays["Dface"]) < CLOSE


@torch.inference_mode()
def test_batch_normalization_judges_as_recorded() -> None:
    arrays, rules = recorded("vid2vid")
    network = judge("vid2vid_D_numD2", rules, 3, 9, 2, 64, 3, "batch")
    assert as_recorded(network(torch.cat([arrays["x"][:, :6], arrays["img_ac1"]], 1)), arrays, 4)


def test_the_least_side_is_enough_for_all_scales() -> None:
    network = MultiscaleDiscriminator(3, 3, 2)
    side = network.least_side
    assert len(network(torch.rand(1, 3, side, side))) == 3
    with pytest.raises(ValueError, match="more than 1"):
        network(torch.rand(1, 3, side // 2, side // 2))


def test_a_match_learns_from_what_was_made_alone() -> None:
    torch.manual_seed(0)
    network = MultiscaleDiscriminator(3, 2, 4)
    made, real = torch.rand(1, 3, 32, 32, requires_grad=True), torch.rand(1, 3, 32, 32, requires_grad=True)
    matching(network(made), network(real)).backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    assert real.grad is None
    assert matching(network(real), network(real)).item() == 0


def test_games_are_won_where_labels_are_met() -> None:
    true = [Judgement((), torch.ones(1, 1, 2, 2)), Judgement((), torch.ones(1, 1, 1, 1))]
    false = [Judgement((), torch.zeros(1, 1, 2, 2)), Judgement((), torch.zeros(1, 1, 1, 1))]
    assert believed(true).item() == told_apart(true, false).item() == 0
    assert believed(false).item() == told_apart(false, true).item() == 2
