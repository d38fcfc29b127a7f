"""Motions are cut and joined without loss."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from retarget_cli.core.motion import Motion, join
from retarget_cli.core.subject import Subject, View


def motion(count: int, fitted: bool = True) -> Motion:
    rng = np.random.default_rng(count)
    body = {}
    if fitted:
        body = {
            "body": "anny",
            "theta": rng.random((count, 24, 3), np.float32),
            "camera": rng.random((count, 3), np.float32),
            "betas": rng.random(5, np.float32),
        }
    pose, world = rng.random((count, 33, 3), np.float32), rng.random((count, 33, 3), np.float32)
    times = tuple(Fraction(i * 1001, 30000) for i in range(count))
    return Motion((40, 30), times, rng.random(count) > 0.3, pose, world, **body)


@pytest.mark.parametrize("fitted", [True, False])
def test_cut_and_joined_is_the_same(fitted: bool) -> None:
    whole = motion(11, fitted)
    again = join([whole.rows(0, 4), whole.rows(4, 5), whole.rows(5, 11)])
    assert again.times == whole.times
    for name in ("present", "pose", "world", "theta", "camera", "betas"):
        assert np.array_equal(getattr(again, name), getattr(whole, name))
    assert len(again) == 11
    assert (again.body, again.size) == (whole.body, whole.size)


def test_rows_beyond_the_end_are_none() -> None:
    assert len(motion(3).rows(2, 10)) == 1
    assert len(motion(3).rows(3, 10)) == 0


def test_a_fitted_motion_does_not_join_one_that_is_not() -> None:
    with pytest.raises(ValueError, match="fitted"):
        join([motion(3), motion(3, fitted=False)])


def test_a_subject_has_the_size_of_its_first_view() -> None:
    empty = np.zeros((33, 3), np.float32)
    image = np.zeros((7, 5, 3), np.uint8)
    view = View(image, np.zeros((7, 5), np.float32), empty, empty, empty[:24], empty[0])
    subject = Subject((view, view), np.zeros(3, np.float32), "anny", image)
    assert subject.size == (7, 5)
    assert subject.primary is view
