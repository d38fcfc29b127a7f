"""Motion files as something that synthetic people perform."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import FEET, posed_landmarks, stature
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.geometry.rotations import axis_angle_to_quaternion, quaternion_to_axis_angle
from retarget_cli.perception.motion_file import load_motion
from retarget_cli.synth.choreography import Given
from retarget_cli.synth.mesh import Numbers

# Smaller hops are taken for noise of what was perceived; larger ones, and ways, for mistakes.
_LEAST_LIFT, _MOST_LIFT, _MOST_WAY = 0.025, 0.4, 1.0
_FAR = 8.0


def read_given(path: Path, rate: Fraction) -> Given:
    """A motion file at a rate of frames.

    Raises:
        InputError: it is no motion file, holds no fitted body, or not Anny's, or shows a person too shortly.
    """
    motion = load_motion(path)
    if motion.theta is None or motion.camera is None or motion.betas is None or motion.body != "anny":
        raise InputError(
            f"{path} holds no poses of the body anny", "make it again with `retarget extract --body anny`"
        )
    rows = np.flatnonzero(motion.present)
    if len(rows) < 2:
        raise InputError(f"{path} shows a person in {len(rows)} frames, expected at least 2", "use another file")
    times = np.array([float(motion.times[row]) for row in rows])
    wanted = np.arange(times[0], times[-1] + 1e-9, float(1 / rate))
    path_of_hips = _path(motion, rows)
    way = np.stack([np.interp(wanted, times, column) for column in path_of_hips.T], 1)
    return Given(path.name, _between(motion.theta[rows], times, wanted), way)


def _between(theta: FloatArray, times: Numbers, wanted: Numbers) -> FloatArray:
    """(T, 24, 3) rotations at other times, along the short way between neighbours."""
    after = np.searchsorted(times, wanted).clip(1, len(times) - 1)
    share = torch.from_numpy((wanted - times[after - 1]) / (times[after] - times[after - 1])).float()
    first, second = (axis_angle_to_quaternion(torch.from_numpy(theta[rows])) for rows in (after - 1, after))
    second = torch.where((first * second).sum(-1, keepdim=True) < 0, -second, second)
    mixed = torch.lerp(first, second, share.clamp(0, 1)[:, None, None])
    return quaternion_to_axis_angle(mixed / mixed.norm(dim=-1, keepdim=True)).numpy()


def _path(motion: Motion, rows: NDArray[np.int64]) -> Numbers:
    """(T, 3) of the hips, in statures: right, up off the floor, away; from the first row."""
    if motion.theta is None or motion.camera is None or motion.betas is None:
        raise ValueError("only a fitted motion has a path")
    shape = load_body("anny").shaped(torch.from_numpy(motion.betas))
    camera, tall = motion.camera[rows].astype(np.float64), stature(shape)
    points = posed_landmarks(load_body("anny"), shape, torch.from_numpy(motion.theta[rows])).numpy()
    size = np.maximum(camera[:, 0] * tall, 1e-6)
    floor = (camera[:, 0] * points[:, list(FEET), 1].max(1) + camera[:, 2]) / size
    usual = median_filter(floor, size=min(len(floor), 31), mode="nearest")
    lift = (usual - floor - _LEAST_LIFT).clip(0, _MOST_LIFT)
    right = (camera[:, 1] - camera[0, 1]) / size
    away = _FAR * (size[0] / size - 1)
    return np.stack([right.clip(-_MOST_WAY, _MOST_WAY), lift, away.clip(-_MOST_WAY, _MOST_WAY)], 1)
