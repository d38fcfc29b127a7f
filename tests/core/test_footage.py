"""Frames as they are: parts of a clip, joined again, and what stands for their motion."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from retarget_cli.core.footage import Footage, spliced, unseen

RATE = Fraction(30000, 1001)


def footage(count: int = 7, *, is_scaled: bool = False) -> Footage:
    """Each frame is its own number."""
    pictures = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
    return Footage(tuple(n / RATE for n in range(count)), pictures, pictures[0] + 9, is_scaled)


def test_rows_are_frames_and_keep_what_motion_is_relative_to() -> None:
    whole = footage(is_scaled=True)
    part = whole.rows(2, 5)
    assert len(part) == 3
    assert part.times == whole.times[2:5]
    assert part.pictures[:, 0, 0, 0].tolist() == [2, 3, 4]
    assert part.reference is whole.reference
    assert part.is_scaled


def test_rows_beyond_the_end_are_not_there() -> None:
    assert len(footage(3).rows(2, 9)) == 1
    assert len(footage(3).rows(3, 9)) == 0


def test_parts_joined_are_the_whole() -> None:
    whole = footage(is_scaled=True)
    again = spliced([whole.rows(0, 1), whole.rows(1, 5), whole.rows(5, 7)])
    assert again.times == whole.times
    assert np.array_equal(again.pictures, whole.pictures)
    assert again.reference is whole.reference
    assert again.is_scaled


def test_in_the_motion_that_stands_for_it_nobody_is_present() -> None:
    whole = footage()
    motion = unseen(whole)
    assert len(motion) == len(whole)
    assert motion.times == whole.times
    assert motion.size == (4, 6)
    assert not motion.present.any()
    assert motion.theta is None
