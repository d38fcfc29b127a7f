"""The runner's guard: a backend that loses, invents or deforms frames is found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from retarget_cli.backends.base import Performer, Window
from retarget_cli.core.errors import BackendError
from retarget_cli.core.motion import Motion, join
from retarget_cli.workflows.performing import perform, rewindowed

SIZE = (6, 4)
Play = Callable[[Iterator[Window]], Iterator[Tensor]]


def motion(count: int) -> Motion:
    pose = np.zeros((count, 33, 3), np.float32)
    times = tuple(Fraction(i, 25) for i in range(count))
    theta, camera = np.zeros((count, 24, 3), np.float32), np.zeros((count, 3), np.float32)
    return Motion(SIZE, times, np.ones(count, bool), pose, pose, "anny", theta, camera, np.zeros(3, np.float32))


class Played(Performer):
    def __init__(self, play: Play) -> None:
        self.play = play

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        return self.play(driving)


def run(play: Play, count: int = 7, window: int = 3) -> list[tuple[Fraction, Tensor]]:
    whole = motion(count)
    return list(perform(Played(play), [whole.rows(0, 2), whole.rows(2, count)], SIZE, window))


def numbered(window: Window, size: tuple[int, int] = SIZE) -> Tensor:
    """Frames whose pixels hold their number."""
    numbers = torch.arange(window.start, window.start + len(window)).float()
    return numbers[:, None, None, None].expand(-1, 4, *size)


def honest(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield numbered(window)


def late(driving: Iterator[Window]) -> Iterator[Tensor]:
    """Reads a window ahead."""
    before = None
    for window in driving:
        if before is not None:
            yield numbered(before)
        before = window
    if before is not None:
        yield numbered(before)


def one_by_one(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield from numbered(window).split(1)


@pytest.mark.parametrize("play", [honest, late, one_by_one])
@pytest.mark.parametrize("window", [1, 3, 100])
def test_honest_performers_pass(play: Play, window: int) -> None:
    done = run(play, 7, window)
    assert [time for time, _ in done] == [Fraction(i, 25) for i in range(7)]
    assert [float(frame[0, 0, 0]) for _, frame in done] == list(range(7))


def too_few(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield numbered(window)[:-1]


def too_many(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield numbered(window)
    yield torch.zeros(1, 4, *SIZE)


def before_asked(driving: Iterator[Window]) -> Iterator[Tensor]:
    yield torch.zeros(1, 4, *SIZE)
    yield from honest(driving)


def wrong_size(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield numbered(window, (SIZE[1], SIZE[0]))


def no_alpha(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield numbered(window)[:, :3]


def no_batch(driving: Iterator[Window]) -> Iterator[Tensor]:
    for window in driving:
        yield numbered(window)[0]


def stops_early(driving: Iterator[Window]) -> Iterator[Tensor]:
    yield numbered(next(driving))


def stops_reading(driving: Iterator[Window]) -> Iterator[Tensor]:
    """Gives back every frame, but does not look whether there are more."""
    for _ in range(3):
        yield numbered(next(driving))


def does_nothing(driving: Iterator[Window]) -> Iterator[Tensor]:
    return iter(())


@pytest.mark.parametrize(
    ("play", "message"),
    [
        (too_few, "left others undone"),
        (too_many, "more frames"),
        (before_asked, "more frames"),
        (wrong_size, "expected"),
        (no_alpha, "expected"),
        (no_batch, "expected"),
        (stops_early, "stopped after 3 frames"),
        (stops_reading, "stopped after 7 frames"),
        (does_nothing, "stopped after 0 frames"),
    ],
)
def test_broken_performers_are_found_out(play: Play, message: str) -> None:
    with pytest.raises(BackendError, match=message) as caught:
        run(play)
    assert "Played" in caught.value.message


def test_an_error_of_the_performer_passes() -> None:
    def breaks(driving: Iterator[Window]) -> Iterator[Tensor]:
        yield numbered(next(driving))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(breaks)


@pytest.mark.parametrize("length", [1, 2, 3, 5, 11, 12, 40])
@pytest.mark.parametrize("cuts", [[0, 11], [0, 1, 2, 11], [0, 5, 5, 10, 11]])
def test_windows_have_the_length_that_the_backend_asked_for(length: int, cuts: list[int]) -> None:
    whole = motion(11)
    parts = [whole.rows(a, b) for a, b in pairwise(cuts)]
    windows = list(rewindowed(parts, length))
    assert [len(item) for item in windows[:-1]] == [length] * (len(windows) - 1)
    assert 1 <= len(windows[-1]) <= length
    assert join(windows).times == whole.times


def test_windows_of_nothing() -> None:
    assert list(rewindowed([], 4)) == []
