"""Intervals mean what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from retarget_cli.evaluation.statistics import estimate, paired, proportion


def test_mean_and_interval() -> None:
    found = estimate([1.0, 2.0, 3.0, None, math.nan], 30)
    assert (found.mean, found.clips, found.frames) == (2.0, 3, 30)
    assert found.low is not None
    assert found.high is not None
    assert 1 <= found.low < 2 < found.high <= 3
    assert estimate([1.0, 2.0, 3.0, None, math.nan], 30) == found


def test_too_few_clips_have_no_interval() -> None:
    assert (estimate([]).mean, estimate([None]).mean) == (None, None)
    one = estimate([4.0])
    assert (one.mean, one.low, one.high, one.clips) == (4.0, None, None, 1)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    found = [estimate(random.normal(5, 2, 30).tolist()) for _ in range(200)]
    inside = sum(each.low <= 5 <= each.high for each in found)  # type: ignore[operator]
    assert 0.88 <= inside / 200 <= 0.99


def test_more_clips_are_surer() -> None:
    random = np.random.default_rng(5)
    few, many = (estimate(random.normal(0, 1, count).tolist()) for count in (10, 200))
    assert many.high - many.low < few.high - few.low  # type: ignore[operator]


def test_pairs_take_the_difficulty_of_clips_out() -> None:
    clips = np.random.default_rng(6).normal(20, 5, 25)
    better = paired((clips + 0.5).tolist(), clips.tolist())
    assert better.mean == pytest.approx(0.5)
    assert better.low == pytest.approx(0.5)
    some = paired([1.0, None, 3.0], [0.5, 2.0, None])
    assert (some.mean, some.clips) == (0.5, 1)
    with pytest.raises(ValueError, match="argument 2"):
        paired([1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(7, 10, 0.3968, 0.8922), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    assert proportion(successes, trials) == pytest.approx((successes / trials, low, high), abs=1e-4)


def test_no_answers_are_no_share() -> None:
    with pytest.raises(ValueError, match="0 of 0"):
        proportion(0, 0)
