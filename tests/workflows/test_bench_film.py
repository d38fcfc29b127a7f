"""Speed of pose2video: what is counted, and that the ready networks make the same."""

from __future__ import annotations

import pytest

from retarget_cli.workflows import bench_ceiling
from retarget_cli.workflows.bench_film import measure_film
from retarget_cli.workflows.bench_report import BenchOptions

SMALL = (("weights", "none"), ("width", "4"), ("levels", "1"), ("blocks", "1"), ("context", "1"))


def options(*more: tuple[str, str]) -> BenchOptions:
    return BenchOptions(None, None, (32,), None, "pose2video", "cpu", False, False, (*SMALL, *more))


def test_a_frame_of_the_first_stage_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_ceiling, "ROUNDS", 1)
    found = measure_film(options())
    _, _, anew, once, full, half = found.rates
    assert once.gmac == full.gmac == half.gmac
    # Poses are 3 * 28 channels, frames 3 * 3: the first stage is most of the work, and is done three times.
    assert 2.5 * once.gmac < anew.gmac < 3 * once.gmac
    assert found.difference < 1e-4
    assert "32x16" in found.text()


def test_one_stage_has_no_neighbours_to_make_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added to faces counts."""
    monkeypatch.setattr(bench_ceiling, "ROUNDS", 1)
    single = ("stages", "1"), ("context", "0"), ("recursive", "yes")
    without, having = measure_film(options(*single)), measure_film(options(*single, ("face", "yes")))
    assert [rate.name.partition(": ")[2] for rate in without.rates[2:]] == [
        "each once", "each once, ready, fp32", "each once, ready, bf16",
    ]  # fmt: skip
    assert having.rates[2].gmac > without.rates[2].gmac
    assert having.difference < 1e-4
