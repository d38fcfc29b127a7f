"""A person's pose as a picture: the 25 points of BODY_25 joined to limbs, each in a colour of its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.skeleton import LANDMARK
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image

POINT_NAMES = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
    *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
)
"""BODY_25 in its order. Left is the person's left."""
LIMBS = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13), (13, 14),
    (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip
"""Which points are joined."""
# What lies between two landmarks; MediaPipe has one toe a foot, which ends the foot where the big toe is.
_MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
_TOES = ("big_toe", "small_toe")
# How far the small toe lies from the big one towards the outside and back, in lengths of the foot.
_ASIDE, _BACK = 0.3, 0.12
# Thickness of a limb, and the height of picture that it is meant for, pixels.
STROKE, STROKE_AT = 6.0, 256
LEAST_CONFIDENCE = 0.3


def keypoints(pose: FloatArray) -> FloatArray:
    """BODY_25 points of 33 landmarks.

    Args:
        pose: (33, 3) x, y in pixels, confidence.

    Returns:
        (25, 3); a point between two landmarks is as sure as the less sure of them.
    """
    return np.stack([_point(pose, name) for name in POINT_NAMES]).astype(np.float32)


def pose_map(pose: FloatArray, size: tuple[int, int], least_confidence: float = LEAST_CONFIDENCE) -> Image:
    """Limbs on black.

    Args:
        pose: (33, 3) image landmarks.
        size: (height, width); strokes are 6 pixels thick where the height is 256.
        least_confidence: a limb with an end that is less sure is left out.

    Returns:
        (H, W, 3) uint8 RGB; where limbs overlap the mean of their colours.
    """
    points = keypoints(pose)
    total, count = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    radius = STROKE / 2 * size[0] / STROKE_AT
    for (start, end), color in zip(LIMBS, _colors(), strict=True):
        ends = points[[start, end]]
        if ends[:, 2].min() < least_confidence or not np.isfinite(ends).all():
            continue
        rows, columns = _reach(ends, radius, size)
        drawn = _stroke(ends[:, :2], radius, rows, columns)
        total[rows, columns] += drawn[..., None] * color
        count[rows, columns] += drawn
    return np.asarray((total / np.maximum(count, 1)[..., None]).round(), np.uint8)


def _reach(ends: FloatArray, radius: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns that a stroke between two points may touch; empty outside of the picture."""
    low, high = ends[:, :2].min(0) - radius - 1, ends[:, :2].max(0) + radius + 1
    bounds = [
        slice(int(np.clip(low[axis], 0, most)), int(np.clip(high[axis] + 1, 0, most)))
        for axis, most in ((1, size[0]), (0, size[1]))
    ]
    return bounds[0], bounds[1]


def _stroke(ends: FloatArray, radius: float, rows: slice, columns: slice) -> NDArray[np.bool_]:
    """Where the middles of pixels are no farther than a radius from the line between two points (2, 2)."""
    y, x = np.mgrid[rows, columns].astype(np.float32) + np.float32(0.5)
    away = np.stack([x, y], -1) - ends[0]
    bone = ends[1] - ends[0]
    share = (away @ bone / max(float(bone @ bone), 1e-6)).clip(0, 1)
    return np.asarray(np.linalg.norm(away - share[..., None] * bone, axis=-1) <= radius)


def _point(pose: FloatArray, name: str) -> FloatArray:
    if name in _MIDDLES:
        ends = pose[[LANDMARK[end] for end in _MIDDLES[name]]]
        return np.append(ends[:, :2].mean(0), ends[:, 2].min())
    side, _, part = name.partition("_")
    if part not in _TOES:
        return pose[LANDMARK[name]]
    toe = pose[LANDMARK[f"{side}_foot_index"]]
    return toe if part == "big_toe" else _small_toe(pose, side, toe)


def _small_toe(pose: FloatArray, side: str, toe: FloatArray) -> FloatArray:
    """Beside the big toe, towards the outside of a foot on the ground that is seen from above."""
    foot = toe[:2] - pose[LANDMARK[f"{side}_heel"], :2]
    outwards = np.array([foot[1], -foot[0]], np.float32) * (1 if side == "left" else -1)
    return np.append(toe[:2] + _ASIDE * outwards - _BACK * foot, toe[2]).astype(np.float32)


def _colors() -> FloatArray:
    """(24, 3) RGB in [0, 255]: hues all around, neighbours on the body far apart."""
    count = len(LIMBS)
    hues = (np.arange(count) * 7 % count) * 180 / count
    values = np.stack([hues, np.full(count, 255), np.where(np.arange(count) % 2, 255, 200)], -1)
    return np.asarray(cv2.cvtColor(values.round().astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0], np.float32)
