"""A motion as plain arrays, as the cache and journals keep it. For the files of users see `motion_file`."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from retarget_cli.core.motion import LANDMARKS, Motion
from retarget_cli.perception.cache import Arrays

_FITTED = ("theta", "camera", "betas")


def packed(motion: Motion) -> Arrays:
    """The arrays of a motion; times stay exact."""
    denominator = math.lcm(*(time.denominator for time in motion.times))
    arrays = {
        "times": np.array([int(time * denominator) for time in motion.times], np.int64),
        "denominator": np.array([denominator], np.int64),
        "size": np.array(motion.size, np.int64),
        "present": motion.present,
        "pose": motion.pose,
        "world": motion.world,
    }
    fitted = {name: getattr(motion, name) for name in _FITTED}
    return arrays | {name: array for name, array in fitted.items() if array is not None}


def unpacked(arrays: Arrays, body: str = "") -> Motion:
    """`packed`, the other way.

    Args:
        arrays: may hold others besides.
        body: that the motion was fitted to; empty where it was not.

    Raises:
        KeyError, ValueError, IndexError, ZeroDivisionError: something is missing, or of another shape.
    """
    denominator = int(arrays["denominator"][0])
    times = tuple(Fraction(int(time), denominator) for time in arrays["times"])
    height, width = (int(side) for side in arrays["size"])
    pose, world = (arrays[name].reshape(len(times), LANDMARKS, 3) for name in ("pose", "world"))
    present = arrays["present"].reshape(len(times))
    fitted = (arrays[name] for name in _FITTED) if body else ()
    return Motion((height, width), times, present, pose, world, body, *fitted)
