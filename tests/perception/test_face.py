"""Faces: where they are looked for, and that their landmarks come back in pixels of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception import face as module
from retarget_cli.perception.face import FACE_LANDMARKS, FaceFinder, face_box

HEAD = (200.0, 60.0)


class Mesh:
    """Sees a face wherever a picture is bright: its landmarks lie on the bright rectangle's diagonal."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def process(self, rgb: Image) -> Any:
        height, width = rgb.shape[:2]
        self.sizes.append((height, width))
        rows, columns = np.nonzero(rgb[..., 0] > 128)
        if len(rows) == 0 or len(rows) > 0.5 * height * width or len(rows) < 0.005 * height * width:
            return SimpleNamespace(multi_face_landmarks=None)
        low, high = (columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)
        points = [
            SimpleNamespace(
                x=(low[0] + share * (high[0] - low[0])) / width,
                y=(low[1] + share * (high[1] - low[1])) / height,
                z=0.5,
            )
            for share in np.linspace(0, 1, FACE_LANDMARKS + 10)
        ]
        return SimpleNamespace(multi_face_landmarks=[SimpleNamespace(landmark=points)])

    def close(self) -> None:
        """Nothing to give back."""


class Pose:
    """Sees a head at HEAD, of a span that the tests choose; 0 for nobody."""

    span = 20.0

    def __init__(self, **_: object) -> None:
        """As PoseEstimator is made."""

    def find(self, _: Image) -> Any:
        if self.span == 0:
            return None
        pose: FloatArray = np.zeros((33, 3), dtype=np.float32)
        pose[:11, :2] = HEAD
        pose[0, 0] += self.span / 2
        pose[1, 0] -= self.span / 2
        return SimpleNamespace(pose=pose)

    def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaceFinder]:
    monkeypatch.setattr(module, "_open_mesh", Mesh)
    monkeypatch.setattr(module, "PoseEstimator", Pose)
    monkeypatch.setattr(Pose, "span", 20.0)
    with FaceFinder() as found:
        yield found


def with_face(low: tuple[int, int], high: tuple[int, int]) -> Image:
    picture = np.zeros((300, 400, 3), dtype=np.uint8)
    picture[low[1] : high[1], low[0] : high[0]] = 255
    return picture


def test_small_faces_are_enlarged_and_come_back_in_pixels(finder: FaceFinder) -> None:
    found = finder.find(with_face((190, 50), (210, 74)))
    assert found is not None
    assert found.shape == (FACE_LANDMARKS, 3)
    assert found.dtype == np.float32
    assert found[0, :2] == pytest.approx((190, 50), abs=0.6)
    assert face_box(found) == pytest.approx((190, 50, 210, 74), abs=1.2)
    mesh = finder._mesh
    assert isinstance(mesh, Mesh)
    assert mesh.sizes == [(256, 256)]
    assert found[0, 2] == pytest.approx(0.5 * 60)  # z as x: in pixels of the square's width


def test_heads_at_the_border_are_found(finder: FaceFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pose, "span", 100.0)
    found = finder.find(with_face((160, 10), (250, 110)))
    assert found is not None
    assert face_box(found) == pytest.approx((160, 10, 250, 110), abs=3)


def test_other_squares_and_then_the_whole_picture_are_tried(finder: FaceFinder) -> None:
    """A face far from where the head should be."""
    found = finder.find(with_face((10, 200), (80, 280)))
    assert found is not None
    assert face_box(found) == pytest.approx((10, 200, 80, 280), abs=2)
    mesh = finder._mesh
    assert isinstance(mesh, Mesh)
    assert mesh.sizes == [(256, 256)] * 3 + [(300, 400)]


def test_without_a_person_the_whole_picture_is_read(finder: FaceFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pose, "span", 0)
    assert finder.find(with_face((190, 50), (230, 94))) is not None
    assert finder.find(np.zeros((300, 400, 3), dtype=np.uint8)) is None


def test_a_box_grows_on_each_side() -> None:
    landmarks = np.array([[10, 20, 0], [30, 60, 0]], dtype=np.float32)
    assert face_box(landmarks, 0.5) == (0, 0, 40, 80)


@pytest.mark.shared
@pytest.mark.parametrize(("start", "middle"), [("s01", (525, 207)), ("s06", (342, 235)), ("s12", (474, 286))])
def test_real_faces(shared_data: Path, start: str, middle: tuple[int, int]) -> None:
    path = next((shared_data / "sources").glob(f"{start}_*"))
    rgb = np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), dtype=np.uint8)
    with FaceFinder() as finder:
        found = finder.find(rgb)
        assert finder.find(np.full((200, 300, 3), 127, dtype=np.uint8)) is None
    assert found is not None
    x0, y0, x1, y1 = face_box(found)
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(middle, abs=12)
    assert 0.6 < (x1 - x0) / (y1 - y0) < 1.2
