"""The ceiling of a machine, and networks beside it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from retarget_cli.workflows import bench_ceiling
from retarget_cli.workflows.bench_ceiling import macs, measure_ceiling


def test_multiplications_are_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ReLU())
    picture = torch.zeros(2, 3, 10, 6)
    assert macs(network, lambda: network(picture)) == 2 * 60 * (3 * 8 * 9 + 8 * 4 * 16)
    assert not network[0]._forward_hooks


def test_both_networks_do_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "ROUNDS", 1)
    found = measure_ceiling(torch.device("cpu"), size=64, sources=2)
    convolution, _, plain, ready = found.rates
    assert convolution.gmac == pytest.approx(2.416, abs=1e-3)
    assert plain.gmac == ready.gmac
    assert found.difference < 1e-4
    assert all(rate.seconds > 0 for rate in found.rates)
    assert "100%" in found.text()
