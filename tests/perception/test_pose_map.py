"""Poses as pictures: 25 points of 33 landmarks, and limbs in colours."""

from __future__ import annotations

import numpy as np
import pytest

from retarget_cli.body.skeleton import LANDMARK
from retarget_cli.core.motion import FloatArray
from retarget_cli.perception.pose_map import LIMBS, POINT_NAMES, keypoints, pose_map

SIZE = (256, 192)
ROW = {name: row for row, name in enumerate(POINT_NAMES)}


def standing() -> FloatArray:
    """(33, 3): somebody who faces the viewer, the left side at larger x."""
    pose = np.zeros((33, 3), np.float32)
    pose[:, 2] = 1
    places = {
        "nose": (96, 40), "left_eye": (100, 36), "right_eye": (92, 36), "left_ear": (106, 40), "right_ear": (86, 40),
        "left_shoulder": (120, 70), "right_shoulder": (72, 70), "left_elbow": (130, 105), "right_elbow": (62, 105),
        "left_wrist": (135, 140), "right_wrist": (57, 140), "left_hip": (110, 140), "right_hip": (82, 140),
        "left_knee": (112, 185), "right_knee": (80, 185), "left_ankle": (112, 230), "right_ankle": (80, 230),
        "left_heel": (111, 236), "right_heel": (81, 236), "left_foot_index": (116, 246), "right_foot_index": (76, 246),
    }  # fmt: skip
    for name, place in places.items():
        pose[LANDMARK[name], :2] = place
    return pose


def color_at(picture: np.ndarray, one: str, other: str) -> tuple[int, ...]:
    """In the middle of a limb."""
    points = keypoints(standing())
    x, y = (points[ROW[one], :2] + points[ROW[other], :2]) / 2
    return tuple(int(v) for v in picture[int(y), int(x)])


def test_points_between_landmarks_are_as_sure_as_the_less_sure() -> None:
    pose = standing()
    pose[LANDMARK["left_hip"], 2] = 0.4
    points = keypoints(pose)
    assert points.shape == (25, 3)
    assert points[ROW["neck"]].tolist() == [96, 70, 1]
    assert points[ROW["mid_hip"]] == pytest.approx([96, 140, 0.4])
    assert points[ROW["left_big_toe"], :2].tolist() == [116, 246]


def test_small_toes_are_outside_of_the_big_ones() -> None:
    points = keypoints(standing())
    assert points[ROW["left_small_toe"], 0] > points[ROW["left_big_toe"], 0]
    assert points[ROW["right_small_toe"], 0] < points[ROW["right_big_toe"], 0]
    turned = standing()
    turned[:, 0] = 192 - turned[:, 0]  # seen from behind, feet pointing away
    for side in ("left", "right"):
        turned[LANDMARK[f"{side}_foot_index"], 1] = 226
    behind = keypoints(turned)
    assert behind[ROW["left_small_toe"], 0] < behind[ROW["left_big_toe"], 0]


def test_limbs_have_colours_of_their_own() -> None:
    picture = pose_map(standing(), SIZE)
    assert picture.shape == (*SIZE, 3)
    assert picture.dtype == np.uint8
    limbs = [("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"), ("left_hip", "left_knee"),
             ("right_hip", "right_knee"), ("left_elbow", "left_wrist"), ("neck", "nose")]  # fmt: skip
    colors = {color_at(picture, *limb) for limb in limbs}
    assert len(colors) == len(limbs)
    assert (0, 0, 0) not in colors
    assert len({tuple(sorted(limb)) for limb in LIMBS}) == 24


def test_strokes_are_six_pixels_at_256_and_scale() -> None:
    for factor, expected in ((1, 6), (2, 12)):
        pose = standing() * np.array([factor, factor, 1], np.float32)
        picture = pose_map(pose, (256 * factor, 192 * factor))
        row = picture[162 * factor, 100 * factor : 130 * factor].any(-1)  # across the left thigh
        assert abs(int(row.sum()) - expected) <= 1


def test_what_is_not_sure_is_left_out() -> None:
    pose = standing()
    pose[LANDMARK["left_elbow"], 2] = 0.2
    picture = pose_map(pose, SIZE)
    assert color_at(picture, "left_shoulder", "left_elbow") == (0, 0, 0)
    assert color_at(picture, "left_elbow", "left_wrist") == (0, 0, 0)
    assert color_at(picture, "right_shoulder", "right_elbow") != (0, 0, 0)
    assert not pose_map(np.zeros((33, 3), np.float32), SIZE).any()


def test_overlaps_are_the_mean() -> None:
    crossed = standing()
    for name, place in (("left_wrist", (40, 100)), ("left_elbow", (130, 100)), ("left_shoulder", (130, 60))):
        crossed[LANDMARK[name], :2] = place
    alone = crossed.copy()
    alone[[LANDMARK["left_hip"], LANDMARK["right_hip"]], 2] = 0
    spine = pose_map(crossed, SIZE)[120, 98].astype(float)
    forearm = pose_map(alone, SIZE)[100, 98].astype(float)
    both = pose_map(crossed, SIZE)[100, 98].astype(float)
    assert np.abs(both - (spine + forearm) / 2).max() <= 1


def test_far_or_unknown_points_do_no_harm() -> None:
    pose = standing()
    pose[LANDMARK["left_wrist"], :2] = (1e9, -1e9)
    pose[LANDMARK["right_wrist"], :2] = np.nan
    picture = pose_map(pose, SIZE)
    assert color_at(picture, "right_elbow", "right_wrist") == (0, 0, 0)
    assert color_at(picture, "left_hip", "left_knee") != (0, 0, 0)
