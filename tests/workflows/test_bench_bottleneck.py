"""What `retarget bench --ceiling` measures of the bottleneck; figures themselves are never tested."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from retarget_cli.cli.app import app
from retarget_cli.workflows import bench_ceiling
from retarget_cli.workflows.bench_bottleneck import measure_bottleneck
from retarget_cli.workflows.bench_ceiling import macs
from retarget_cli.workflows.bench_report import BenchOptions

SMALL = tuple({"weights": "none", "resolution": "64", "width": "4", "channels": "4"}.items())


@pytest.fixture(autouse=True)
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "ROUNDS", 1)


def test_plain_and_ready_do_the_same() -> None:
    options = BenchOptions(None, None, (512,), None, "bottleneck", "cpu", False, False, SMALL)
    found = measure_bottleneck(options)
    convolution, _, plain, *ready = found.rates
    assert convolution.gmac == pytest.approx(2.416, abs=1e-3)
    assert {rate.gmac for rate in ready} == {plain.gmac}
    assert plain.gmac > 0.01
    assert len(ready) == 3
    assert 0 < found.difference < 1e-3
    for word in ("ready, bf16", "photos: 4", "of 255 levels at most", "as fast as the plain modules: fp32"):
        assert word in found.text()


def test_multiplications_in_space_are_counted() -> None:
    layer = nn.Conv3d(2, 5, 3, padding=1)
    assert macs(layer, lambda: layer(torch.zeros(2, 2, 3, 4, 6))) == 2 * 72 * 2 * 5 * 27


def test_the_bottleneck_from_the_command_line() -> None:
    words = ["bench", "--ceiling", "--backend", "bottleneck", "--device", "cpu", "--json"]
    told = CliRunner().invoke(app, [*words, *(word for key, value in SMALL for word in ("--set", f"{key}={value}"))])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["rates"][2]["name"] == "bottleneck, 64 px: plain"
