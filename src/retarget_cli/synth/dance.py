"""Motions made of key poses and splines. Angles in radians; axes are the camera's (x right, y down, z away)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import CubicSpline

from retarget_cli.core.motion import FloatArray

PELVIS, SPINE, CHEST, NECK, HEAD = 0, 3, 9, 12, 15
# Left before right.
HIP, KNEE, SHOULDER, ELBOW = (1, 2), (4, 5), (16, 17), (18, 19)


@dataclass(frozen=True, slots=True)
class Key:
    """One pose.

    Attributes:
        seconds: when.
        lift: of each arm: 0 hangs, pi / 2 is level, more is raised.
        bend: of each elbow, forwards.
        step: of each thigh, forwards; the knee bends by twice as much.
        spread: of each thigh, sideways.
        yaw, sway, lean: of the hips about the vertical, of the chest sideways, of the chest forwards.
        nod: of the head about the vertical.
        x: of the hips, metres to the viewer's right.
    """

    seconds: float
    lift: tuple[float, float] = (0.2, 0.2)
    bend: tuple[float, float] = (0.3, 0.3)
    step: tuple[float, float] = (0.0, 0.0)
    spread: tuple[float, float] = (0.05, 0.05)
    yaw: float = 0.0
    sway: float = 0.0
    lean: float = 0.0
    nod: float = 0.0
    x: float = 0.0

    def numbers(self) -> list[float]:
        """All but the time, in a row."""
        return [
            *self.lift, *self.bend, *self.step, *self.spread, self.yaw, self.sway, self.lean, self.nod, self.x
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Motion:
    """Joint rotations (T, 24, 3) axis-angle, and the hips' way to the right (T,) in metres."""

    theta: FloatArray
    x: FloatArray = field(repr=False)


# Radians between the rest pose's arms and hanging ones, and between its legs and closed ones, each.
HANG, STRADDLE = 0.82, 0.15


def play(keys: tuple[Key, ...], times: FloatArray) -> Motion:
    """Poses at times (T,) seconds, smooth through all keys."""
    spline = CubicSpline([key.seconds for key in keys], [key.numbers() for key in keys], bc_type="clamped")
    values = np.asarray(spline(times), np.float32)
    theta = np.zeros((len(times), 24, 3), np.float32)
    for side, sign in ((0, 1.0), (1, -1.0)):
        lift, bend, step, spread = (values[:, 2 * group + side] for group in range(4))
        theta[:, SHOULDER[side], 2] = sign * (HANG - lift)
        # The elbow turns the forearm towards the viewer, about an axis across the resting arm.
        axis = np.array([-0.7, sign * 0.7, 0.0], np.float32)
        theta[:, ELBOW[side]] = bend[:, None] * axis
        theta[:, HIP[side], 0] = -step
        theta[:, HIP[side], 2] = sign * (STRADDLE - spread)
        theta[:, KNEE[side], 0] = 1.9 * np.maximum(step, 0)
    yaw, sway, lean, nod, x = values[:, 8:].T
    theta[:, PELVIS, 1] = yaw
    theta[:, SPINE, 2] = theta[:, CHEST, 2] = sway / 2
    theta[:, CHEST, 0] = lean
    theta[:, NECK, 1] = theta[:, HEAD, 1] = nod / 2
    return Motion(theta, x)


STANDING = (Key(0.0, lift=(0.32, 0.32), bend=(0.15, 0.15)), Key(1.0, lift=(0.32, 0.32), bend=(0.15, 0.15)))

DANCE = (
    Key(0.0, lift=(0.3, 0.3)),
    Key(0.6, lift=(1.5, 0.5), bend=(0.5, 1.0), sway=0.18, step=(0.0, 0.3), x=-0.06),
    Key(1.2, lift=(0.5, 1.5), bend=(1.0, 0.5), sway=-0.18, step=(0.3, 0.0), x=0.06),
    Key(1.8, lift=(2.5, 2.5), bend=(0.4, 0.4), spread=(0.22, 0.22), nod=0.2),
    Key(2.4, lift=(2.1, 2.6), bend=(0.9, 0.3), yaw=0.6, sway=-0.15, step=(0.35, 0.0), x=0.16),
    Key(3.0, lift=(0.7, 0.7), bend=(1.3, 1.3), yaw=0.95, lean=-0.1, step=(0.0, 0.2), x=0.22),
    Key(3.6, lift=(1.6, 1.6), bend=(0.2, 0.2), yaw=0.0, spread=(0.25, 0.25), x=0.08),
    Key(4.2, lift=(0.8, 2.4), bend=(1.2, 0.3), yaw=-0.8, sway=0.15, step=(0.0, 0.35), x=-0.12),
    Key(4.8, lift=(2.4, 0.8), bend=(0.3, 1.2), yaw=-0.95, sway=-0.12, step=(0.3, 0.0), x=-0.2),
    Key(5.4, lift=(1.2, 1.2), bend=(1.5, 1.5), yaw=-0.2, lean=0.08, spread=(0.18, 0.18), nod=-0.2, x=-0.06),
    Key(6.0, lift=(0.4, 0.4), x=0.0),
)
