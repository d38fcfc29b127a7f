"""Bones that hang on bones, driven by the channels of a motion. Flat and solid toys have the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.toys.waves import Performance

Place = tuple[float, float, float]
Way = Literal["pitch", "yaw", "roll", "right", "down", "away", "wide", "tall", "deep"]
WAYS: tuple[Way, ...] = ("pitch", "yaw", "roll", "right", "down", "away", "wide", "tall", "deep")
# channel, what it does to the bone, and by how much: radians, units, or share of the size
Drive = tuple[str, Way, float]
# No bone becomes so thin that nothing of it is seen.
THINNEST = 0.06


@dataclass(frozen=True, slots=True)
class Bone:
    """A part's place in the toy.

    Attributes:
        name: of the part.
        parent: name of the bone it hangs on; empty for the root.
        joint: where, in the parent's axes: right, down, away.
        rest: (pitch, yaw, roll) at rest, radians.
        drives: what moves it.
    """

    name: str
    parent: str = ""
    joint: Place = (0.0, 0.0, 0.0)
    rest: Place = (0.0, 0.0, 0.0)
    drives: tuple[Drive, ...] = ()


def placed(bones: Sequence[Bone], performance: Performance) -> FloatArray:
    """(T, P, 3, 4): from each bone's own axes to the toy's, in every frame. Sizes are not inherited, joints are."""
    count = len(performance.values)
    found: dict[str, tuple[FloatArray, FloatArray, FloatArray]] = {}
    out = np.empty((count, len(bones), 3, 4), np.float32)
    for place, bone in enumerate(bones):
        driven = np.zeros((count, len(WAYS)), np.float32)
        for channel, way, gain in bone.drives:
            driven[:, WAYS.index(way)] += gain * performance.channel(channel)
        turned = _turns(driven[:, :3] + np.asarray(bone.rest, np.float32))
        size = np.maximum(1 + driven[:, 6:], THINNEST)
        joint = np.asarray(bone.joint, np.float32)
        if bone.parent:
            axes, origin, stretch = found[bone.parent]
            start = origin + np.einsum("tij,tj->ti", axes, stretch * joint + driven[:, 3:6])
            turned = axes @ turned
        else:
            start = joint + driven[:, 3:6]
        found[bone.name] = turned, start, size
        out[:, place, :, :3] = turned * size[:, None, :]
        out[:, place, :, 3] = start
    return out


def _turns(angles: FloatArray) -> FloatArray:
    """(T, 3, 3) of pitch, yaw and roll (T, 3); pitch first."""
    cos, sin = np.cos(angles), np.sin(angles)
    nought, one = np.zeros(len(angles), np.float32), np.ones(len(angles), np.float32)
    (cx, cy, cz), (sx, sy, sz) = cos.T, sin.T

    def matrix(*rows: FloatArray) -> FloatArray:
        return np.stack(rows, -1).reshape(-1, 3, 3)

    pitch = matrix(one, nought, nought, nought, cx, -sx, nought, sx, cx)
    yaw = matrix(cy, nought, sy, nought, one, nought, -sy, nought, cy)
    roll = matrix(cz, -sz, nought, sz, cz, nought, nought, nought, one)
    return np.asarray(roll @ yaw @ pitch, np.float32)
