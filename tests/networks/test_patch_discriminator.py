"""The patch discriminator: its form, and what it needs."""

from __future__ import annotations

import pytest
import torch

from retarget_cli.networks.patch_discriminator import PatchDiscriminator


def test_parameters_and_scores_as_published() -> None:
    network = PatchDiscriminator(6)
    assert sum(each.numel() for each in network.parameters()) == 6_962_625
    with torch.no_grad():
        assert PatchDiscriminator(6, width=4)(torch.zeros(2, 6, 256, 256)).shape == (2, 1, 14, 14)


def test_features_are_finest_first_and_doubled_up_to_eight_times() -> None:
    with torch.no_grad():
        found = PatchDiscriminator(3, width=2, depth=5).features(torch.zeros(1, 3, 128, 96))
    assert [each.shape[1] for each in found] == [2, 4, 8, 16, 16, 16]
    assert found[0].shape[-2:] == (64, 48)


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_the_least_side_is_the_least(depth: int) -> None:
    network = PatchDiscriminator(3, width=2, depth=depth)
    side = network.least_side
    assert network(torch.rand(1, 3, side, side)).shape == (1, 1, 1, 1)
    with pytest.raises((RuntimeError, ValueError)):
        network(torch.rand(1, 3, side - 1, side - 1))
