"""The ceiling of a machine, and networks beside it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from retarget_cli.workflows import bench_ceiling
from retarget_cli.workflows.bench_ceiling import Rate, compared, macs, measure_ceiling, measured


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


def test_a_frame_of_a_call_is_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "timed", lambda calls, _: [2.0] * len(calls))
    found = measured({"plain": (0.5, lambda: None)}, 4, torch.device("cpu"))
    assert [rate.seconds for rate in found.machine] == [2, 2]
    assert found.jobs == (Rate("plain", 0.5, 0.5),)
    whole = found.ceiling(0.25, "so it is")
    assert whole.rates == found.machine + found.jobs
    assert (whole.difference, whole.note) == (0.25, "so it is")


def test_what_is_said_of_two_precisions() -> None:
    rates = [Rate(name, 1.0, seconds) for name, seconds in (("plain", 6.0), ("fp32", 3.0), ("bf16", 2.0))]
    full = torch.tensor([-1.0, 1.0, -1.0, 1.0])
    lines = compared("plain modules", rates, full, full + torch.tensor([0, 0, 0, 2 / 255]), span=2)
    assert lines == [
        "as fast as the plain modules: fp32 2.00 times, bf16 3.00 times",
        "bf16 and fp32 differ by 1.00 of 255 levels at most, 0.250 on average; pictures deviate by 147.22 from their "
        "mean",
    ]
