"""Perception of a clip: windows, times, one shape for all, and a fit that survives gaps."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar, Self

import numpy as np
import pytest
import torch
from tests.perception.bodies import body, random_theta, seen

from retarget_cli.core.motion import Motion, join
from retarget_cli.perception import motion_reader
from retarget_cli.perception.motion_reader import PATIENCE, SHAPE_FRAMES, WINDOW, fit_shape, fit_windows, read_poses
from retarget_cli.perception.pose import PoseFinding

BETAS = torch.tensor([0.8, -0.6])


def motion(count: int, missing: tuple[int, ...] = ()) -> Motion:
    """A known body in known poses, as a perfect network would see it."""
    theta = random_theta(count, seed=3, strength=0.2)
    camera = torch.tensor([[200.0, 150.0, 200.0]]).expand(count, 3)
    pose, world = (array.numpy() for array in seen(theta, BETAS, camera))
    present = np.ones(count, bool)
    present[list(missing)] = False
    pose[~present], world[~present] = 0, 0
    return Motion((400, 300), tuple(Fraction(i, 30) for i in range(count)), present, pose, world)


def windows(whole: Motion, length: int) -> Iterator[Motion]:
    return (whole.rows(at, at + length) for at in range(0, len(whole), length))


def test_every_frame_is_fitted_with_one_shape() -> None:
    whole = motion(70)
    parts = list(fit_windows(windows(whole, WINDOW), body()))
    assert [len(part) for part in parts] == [32, 32, 6]
    result = join(parts)
    assert result.times == whole.times
    assert result.body == "anny"
    assert result.theta is not None
    assert result.theta.shape == (70, 24, 3)
    for part in parts:
        assert part.betas is not None
        assert parts[0].betas is not None
        assert np.array_equal(part.betas, parts[0].betas)


def test_landmarks_of_the_fit_lie_where_they_were_seen() -> None:
    whole = motion(40)
    fit = join(list(fit_windows([whole], body())))
    assert fit.theta is not None
    assert fit.camera is not None
    assert fit.betas is not None
    again, _ = seen(torch.from_numpy(fit.theta), torch.from_numpy(fit.betas), torch.from_numpy(fit.camera))
    joints = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    apart = np.linalg.norm(again.numpy()[:, joints, :2] - whole.pose[:, joints, :2], axis=-1)
    assert np.median(apart) < 5  # of a person about 340 pixels tall


@pytest.mark.parametrize("missing", [(0,), (5, 6, 7), tuple(range(30)), (39,)])
def test_frames_without_a_person_are_zero_and_shift_nothing(missing: tuple[int, ...]) -> None:
    fit = join(list(fit_windows(windows(motion(40, missing), 16), body())))
    assert fit.theta is not None
    assert fit.camera is not None
    assert not fit.theta[list(missing)].any()
    assert (fit.camera[list(missing)] == [1, 0, 0]).all()
    rest = np.setdiff1d(np.arange(40), missing)
    assert np.abs(fit.camera[rest, 0] - 200).max() < 30
    assert np.isfinite(fit.theta).all()


def test_a_clip_with_nobody_in_it_passes() -> None:
    fit = join(list(fit_windows(windows(motion(40, tuple(range(40))), 16), body())))
    assert len(fit) == 40
    assert not fit.present.any()


def test_the_shape_waits_for_enough_frames_but_not_for_ever() -> None:
    taken = 0

    def counted(whole: Motion) -> Iterator[Motion]:
        nonlocal taken
        for part in windows(whole, 8):
            taken += len(part)
            yield part

    next(fit_windows(counted(motion(80)), body()))
    assert taken == SHAPE_FRAMES
    taken = 0
    next(fit_windows(counted(motion(PATIENCE + 80, tuple(range(PATIENCE + 70)))), body()))
    assert taken == PATIENCE


def test_no_windows_give_no_windows() -> None:
    assert list(fit_windows([], body())) == []


def test_the_shape_of_nobody_is_the_mean() -> None:
    assert not fit_shape(body(), motion(4, (0, 1, 2, 3))).any()


class Tracker:
    """Sees somebody in every frame but those whose first pixel is 0."""

    made: ClassVar[list[Tracker]] = []

    def __init__(self, choice: object, video: bool, with_mask: bool) -> None:
        self.choice, self.video, self.with_mask = choice, video, with_mask
        self.is_open = True
        Tracker.made.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def find(self, rgb: np.ndarray) -> PoseFinding | None:
        value = float(rgb[0, 0, 0])
        if value == 0:
            return None
        return PoseFinding(np.full((33, 3), value, np.float32), np.full((33, 3), -value, np.float32), None)


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> type[Tracker]:
    Tracker.made = []
    monkeypatch.setattr(motion_reader, "PersonTracker", Tracker)
    return Tracker


def frames(values: list[int]) -> Iterator[tuple[Fraction, np.ndarray]]:
    for i, value in enumerate(values):
        yield Fraction(i * 1001, 30000), np.full((8, 6, 3), value, np.uint8)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 70])
def test_landmarks_come_in_windows_with_exact_times(tracker: type[Tracker], count: int) -> None:
    values = [7 * (i % 30) for i in range(count)]
    parts = list(read_poses(frames(values), (8, 6), "left"))
    assert [len(part) for part in parts[:-1]] == [WINDOW] * (len(parts) - 1)
    whole = join(parts)
    assert whole.times == tuple(Fraction(i * 1001, 30000) for i in range(count))
    assert whole.size == (8, 6)
    assert whole.present.tolist() == [value > 0 for value in values]
    assert whole.pose[:, 3, 0].tolist() == values
    assert whole.world[:, 3, 0].tolist() == [-value for value in values]
    assert [(item.choice, item.video, item.with_mask, item.is_open) for item in tracker.made] == [
        ("left", True, False, False)
    ]


def test_the_network_is_given_back_when_the_reader_is_closed(tracker: type[Tracker]) -> None:
    reader = read_poses(frames([9] * 100), (8, 6), "largest")
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert not tracker.made[0].is_open


def test_no_frames_give_no_windows(tracker: type[Tracker]) -> None:
    assert list(read_poses(iter(()), (8, 6), "largest")) == []
