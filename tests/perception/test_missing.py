"""Frames in which nobody is seen: held, left out, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.perception.missing import Missing, clock, fill_missing

START = np.full((24, 3), 0.25, np.float32)


def fitted(seen: Sequence[int]) -> Motion:
    """Row i has theta i + 1 and camera (i + 1) * 10, zero and the neutral camera where nobody is seen."""
    present = np.array(seen, bool)
    number = (np.arange(len(seen), dtype=np.float32) + 1) * present
    theta = np.broadcast_to(number[:, None, None], (len(seen), 24, 3)).copy()
    camera = np.where(present[:, None], np.outer(number, [10, 10, 10]), [1, 0, 0]).astype(np.float32)
    zero = np.zeros((len(seen), 33, 3), np.float32)
    times = tuple(Fraction(i, 10) for i in range(len(seen)))
    return Motion((40, 30), times, present, zero, zero, "anny", theta, camera, np.zeros(5, np.float32))


def filled(motion: Motion, policy: Missing, length: int) -> Motion:
    windows = (motion.rows(at, at + length) for at in range(0, len(motion), length))
    return join(list(fill_missing(windows, policy, START)))


def thetas(motion: Motion) -> list[float]:
    assert motion.theta is not None
    return [float(value) for value in motion.theta[:, 5, 1]]


@pytest.mark.parametrize("length", [1, 2, 3, 20])
def test_hold_keeps_the_last_pose_and_every_time(length: int) -> None:
    motion = fitted([1, 1, 0, 0, 1, 0])
    result = filled(motion, Missing.HOLD, length)
    assert thetas(result) == [1, 2, 2, 2, 5, 5]
    assert result.camera is not None
    assert result.camera[:, 0].tolist() == [10, 20, 20, 20, 50, 50]
    assert result.times == motion.times
    assert np.array_equal(result.present, motion.present)


@pytest.mark.parametrize("length", [1, 2, 20])
def test_before_anybody_is_seen_the_source_keeps_its_own_pose(length: int) -> None:
    assert thetas(filled(fitted([0, 0, 0, 1, 0]), Missing.HOLD, length)) == [0.25, 0.25, 0.25, 4, 4]


@pytest.mark.parametrize("length", [1, 2, 20])
def test_skip_leaves_frames_out_and_keeps_the_times_of_the_others(length: int) -> None:
    result = filled(fitted([0, 1, 1, 0, 0, 1, 0]), Missing.SKIP, length)
    assert thetas(result) == [2, 3, 6]
    assert result.times == (Fraction(1, 10), Fraction(2, 10), Fraction(5, 10))
    assert len(result.pose) == len(result.world) == 3
    assert result.present.all()


def test_fail_names_the_moment_and_the_other_policies() -> None:
    with pytest.raises(InputError, match=r"0:00\.30") as caught:
        filled(fitted([1, 1, 1, 0, 1]), Missing.FAIL, 2)
    assert "--missing hold" in caught.value.hint
    assert "skip" in caught.value.hint


def test_fail_passes_a_clip_without_gaps() -> None:
    assert thetas(filled(fitted([1, 1, 1]), Missing.FAIL, 2)) == [1, 2, 3]


@pytest.mark.parametrize("policy", list(Missing))
@pytest.mark.parametrize("length", [2, 20])
def test_nobody_at_all_is_an_error_whatever_the_policy(policy: Missing, length: int) -> None:
    with pytest.raises(InputError, match="seen"):
        filled(fitted([0, 0, 0, 0, 0]), policy, length)


def test_the_windows_that_come_in_are_not_changed() -> None:
    motion = fitted([0, 1, 0])
    filled(motion, Missing.HOLD, 20)
    assert thetas(motion) == [0, 2, 0]


def test_a_motion_without_body_is_a_fault_of_ours() -> None:
    bare = Motion((4, 4), (Fraction(0),), np.ones(1, bool), np.zeros((1, 33, 3)), np.zeros((1, 33, 3)))
    with pytest.raises(ValueError, match="fitted"):
        list(fill_missing([bare], Missing.HOLD, START))


@pytest.mark.parametrize(
    ("time", "text"), [(Fraction(0), "0:00.00"), (Fraction(167, 2), "1:23.50"), (Fraction(3605), "60:05.00")]
)
def test_times_are_written_as_people_do(time: Fraction, text: str) -> None:
    assert clock(time) == text
