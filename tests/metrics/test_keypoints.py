"""AKD and missing landmarks: cases by hand with stub detectors, and MediaPipe on a drawn person."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
import torch
from tests.metrics import scenery
from tests.workflows.scenes import camera_for, draw

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.metrics.base import Frames
from retarget_cli.metrics.keypoints import BODY, INFOS, Found, Keypoints, compared

KEYS = tuple(INFOS)


def pose(x: float, confidence: float = 0.9) -> FloatArray:
    """All landmarks in one place."""
    return np.tile(np.array([x, 5, confidence], np.float32), (33, 1))


def test_akd_by_hand() -> None:
    """Half of the landmarks are 3 and 4 pixels off, the others in place: the mean distance is 2.5."""
    rendered = pose(10)
    for landmark in BODY[: len(BODY) // 2]:
        rendered[landmark, :2] += (3, 4)
    found = compared(Found(rendered, None), Found(pose(10), None))
    share = (len(BODY) // 2) / len(BODY)
    assert found["akd"] == pytest.approx(5 * share)
    assert found["mkr"] == 0
    assert math.isnan(found["face-akd"])


def test_missing_landmarks_by_hand() -> None:
    rendered, target = pose(10), pose(10)
    rendered[list(BODY[:3]), 2] = 0.1
    target[BODY[0], 2] = 0.1  # nobody knows it: it is not missed
    found = compared(Found(rendered, None), Found(target, None))
    assert found["mkr"] == pytest.approx(2 / (len(BODY) - 1))
    assert found["akd"] == 0


def test_only_landmarks_of_both_count_for_the_distance() -> None:
    rendered, target = pose(10), pose(10)
    rendered[BODY[0]] = (500, 5, 0.1)  # a guess far off
    target[BODY[1]] = (500, 5, 0.1)
    rendered[BODY[2], 0] += 3
    found = compared(Found(rendered, None), Found(target, None))
    assert found["akd"] == pytest.approx(3 / (len(BODY) - 2))


def test_mouth_fingers_and_soles_do_not_count() -> None:
    rendered = pose(10)
    others = [number for number in range(33) if number not in BODY]
    assert others == [1, 3, 4, 6, 9, 10, *range(17, 23), *range(29, 33)]
    rendered[others] = (500, 5, 0)
    found = compared(Found(rendered, None), Found(pose(10), None))
    assert (found["akd"], found["mkr"]) == (0, 0)


def test_nobody_rendered_is_all_missing_and_no_distance() -> None:
    found = compared(Found(None, None), Found(pose(1), np.zeros((468, 3), np.float32)))
    assert (found["mkr"], found["face-mkr"]) == (1, 1)
    assert math.isnan(found["akd"])
    assert math.isnan(found["face-akd"])
    nothing = compared(Found(pose(1), None), Found(None, None))
    assert all(math.isnan(value) for value in nothing.values())


def test_face_by_hand() -> None:
    target = np.zeros((468, 3), np.float32)
    rendered = target + np.array([0, 2, 99], np.float32)  # depth is no distance in the picture
    found = compared(Found(None, rendered), Found(None, target))
    assert (found["face-akd"], found["face-mkr"]) == (2, 0)


class Stub:
    """Puts the person at the brightness of the frame; counts what it is asked, and in which thread."""

    made: list[Stub]

    def __init__(self, has_face: bool) -> None:
        self.asked: list[int] = []
        self.threads: set[int] = {threading.get_ident()}
        self.clips = 1
        Stub.made.append(self)

    def find(self, frame: Image) -> Found:
        self.threads.add(threading.get_ident())
        self.asked.append(int(frame[0, 0, 0]))
        return Found(pose(float(frame[0, 0, 0])), None)

    def restart(self) -> None:
        self.threads.add(threading.get_ident())
        self.clips += 1


def shades(*values: int) -> torch.Tensor:
    return torch.stack([torch.full((3, 4, 4), value, dtype=torch.uint8) for value in values])


def test_frames_are_paired_and_truth_is_looked_at_once() -> None:
    Stub.made = []
    metric = Keypoints(["akd", "mkr"], Stub)
    for _ in range(2):  # two methods, the same truth
        scorer = metric.begin()
        first = scorer.score(Frames(shades(1, 2), shades(1, 5)))
        second = scorer.score(Frames(shades(9), shades(7)))
        assert first["akd"].tolist() == [0, 3]
        assert second["akd"].tolist() == [2]
    assert sorted(tuple(stub.asked) for stub in Stub.made) == [(1, 2, 9, 1, 2, 9), (1, 5, 7)]
    assert all(len(stub.threads) == 1 and stub.clips == 2 for stub in Stub.made)


def test_not_more_than_so_many_frames_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retarget_cli.metrics.keypoints.REMEMBERED", 1)
    Stub.made = []
    metric = Keypoints(["akd"], Stub)
    for _ in range(2):
        assert metric.begin().score(Frames(shades(3, 3), shades(1, 2)))["akd"].tolist() == [2, 1]
    assert sorted(tuple(stub.asked) for stub in Stub.made) == [(1, 2, 1, 2), (3, 3, 3, 3)]


def test_without_truth_there_is_nothing_to_find() -> None:
    Stub.made = []
    found = Keypoints(["akd"], Stub).begin().score(Frames(shades(1, 2)))
    assert np.isnan(found["akd"]).all()
    assert not Stub.made


def test_a_shifted_person_is_as_far_off_as_he_is_shifted() -> None:
    size = (256, 192)
    true = scenery.tensor(draw(size, camera=camera_for(size)).image)[None]
    moved = camera_for(size)
    moved[1] += 12
    off = scenery.tensor(draw(size, camera=moved).image)[None]
    empty = torch.full_like(true, 120)
    values = {}
    metric = Keypoints(["akd", "mkr"])
    spoilt = {"noised": scenery.noised(true, 40), "blurred": scenery.blurred(scenery.blurred(true))}
    for name, rendered in {"same": true, "shifted": off, "empty": empty, **spoilt}.items():
        values[name] = metric.begin().score(Frames(rendered, true))
    assert values["same"]["akd"][0] < 0.5
    assert values["shifted"]["akd"][0] == pytest.approx(12, abs=2.5)
    assert values["empty"]["mkr"][0] == 1
    assert values["same"]["mkr"][0] == 0
    assert all(values[name]["akd"][0] > values["same"]["akd"][0] for name in spoilt)
