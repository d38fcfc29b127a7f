"""Left and right taken for each other, and put back.

Seen from behind, a person is often taken for one who faces the viewer, for some frames: landmarks keep their
places in the picture, but left and right are exchanged and depth has the other sign, so the figure would spin by
half a turn and back. Nobody turns so fast: of the two readings of each frame, the sequence with the smallest jumps
is kept (Viterbi over the clip, one window of look-ahead).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray, Motion, join

BODY_PAIRS = tuple((left, left + 1) for left in range(11, 33, 2))
FACE_PAIRS = ((1, 4), (2, 5), (3, 6), (7, 8), (9, 10))
# A turn by so much from one frame to the next costs nothing, radians: noise, and what a quick person turns in the
# time between. A whole half turn costs 1.
NOISE, QUICKEST = np.radians(45), np.radians(300)
# What it costs to disbelieve the network in one frame.
DISBELIEF = 0.035
# Beyond this angle between chest and face, radians, the face was exchanged too.
NECK_LIMIT = np.radians(110)


def straighten(windows: Iterable[Motion]) -> Iterator[Motion]:
    """The same windows of landmarks with left and right where they belong."""
    waiting: Motion | None = None
    state: float | None = None  # direction in the last frame that was given out
    for window in windows:
        if waiting is not None:
            fixed, state = _straightened(waiting, window, state)
            yield fixed
        waiting = window
    if waiting is not None:
        yield _straightened(waiting, None, state)[0]


def _straightened(
    window: Motion, following: Motion | None, state: float | None
) -> tuple[Motion, float | None]:
    around = window if following is None else join([window, following])
    rows = np.flatnonzero(around.present)
    if not len(rows):
        return window, state
    angles = facing(around.world[rows])
    times = np.array([float(around.times[row]) for row in rows])
    free = np.minimum(NOISE + QUICKEST * np.diff(times, prepend=times[0]), np.radians(150))
    swaps = least_turning(angles, free, state)
    own = rows < len(window)
    pose, world = window.pose.copy(), window.world.copy()
    for row in rows[own & swaps]:
        pose[row], world[row] = exchanged(pose[row], world[row])
    if own.any():
        last = int(np.flatnonzero(own)[-1])
        state = float(np.pi - angles[last] if swaps[last] else angles[last])
    return replace(window, pose=pose, world=world), state


def facing(world: FloatArray) -> FloatArray:
    """(T,) direction of the trunk about the vertical, radians: 0 faces the viewer, +-pi shows the back."""
    across = world[:, 11] - world[:, 12] + world[:, 23] - world[:, 24]
    return np.arctan2(across[:, 2], across[:, 0]).astype(np.float32)


def least_turning(angles: FloatArray, free: FloatArray, before: float | None) -> NDArray[np.bool_]:
    """(T,) which frames to read the other way, so that the whole turns as little as possible.

    Args:
        angles: (T,) directions as the network has them; read the other way they are pi minus that.
        free: (T,) how far a turn since the frame before costs nothing, radians, below pi.
        before: the direction of the frame before the first, after correction; None at the clip's start.
    """
    choices = np.stack([angles, np.pi - angles], 1)
    cost = np.array([0.0, DISBELIEF])
    if before is not None:
        cost = cost + _jump(choices[0] - before, free[0])
    origin = np.zeros((len(angles), 2), np.int64)
    for row in range(1, len(angles)):
        step = cost[:, None] + _jump(choices[row][None] - choices[row - 1][:, None], free[row])
        origin[row] = step.argmin(0)
        cost = step.min(0) + np.array([0.0, DISBELIEF])
    swaps = np.zeros(len(angles), bool)
    reading = int(cost.argmin())
    for row in range(len(angles) - 1, -1, -1):
        swaps[row] = reading == 1
        reading = int(origin[row, reading])
    return swaps


def _jump(turn: NDArray[Any], free: float) -> NDArray[Any]:
    away = np.abs((turn + np.pi) % (2 * np.pi) - np.pi)
    return np.maximum(away - free, 0) / (np.pi - free)


def exchanged(pose: FloatArray, world: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One frame's landmarks (33, 3) read the other way: left for right, near for far.

    The face is exchanged with the body only where it would otherwise look backwards over the neck.
    """
    order = np.arange(33)
    for left, right in BODY_PAIRS:
        order[[left, right]] = right, left
    turned_pose, turned_world = pose[order], world[order]
    turned_world[11:, 2] *= -1
    turned_world[:11, 2] += turned_world[[11, 12], 2].mean() - world[[11, 12], 2].mean()
    chest = float(facing(turned_world[None])[0])
    ears = turned_world[7] - turned_world[8]
    face = float(np.arctan2(ears[2], ears[0]))
    if abs((face - chest + np.pi) % (2 * np.pi) - np.pi) > NECK_LIMIT:
        swap = np.arange(33)
        for left, right in FACE_PAIRS:
            swap[[left, right]] = right, left
        middle = turned_world[:11, 2].mean()
        turned_pose, turned_world = turned_pose[swap], turned_world[swap]
        turned_world[:11, 2] = 2 * middle - turned_world[:11, 2]
    return turned_pose, turned_world
