"""Sizes, following and losing, with pretend networks; and the real ones on pictures without anybody."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from pretend_people import FakeDetector, FakeReader, figure, region_of

from retarget_cli.perception.pose import Canvas, PoseEstimator

BLANK = np.zeros((480, 640, 3), dtype=np.uint8)
PERSON = (300.0, 240.0, 150.0)
OTHER = (500.0, 240.0, 100.0)


def _estimator(
    people: list[tuple[float, float, float]], video: bool = True, visibility: float = 0.99
) -> tuple[PoseEstimator, FakeDetector, FakeReader]:
    """An estimator without its networks."""
    estimator = PoseEstimator.__new__(PoseEstimator)
    detector, reader = FakeDetector(people), FakeReader(people, visibility)
    estimator.__dict__.update(
        _is_video=video, _pick=lambda found: found[0], _region=None, _detector=detector, _reader=reader
    )
    return estimator, detector, reader


@pytest.mark.parametrize(
    "size", [(59, 33), (7, 720), (720, 7), (1, 1), (4000, 6000), (2161, 3841), (480, 640)]
)
def test_canvas_is_sane_and_points_come_back(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    canvas = Canvas.of(rgb)
    height, width = canvas.rgb.shape[:2]
    assert min(height, width) >= 128
    assert max(height, width) <= 1920
    assert canvas.rgb.flags.c_contiguous
    reader = FakeReader([(20 * canvas.factor, 10 * canvas.factor, 50 * canvas.factor)])
    reading = reader.read(canvas.rgb, region_of(20 * canvas.factor, 10 * canvas.factor, 50 * canvas.factor))
    assert reading is not None
    finding = canvas.finding(reading)
    np.testing.assert_allclose(finding.pose[:, :2], figure(20, 10, 50)[:, :2], atol=1e-2)
    assert finding.soft_mask is not None
    assert finding.soft_mask.shape == size
    assert finding.soft_mask.dtype == np.float32


def test_a_mirrored_view_is_made_contiguous() -> None:
    assert Canvas.of(BLANK[:, ::-1]).rgb.flags.c_contiguous


def test_a_followed_person_is_not_detected_again() -> None:
    estimator, detector, reader = _estimator([PERSON])
    for step in range(5):
        reader.people = [(PERSON[0] + 10 * step, *PERSON[1:])]
        finding = estimator.find(BLANK)
        assert finding is not None
        np.testing.assert_allclose(finding.pose[0], figure(*reader.people[0])[0], atol=1e-3)
    assert detector.calls == 1


def test_following_in_a_huge_picture() -> None:
    estimator, detector, reader = _estimator([PERSON])
    huge = np.zeros((1440, 3840, 3), dtype=np.uint8)  # reduced by two
    for _ in range(3):
        finding = estimator.find(huge)
        assert finding is not None
        np.testing.assert_allclose(finding.pose[:, :2], figure(600, 480, 300)[:, :2], atol=1e-2)
    assert detector.calls == 1
    region = estimator.region
    assert region is not None
    assert (region.x, region.y, region.side) == pytest.approx((600, 480, 750))
    estimator.follow(region_of(1200, 480, 300))
    reader.people = [(600.0, 240.0, 150.0), PERSON]
    finding = estimator.find(huge)
    assert finding is not None
    assert finding.pose[23, 0] == pytest.approx(1236, abs=0.1)


def test_photos_are_unrelated() -> None:
    estimator, detector, _ = _estimator([PERSON], video=False)
    estimator.find(BLANK)
    estimator.find(BLANK)
    assert detector.calls == 2
    assert estimator.region is None


def test_a_lost_person_is_found_again_in_the_same_frame() -> None:
    estimator, detector, reader = _estimator([PERSON])
    estimator.find(BLANK)
    reader.people = detector.people = [(80.0, 100.0, 30.0)]
    finding = estimator.find(BLANK)
    assert finding is not None
    np.testing.assert_allclose(finding.pose[0, 0], 80.0)


def test_nobody_then_somebody() -> None:
    estimator, detector, reader = _estimator([])
    assert estimator.find(BLANK) is None
    reader.people = detector.people = [PERSON]
    assert estimator.find(BLANK) is not None
    reader.people = detector.people = []
    assert estimator.find(BLANK) is None
    assert estimator.region is None


def test_a_doubtful_follow_is_looked_at_twice() -> None:
    estimator, detector, reader = _estimator([PERSON])
    estimator.find(BLANK)
    calls = reader.calls
    estimator.find(BLANK)
    assert reader.calls == calls + 1
    reader.visibility = 0.3  # the person has become a bottle
    assert estimator.find(BLANK) is None
    assert detector.calls == 2


def test_follow_and_forget() -> None:
    estimator, detector, _ = _estimator([PERSON, OTHER])
    estimator.follow(region_of(*OTHER))
    finding = estimator.find(BLANK)
    assert finding is not None
    np.testing.assert_allclose(finding.pose[0, 0], OTHER[0] + 0, atol=1e-3)
    assert detector.calls == 0
    estimator.forget()
    finding = estimator.find(BLANK)
    assert finding is not None
    np.testing.assert_allclose(finding.pose[0, 0], PERSON[0], atol=1e-3)


@pytest.fixture(scope="module")
def real() -> PoseEstimator:
    return PoseEstimator(video=False, with_mask=True)


@pytest.mark.parametrize("kind", ["black", "noise", "gradient", "strip", "tiny"])
def test_nobody_in_pictures_of_nothing(real: PoseEstimator, kind: str) -> None:
    random = np.random.default_rng(3)
    rgb = {
        "black": np.zeros((240, 320, 3), dtype=np.uint8),
        "noise": random.integers(0, 255, (300, 200, 3), dtype=np.uint8),
        "gradient": np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3)),
        "strip": random.integers(0, 255, (7, 720, 3), dtype=np.uint8),
        "tiny": random.integers(0, 255, (59, 33, 3), dtype=np.uint8),
    }[kind]
    assert real.find(rgb) is None


def test_nothing_reaches_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with PoseEstimator(video=True, with_mask=True) as estimator:
        estimator.find(BLANK)
        estimator.find(BLANK)
    os.write(2, b"after\n")
    sys.stderr.write("python after\n")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["after", "python after"] or set(captured.err.splitlines()) == {
        "after",
        "python after",
    }
