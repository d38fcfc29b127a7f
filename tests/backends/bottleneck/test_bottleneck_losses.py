"""Every term of the bottleneck's game, against what comes out by hand; and its opponents."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.discriminator import Discriminator, Shown, TwoScales
from retarget_cli.backends.bottleneck.losses import composed, mask_distance, person_of, unlikeness
from retarget_cli.networks.adversarial_losses import FALSE, TRUE, judgement
from retarget_cli.networks.multiscale_discriminator import Judgement

LIMBS = 3


def filled(value: float, *shape: int) -> Tensor:
    return torch.full(shape, float(value))


def shown_of(side: int, count: int = 1) -> Shown:
    rng = torch.Generator().manual_seed(3)
    maps = torch.rand(2, count, LIMBS, side, side, generator=rng)
    return Shown(torch.rand(count, 3, side, side, generator=rng), maps[0], maps[1])


def test_a_person_before_what_is_behind() -> None:
    colour, behind = filled(0.8, 1, 3, 2, 2), filled(-0.4, 1, 3, 2, 2)
    confidence = torch.tensor([[1.0, 0.0], [0.5, 0.25]])[None, None]
    person = person_of(colour, confidence)
    torch.testing.assert_close(person[0, 0], torch.tensor([[0.8, 0.0], [0.4, 0.2]]))
    # Equation 3: w * 0.8 + (1 - w) * -0.4.
    whole = composed(person, confidence, behind)
    torch.testing.assert_close(whole[0, 2], torch.tensor([[0.8, -0.4], [0.2, -0.1]]))


def test_masks_are_compared_at_every_level() -> None:
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :3, :] = 1  # at half the size: a row of 1, a row of a half
    fine, coarse = torch.full_like(mask, 0.5), filled(0.25, 1, 1, 2, 2)
    # Fine: 1/2 everywhere. Coarse: 3/4 in one row and 1/4 in the other.
    assert mask_distance([fine], mask).item() == pytest.approx(0.5)
    assert mask_distance([fine, coarse], mask).item() == pytest.approx((0.5 + 0.5) / 2)
    assert mask_distance([fine, coarse, coarse], mask).item() == pytest.approx(0.5)
    assert mask_distance([filled(0.75, 1, 1, 1, 1)], mask).item() == 0
    assert mask_distance([mask], mask).item() == 0


def test_an_opponents_words_count_alike_at_both_scales() -> None:
    said = [Judgement((), filled(0.5, 1, 1, 4, 4)), Judgement((), filled(-1, 1, 1, 2, 2))]
    assert judgement(said, TRUE).item() == pytest.approx((0.25 + 4) / 2)
    assert judgement(said, FALSE).item() == pytest.approx((0.25 + 1) / 2)


def test_features_are_summed_over_layers_and_averaged_over_scales() -> None:
    zero, score = filled(0, 1, 2, 2, 2), filled(0, 1, 1, 1, 1)
    made = [Judgement((zero + 1, zero + 2), score), Judgement((zero, zero + 5), score)]
    true = [Judgement((zero, zero), score), Judgement((zero, zero), score)]
    assert unlikeness(made, true).item() == pytest.approx((1 + 2 + 5) / 2)
    given = zero.clone().requires_grad_()  # as an opponent's weights would
    value = unlikeness([Judgement((zero + 1,), score)], [Judgement((given * 2,), score)])
    assert not value.requires_grad, "the true picture has nothing to learn"


def test_every_opponent_is_told_its_own() -> None:
    torch.manual_seed(0)
    opponents = Discriminator(LIMBS, 4)
    side = 64
    picture, shown = torch.rand(1, 3, side, side), shown_of(side)
    others = {
        "source": Shown(shown.source + 1, shown.source_maps, shown.target_maps),
        "source_maps": Shown(shown.source, shown.source_maps.flip(-1), shown.target_maps),
        "target_maps": Shown(shown.source, shown.source_maps, shown.target_maps.flip(-1)),
    }
    for judge, told in (
        (opponents.of_person, {"source", "source_maps", "target_maps"}),
        (opponents.of_whole, {"target_maps"}),
        (opponents.of_rotation, {"source"}),
    ):
        with torch.no_grad():
            said = judge(picture, shown)
            assert len(said) == 2
            assert said[0].score.shape[-1] > said[1].score.shape[-1]
            changed = {name for name, other in others.items() if not same(judge(picture, other), said)}
            assert changed == told
            assert not same(judge(picture.flip(-1), shown), said)


def same(one: list[Judgement], other: list[Judgement]) -> bool:
    return all(torch.equal(mine.score, yours.score) for mine, yours in zip(one, other, strict=True))


def test_opponents_that_were_left_out() -> None:
    alone = Discriminator(LIMBS, 4, has_whole=False, has_rotation=False)
    assert [name for name, _ in alone.named_children()] == ["person"]
    picture, shown = torch.rand(1, 3, 64, 64), shown_of(64)
    for judge in (alone.of_whole, alone.of_rotation):
        with pytest.raises(ValueError, match="no opponent"):
            judge(picture, shown)


@pytest.mark.parametrize("side", [32, 96, 256])
def test_pictures_of_every_size_are_judged(side: int) -> None:
    said = TwoScales(5, 2)(torch.rand(2, 5, side, side))
    assert all(torch.isfinite(each.score).all() and each.score.numel() for each in said)
    # 256: 30 x 30 patches, and 14 x 14 of half the size, as in pix2pixHD but for its wider rim.
    if side == 256:
        assert [each.score.shape[-1] for each in said] == [30, 14]
