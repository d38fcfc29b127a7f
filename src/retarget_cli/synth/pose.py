"""Poses in words of anatomy, kept within what joints can do, and the rotations that they mean.

Angles are radians. Left comes before right. Axes are the camera's (x right, y down, z away).
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.mesh import Numbers

PELVIS, SPINES, NECK, HEAD = 0, (3, 6, 9), 12, 15
HIP, KNEE, ANKLE, SHOULDER, ELBOW = (1, 2), (4, 5), (7, 8), (16, 17), (18, 19)

# How far each angle goes; a pair of rows in `values` where the name has two sides.
_RANGE = {
    "lift": (0.2, 2.75),  # of the arm sideways: 0 hangs, pi / 2 is level
    "swing": (-0.6, 2.3),  # of the arm forwards
    "twist": (-0.5, 1.5),  # of the arm about itself: a bent forearm points ahead at 0, up at pi / 2
    "bend": (0.05, 2.2),  # of the elbow
    "step": (-0.5, 1.5),  # of the thigh forwards
    "spread": (0.0, 0.6),  # of the thigh sideways
    "knee": (0.0, 2.1),
    "toe": (-0.35, 0.9),  # of the foot: 0 is level, more points down
}
_MIDDLE_RANGE = {
    "yaw": (-1e4, 1e4),  # of the hips about the vertical; more turns the face to the viewer's left
    "lean": (-0.2, 0.8),  # of the trunk forwards
    "sway": (-0.3, 0.3),  # of the trunk to the person's left
    "spin": (-0.5, 0.5),  # of the shoulders against the hips
    "nod": (-0.35, 0.4),  # of the head, down
    "look": (-0.7, 0.7),  # of the head about the vertical
}
SIDED = tuple(_RANGE)
NAMES = tuple(f"{name}_{side}" for name in _RANGE for side in "lr") + tuple(_MIDDLE_RANGE)
COLUMN = MappingProxyType({name: index for index, name in enumerate(NAMES)})
_LIMITS = [limit for limit in _RANGE.values() for _ in range(2)] + list(_MIDDLE_RANGE.values())
LOW, HIGH = (np.array(side, np.float64) for side in zip(*_LIMITS, strict=True))
STANDING = MappingProxyType({"lift": 0.3, "bend": 0.2, "spread": 0.04})

# Radians between the rest pose's arms and hanging ones, and between its legs and closed ones, each.
HANG, STRADDLE = 0.82, 0.15
# The ankle can't do more than this to keep the foot level.
ANKLE_LIMIT = 0.9

Angles = NDArray[np.float64]


def pose(**angles: float) -> Angles:
    """(22,) one pose; what is not named stands still. `lift=1` raises both arms, `lift_l=1` the left one."""
    row = np.zeros(len(NAMES))
    for name, value in (*STANDING.items(), *angles.items()):
        for key in (f"{name}_l", f"{name}_r") if name in SIDED else (name,):
            row[COLUMN[key]] = value
    return row


def limited(values: Angles) -> Angles:
    """The same poses (T, 22) within the joints' ranges."""
    return np.clip(values, LOW, HIGH)


def mirrored(values: Angles) -> Angles:
    """Left and right exchanged, (..., 22)."""
    other = values.copy()
    for name in SIDED:
        other[..., COLUMN[f"{name}_l"]] = values[..., COLUMN[f"{name}_r"]]
        other[..., COLUMN[f"{name}_r"]] = values[..., COLUMN[f"{name}_l"]]
    for name in ("yaw", "sway", "spin", "look"):
        other[..., COLUMN[name]] *= -1
    return other


def theta_of(values: Angles) -> FloatArray:
    """Joint rotations (T, 24, 3) of poses (T, 22)."""
    column = {name: values[:, index] for name, index in COLUMN.items()}
    theta = np.zeros((len(values), 24, 3))
    theta[:, PELVIS, 1] = column["yaw"]
    for spine in SPINES:
        theta[:, spine] = np.stack([column["lean"], column["spin"], column["sway"]], 1) / 3
    for joint in (NECK, HEAD):
        theta[:, joint, 0], theta[:, joint, 1] = column["nod"] / 2, column["look"] / 2
    for side, (letter, sign) in enumerate((("l", 1.0), ("r", -1.0))):
        own = {name: column[f"{name}_{letter}"] for name in SIDED}
        theta[:, SHOULDER[side]] = _shoulder(own["lift"], own["swing"], own["twist"], sign)
        # The elbow turns the forearm towards the viewer, about an axis across the resting arm.
        theta[:, ELBOW[side]] = own["bend"][:, None] * np.array([-np.sqrt(0.5), sign * np.sqrt(0.5), 0.0])
        hip = _about("x", -own["step"]) * _about("z", sign * (STRADDLE - own["spread"]))
        theta[:, HIP[side]] = hip.as_rotvec()
        theta[:, KNEE[side], 0] = own["knee"]
        level = (hip * _about("x", own["knee"])).inv() * _about("x", own["toe"])
        turn = level.as_rotvec()
        length = np.linalg.norm(turn, axis=1, keepdims=True)
        theta[:, ANKLE[side]] = turn * np.minimum(1, ANKLE_LIMIT / np.maximum(length, 1e-9))
    return theta.astype(np.float32)


def _shoulder(lift: Angles, swing: Angles, twist: Angles, sign: float) -> Angles:
    along = np.array([sign * np.sqrt(0.5), np.sqrt(0.5), 0.0])
    twisted = Rotation.from_rotvec(-sign * twist[:, None] * along)
    turn: Angles = (_about("x", -swing) * _about("z", sign * (HANG - lift)) * twisted).as_rotvec()
    return turn


def _about(axis: str, angle: Angles) -> Rotation:
    vector = np.zeros((len(angle), 3))
    vector[:, "xyz".index(axis)] = angle
    return Rotation.from_rotvec(vector)


def turned(theta: FloatArray, yaw: Numbers | float) -> FloatArray:
    """Poses (T, 24, 3) with the whole person turned about the vertical by `yaw` (T,) or one number."""
    out = np.array(theta, np.float32)
    about = np.zeros((len(out), 3))
    about[:, 1] = yaw
    out[:, PELVIS] = (Rotation.from_rotvec(about) * Rotation.from_rotvec(out[:, PELVIS])).as_rotvec()
    return out
