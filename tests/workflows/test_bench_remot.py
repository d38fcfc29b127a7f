"""Speed of REMOT: what is counted, and that the ready networks make the same."""

from __future__ import annotations

import pytest

from retarget_cli.workflows import bench_ceiling
from retarget_cli.workflows.bench_remot import measure_remot
from retarget_cli.workflows.bench_report import BenchOptions

SMALL = (("weights", "none"), ("width", "4"))


def options(*more: tuple[str, str]) -> BenchOptions:
    return BenchOptions(None, None, (64,), None, "remot", "cpu", False, False, (*SMALL, *more))


def test_a_frame_of_all_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "ROUNDS", 1)
    found, without = measure_remot(options()), measure_remot(options(("composition", "off")))
    plain, full, half = found.rates[2:]
    assert plain.name == "remot, 64x48: plain"
    assert plain.gmac == full.gmac == half.gmac > without.rates[2].gmac
    assert found.difference < 1e-4
    assert "bf16 and fp32 differ by" in found.text()
