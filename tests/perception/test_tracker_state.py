"""A tracker's state: another tracker goes on from it exactly as the first would have, with MediaPipe's own networks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from tests.workflows.scenes import camera_for, draw, waving

from retarget_cli.core.motion import Motion, join
from retarget_cli.core.subject import Image
from retarget_cli.perception.motion_reader import read_on, read_poses
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.perception.persons import Choice

SIZE = (240, 320)
COUNT = 70
CUT = 50


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    """Two who wave and walk; the left one is away for some frames; then a cut to another wall, and nobody at first."""
    shown = []
    for number, theta in enumerate(waving(COUNT)):
        wall = (120, 120, 120) if number < CUT else (235, 225, 240)
        shift = 0.002 * number
        others = draw(SIZE, theta, camera_for(SIZE, 0.7, 0.75 - shift), wall).image
        is_away = 36 <= number < 42
        both = draw(SIZE, theta, camera_for(SIZE, 0.8, 0.25 + shift), others).image
        empty = np.full((*SIZE, 3), wall, np.uint8)
        shown.append(empty if CUT <= number < CUT + 4 else others if is_away else both)
    return shown


def timed(pictures: list[Image], start: int = 0) -> Iterator[tuple[Fraction, Image]]:
    return ((Fraction(number, 25), pictures[number]) for number in range(start, len(pictures)))


@pytest.fixture(scope="module")
def of_the_left(pictures: list[Image]) -> Motion:
    """The left one's landmarks, read in one go."""
    return join(list(read_poses(timed(pictures), SIZE, "left")))


def test_reading_in_parts_is_reading_in_one_go(pictures: list[Image], of_the_left: Motion) -> None:
    assert_same_in_parts(pictures, "left", of_the_left)


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["largest", 2])
def test_so_it_is_for_other_choices(pictures: list[Image], choice: Choice) -> None:
    assert_same_in_parts(pictures, choice, join(list(read_poses(timed(pictures), SIZE, choice))))


def assert_same_in_parts(pictures: list[Image], choice: Choice, whole: Motion) -> None:
    assert 40 < int(whole.present.sum()) < COUNT
    parts = []
    state = None
    for start in (0, 32, 64):
        motion, state = next(read_on(timed(pictures, start), SIZE, choice, state))
        parts.append(motion)
    again = join(parts)
    assert again.times == whole.times
    for name in ("present", "pose", "world"):
        assert np.array_equal(getattr(again, name), getattr(whole, name)), name


def test_without_its_state_a_reading_is_another(pictures: list[Image], of_the_left: Motion) -> None:
    """Else the test above would show nothing."""
    rest = join([window for window, _ in read_on(timed(pictures[:37], 32), SIZE, "left", None)])
    assert not np.array_equal(rest.pose, of_the_left.pose[32:37])


def test_a_state_of_every_moment_is_taken_over_whole(pictures: list[Image]) -> None:
    """Before the first picture, with somebody in sight, while he is away, after the cut."""
    with PersonTracker("left", True, False) as tracker, PersonTracker("left", True, False) as other:
        for number, picture in enumerate(pictures[33:56]):
            if number % 5 == 0:
                other.find(pictures[0])
                other.restore(tracker.state())
                state, again = tracker.state(), other.state()
                assert all(np.array_equal(state[name], again[name]) for name in state)
                assert {array.dtype.kind for array in state.values()} == {"f", "i", "u"}
            seen, also = tracker.find(picture), other.find(picture)
            assert (seen is None) == (also is None)
            assert seen is None or also is None or np.array_equal(seen.pose, also.pose)
