"""Is somebody really there? The networks also see people in bottles and in test patterns."""

from __future__ import annotations

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import Detection, LandmarkNet, Reading, Region

# Elbows, wrists, knees, ankles: a bottle gets a head and a torso, hardly ever limbs.
_LIMBS = [13, 14, 15, 16, 25, 26, 27, 28]
_JOINTS = [0, 11, 12, 23, 24, *_LIMBS]
_VISIBLE = 0.5

# How the region is moved: share of its side to the right, times its side, and turned by radians.
_MOVES = ((0.0, 1.0, 0.0), (0.05, 1.15, 0.15), (-0.05, 0.92, -0.15))

# Whoever is there stays put when the region moves. Measured on frames by themselves, with detections of 0.5
# and more; "held" = the landmark network saw somebody in all four regions; "sure" = the least limb certainty
# of the four; "spread" = the largest mean shift of the visible joints, in quarters of the region's side.
#
#                                    frames  detected  held  accepted  sure: least 2% median most  spread:
# median 98%
#   d01-d06, r01, r02, n02 (people)     235       235   235       235        0.82 0.87   0.97 1.00
# 0.03  0.26
#   n07, n08 (half bodies)               40        40    40        40        0.73 0.73   0.99 1.00
# 0.04  0.09
#   n03 (small, leaving the frame)       58        43    34        32        0.65 0.71   0.98 1.00
# 0.05  0.59
#   n05 (people and empty stretches)    175       159   130       117        0.38 0.52   0.85 0.96
# 0.06  0.23
#   n06 (bottles)                      1189       436   125         0        0.15 0.20   0.44 0.63
# 0.16  0.29
#   n22, n23, n24 (test patterns)       455         5     0         0
#
# A large spread of people is left taken for right (d04 turns round); they are sure all the same. Heads with
# shoulders cut from six photos show no limb (sure 0.10 to 0.20) but keep still (spread 0.01 to 0.08; bottles
# 0.08 to 0.31) and are detected with 0.89 and more.
_SURE_ALONE = 0.8
_SURE_WHEN_STEADY, _STEADY = 0.7, 0.12
_SCORE_OF_BUST, _VERY_STEADY = 0.85, 0.08


def limb_certainty(pose: FloatArray) -> float:
    """Mean visibility of the four best seen of elbows, wrists, knees and ankles; `pose` is (33, 3)."""
    return float(np.sort(pose[_LIMBS, 2])[-4:].mean())


def read_person(reader: LandmarkNet, rgb: Image, detection: Detection) -> Reading | None:
    """The landmarks of a detected person; None when the detection does not hold."""
    reading = reader.read(rgb, detection.region)
    if reading is None or not is_steady(reader, rgb, reading, detection.score):
        return None
    return reading


def is_steady(reader: LandmarkNet, rgb: Image, reading: Reading, score: float) -> bool:
    """Whether the landmarks stay where they are when the region is moved a little (up to 45 ms).

    Args:
        reader: the network that read them.
        rgb: (H, W, 3) uint8.
        reading: what is doubted.
        score: the detector's certainty, which speaks for people of whom no limb is seen.
    """
    sure, spread = limb_certainty(reading.pose), 0.0
    for move in _MOVES:
        again = reader.read(rgb, _moved(reading.next_region, *move))
        if again is None:
            return False
        sure = min(sure, limb_certainty(again.pose))
        spread = max(spread, _shift(reading.pose, again.pose, reading.next_region.side / 4))
    if sure >= _SURE_ALONE or (sure >= _SURE_WHEN_STEADY and spread <= _STEADY):
        return True
    return score >= _SCORE_OF_BUST and spread <= _VERY_STEADY


def _moved(region: Region, shift: float, scale: float, turn: float) -> Region:
    return Region(region.x + shift * region.side, region.y, region.side * scale, region.turn + turn)


def _shift(one: FloatArray, other: FloatArray, unit: float) -> float:
    """Mean distance of the joints visible in both, in units; infinite when there is none."""
    seen = np.minimum(one[_JOINTS, 2], other[_JOINTS, 2]) > _VISIBLE
    if not seen.any():
        return float("inf")
    return float(np.linalg.norm(one[_JOINTS, :2] - other[_JOINTS, :2], axis=1)[seen].mean()) / unit
