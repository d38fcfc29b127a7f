"""Opponents at several scales."""

from __future__ import annotations

import pytest
import torch
from tests.backends.self_appearance.miniatures import pictures

from retarget_cli.backends.self_appearance.discriminator import Discriminator, DiscriminatorDesign, matched

SMALL = {"width": 4, "most": 16}


def test_scales_have_weights_of_their_own_and_judge_smaller_pictures() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorDesign(**SMALL, steps=(1, 2))).eval()
    fine, coarse = network(pictures(2, 128, 160))
    assert fine.score.shape == (2, 1, 10, 14)
    assert coarse.score.shape == (2, 1, 2, 4)
    assert [each.shape[1] for each in fine.features] == [8, 16, 16, 16]
    weights = [scale.score.weight for scale in network.scales]
    assert not torch.equal(*weights)


def test_keypoints_are_seen() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorDesign(**SMALL, keypoints=3, is_spectral=False)).eval()
    shown, place = pictures(1, 64, 64), torch.zeros(1, 3, 2)
    (first,), (other,) = network(shown, place), network(shown, place + 0.5)
    assert not torch.allclose(first.score, other.score)
    for wrong in (None, torch.zeros(1, 2, 2)):
        with pytest.raises(ValueError, match="3 keypoints are expected"):
            network(shown, wrong)


def test_spectral_norms_are_kept_at_one() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorDesign(**SMALL)).train()
    for parameter in network.parameters():
        parameter.data.mul_(7)
    for _ in range(50):
        network(pictures(1))
    for layer in network.scales[0].layers:
        norm = torch.linalg.matrix_norm(layer.conv.weight.detach().flatten(1), 2)
        assert float(norm) == pytest.approx(1, rel=0.02)
    plain = Discriminator(DiscriminatorDesign(**SMALL, is_spectral=False))
    assert not any("parametrizations" in name for name in plain.state_dict())


def test_matched_features_teach_what_is_made_only() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorDesign(**SMALL)).eval()
    made, real = pictures(1).requires_grad_(), pictures(1, seed=2).requires_grad_()
    matched(network(made), network(real)).backward()
    assert made.grad is not None
    assert bool(made.grad.any())
    assert real.grad is None
    assert float(matched(network(made), network(made)).detach()) == 0
