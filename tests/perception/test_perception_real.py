"""The real networks on the shared media; skipped where these are not present."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from retarget_cli.core.errors import InputError
from retarget_cli.perception.mask import person_mask
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.perception.persons import choose_person, find_persons
from retarget_cli.perception.pose import PoseEstimator

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data (real media) is not here"),
]
SOURCES = ["s01", "s02", "s04", "s06", "s07", "s12"]


def _photo(start: str) -> np.ndarray:
    path = next((DATA / "sources").glob(f"{start}_*"))
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    factor = 1024 / max(rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def _frames(start: str, step: int, count: int = 10**6) -> Iterator[np.ndarray]:
    path = next(DATA.glob(f"*/{start}*"))
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index >= count:
                return
            if index % step == 0:
                yield frame.to_ndarray(format="rgb24")


@pytest.mark.parametrize(("start", "step"), [("n06", 9), ("n22", 2), ("n23", 15), ("n24", 10)])
def test_nobody_is_found_where_nobody_is(start: str, step: int) -> None:
    with PoseEstimator(video=True, with_mask=False) as estimator:
        assert [index for index, rgb in enumerate(_frames(start, step)) if estimator.find(rgb)] == []


@pytest.mark.parametrize(
    ("start", "step"),
    [("d01", 6), ("d04", 4), ("d05", 5), ("d06", 8), ("n07", 4), ("n08", 5), ("r02_pose2sim_cam03", 12)],
)
def test_somebody_is_found_in_every_frame(start: str, step: int) -> None:
    with PoseEstimator(video=False, with_mask=False) as estimator:
        assert all(estimator.find(rgb) is not None for rgb in _frames(start, step))


@pytest.mark.parametrize("name", ["derived/y11_tiny_33x59.png", "n17_exif3_man_backview.jpg"])
def test_tiny_and_small_people_are_found(name: str) -> None:
    rgb = cv2.cvtColor(cv2.imread(str(DATA / "nasty" / name)), cv2.COLOR_BGR2RGB)
    with PoseEstimator(video=False, with_mask=True) as estimator:
        finding = estimator.find(rgb)
    assert finding is not None
    assert finding.soft_mask is not None
    assert finding.soft_mask.shape == rgb.shape[:2]


def test_a_strip_is_survived() -> None:
    rgb = cv2.imread(str(DATA / "nasty" / "derived" / "y12_strip_720x7.png"))
    with PoseEstimator(video=False, with_mask=True) as estimator:
        assert estimator.find(rgb) is None


def test_two_people_are_told_apart() -> None:
    rgb = next(_frames("n02", 1))
    boxes = find_persons(rgb)
    assert len(boxes) == 2
    assert boxes[0].x1 < boxes[1].x0 + 60
    assert choose_person(boxes, "largest") is boxes[1]
    with pytest.raises(InputError, match="2 people were found"):
        choose_person(boxes, 3)


@pytest.mark.parametrize(("choice", "low", "high"), [("left", 350, 520), ("right", 640, 800)])
def test_the_chosen_one_of_two_is_followed(choice: str, low: float, high: float) -> None:
    with PersonTracker(choice, video=True, with_mask=False) as tracker:  # type: ignore[arg-type]
        for rgb in _frames("n02", 3, count=75):
            finding = tracker.find(rgb)
            assert finding is not None
            assert low < finding.pose[[23, 24], 0].mean() < high


@pytest.mark.parametrize("start", SOURCES)
def test_masks_of_the_photos(start: str) -> None:
    rgb = _photo(start)
    with PoseEstimator(video=False, with_mask=True) as estimator:
        finding = estimator.find(rgb)
    assert finding is not None
    assert finding.soft_mask is not None
    mask = person_mask(rgb, finding, None)
    hard, soft = mask > 0.5, finding.soft_mask > 0.5
    assert np.count_nonzero(hard & soft) / np.count_nonzero(hard | soft) > 0.93
    outline = cv2.morphologyEx(hard.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum() / 2
    assert np.count_nonzero((mask > 0.05) & (mask < 0.95)) < 3 * outline  # pixels wide
    for landmark in (0, 11, 12, 15, 16, 23, 24, 25, 26, 27, 28):
        x, y = finding.pose[landmark, :2]
        if finding.pose[landmark, 2] > 0.9 and 0 <= x < rgb.shape[1] and 0 <= y < rgb.shape[0]:
            assert mask[int(y), int(x)] > 0.9, landmark


def test_the_ball_in_the_hand_belongs_to_the_person() -> None:
    rgb = _photo("s07")
    with PoseEstimator(video=False, with_mask=True) as estimator:
        finding = estimator.find(rgb)
    assert finding is not None
    mask = person_mask(rgb, finding, None)
    white = (rgb.min(axis=2) > 200) & (np.hypot(*np.mgrid[-248 : 576 - 248, -500 : 1024 - 500]) < 25)
    assert np.count_nonzero(white) > 300
    assert mask[white].mean() > 0.99
