"""Which frames of a clip show a person from where."""

from __future__ import annotations

import random

import numpy as np

from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.evaluation.cases import CANDIDATES, evenly
from retarget_cli.evaluation.protocols import Pick, Protocol

SHOULDERS = (11, 12)


def facing(world: FloatArray) -> FloatArray:
    """(T,) radians that the shoulders of world landmarks (T, 33, 3) are turned: 0 to the viewer, +-pi away."""
    across = world[:, SHOULDERS[0]] - world[:, SHOULDERS[1]]
    return np.arctan2(across[:, 2], across[:, 0]).astype(np.float32)


def candidates(motion: Motion) -> list[int]:
    """Up to eight frames, one nearest to each of eight view angles (0, 45, ... degrees).

    Of frames that are equally near the one comes first in which more of the person is seen. A person who never turns
    has fewer candidates than eight angles: the same frame is never taken twice.

    Raises:
        InputError: nobody is seen in any frame.
    """
    seen = np.flatnonzero(motion.present)
    if not len(seen):
        raise InputError("nobody is seen in the clip", "a source needs a person")
    angle = facing(motion.world[seen])
    whole = motion.pose[seen, :, 2].mean(1)
    chosen: list[int] = []
    for number in range(CANDIDATES):
        away = np.abs((angle - 2 * np.pi * number / CANDIDATES + np.pi) % (2 * np.pi) - np.pi)
        # Within the half distance to the next angle a wholly seen person is better than the exact angle.
        cost = away + 0.5 * (1 - whole)
        cost[[int(np.flatnonzero(seen == frame)[0]) for frame in chosen]] = np.inf
        best = int(np.argmin(cost))
        if number == 0 or away[best] < np.pi / CANDIDATES:
            chosen.append(int(seen[best]))
    return chosen


def source_frames(protocol: Protocol, name: str, count: int, motion: Motion | None) -> list[int]:
    """Frames of a clip of `count` frames that are its source pictures.

    Args:
        protocol: how many, and which.
        name: of the clip: random frames depend on the seed and it alone.
        motion: perceived in the clip; needed for `Pick.VIEWS`.
    """
    if protocol.pick is Pick.VIEWS:
        if motion is None:
            raise ValueError("views are chosen by the motion")
        return list(evenly(candidates(motion), protocol.sources))
    if protocol.pick is Pick.FIRST:
        return list(evenly(range(count), protocol.sources))
    others = random.Random(f"{protocol.seed} {name}").sample(range(1, count), min(protocol.sources, count) - 1)
    return [0, *sorted(others)]
